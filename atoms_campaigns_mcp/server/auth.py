"""Who a request over HTTP comes from: its Atoms API key is its tenant.

The key is verified upstream once and trusted for a minute. It is never written anywhere, and the
server's own key never stands in for a missing one.
"""

import re
from collections.abc import Awaitable, Callable

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.atoms.sharing import Flights
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.effects import permitted
from atoms_campaigns_mcp.errors import RateLimited, Unauthorized, UpstreamError
from atoms_campaigns_mcp.runtime import refuse_changes
from atoms_campaigns_mcp.server.lately import Lately
from atoms_campaigns_mcp.server.principal import SCOPE, Principal, Unauthenticated
from atoms_campaigns_mcp.settings import Settings, tenant_of

Verify = Callable[[Headers], Awaitable[Principal]]
"""Gives the principal of a request; raises `Unauthenticated`, `Denied` or `UpstreamError`."""

TRUSTED = 60.0  # seconds that a verified key is not verified again
REFUSED = 10.0  # seconds that a refused key is not looked at again
MODES = "atoms-mcp-modes"
"""Header with which a client gives up rights: `read-only`, `no-dial`, or both with a comma."""
KEY = re.compile(r"sk_[A-Za-z0-9_-]{1,200}")
HEALTH = "/health/"


class Denied(Exception):
    """A request is refused; `response` says why."""

    def __init__(self, response: JSONResponse) -> None:
        """Keep the answer."""
        super().__init__(response.status_code)
        self.response = response


class KeyVerifier:
    """Verifies API keys by asking the API who they belong to."""

    def __init__(
        self,
        settings: Settings,
        strangers: Transport,
        tenants: Transport,
        monotonic: Callable[[], float],
    ) -> None:
        """Ask through `strangers` about keys not seen before, and through `tenants` again.

        They are paced apart, so that a flood of made-up keys keeps no tenant out. The transports'
        own keys are not used.
        """
        self._settings = settings
        self._strangers = strangers
        self._tenants = tenants
        self._flights = Flights(monotonic)
        self._trusted = Lately(monotonic)
        self._refused = Lately(monotonic)

    async def __call__(self, headers: Headers) -> Principal:
        """See `Verify`."""
        token = bearer(headers)
        if not KEY.fullmatch(token):
            raise Unauthenticated("The token is no API key of Atoms.")
        tenant = tenant_of(token)
        if not self._trusted.within(TRUSTED, tenant):
            await self._ask(tenant, token)
        return Principal(tenant, token, self._settings.permitted)

    async def _ask(self, tenant: str, token: str) -> None:
        if self._refused.within(REFUSED, tenant):
            raise Unauthenticated("The key was refused a moment ago.")
        transport = self._tenants if tenant in self._trusted else self._strangers
        atoms = AtomsClient(transport.with_key(token), refuse_changes)
        try:
            await self._flights.get(tenant, atoms.get_account)
        except Unauthorized:
            self._trusted.forget(tenant)
            self._refused.note(tenant)
            raise
        self._trusted.note(tenant)


class Authenticated:
    """Lets nothing but health checks through without a principal."""

    def __init__(self, app: ASGIApp, verify: Verify, challenge: str = "Bearer") -> None:
        """Put `challenge` into `WWW-Authenticate` when a token is missing or wrong."""
        self._app = app
        self._verify = verify
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(HEALTH):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            principal = _narrowed(await self._verify(headers), headers)
        except Denied as denied:
            refusal = denied.response
        except (Unauthenticated, Unauthorized):
            refusal = self._refusal(401, "invalid_token", "A valid API key is needed.")
        except RateLimited as error:
            wait = {"Retry-After": str(max(round(error.retry_after or 1), 1))}
            refusal = JSONResponse({"error": "rate_limited"}, 429, wait)
        except UpstreamError:
            away = {"error": "unavailable", "error_description": "The key cannot be verified now."}
            refusal = JSONResponse(away, 503, {"Retry-After": "5"})
        except ValueError:
            refusal = self._refusal(400, "invalid_request", f"{MODES}: read-only, no-dial or both.")
        else:
            user = AuthenticatedUser(AccessToken(token="", client_id=principal.tenant, scopes=[]))
            # In place, so that the access log around this sees it too.
            scope.update({SCOPE: principal, "user": user})
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)

    def _refusal(self, status: int, error: str, words: str) -> JSONResponse:
        challenge = f'{self._challenge} error="{error}", error_description="{words}"'
        headers = {"WWW-Authenticate": challenge} if status == 401 else {}  # noqa: PLR2004
        return JSONResponse({"error": error, "error_description": words}, status, headers)


def bearer(headers: Headers) -> str:
    """Give the bearer token of a request.

    Raises:
        Unauthenticated: There is none, or more than one.
    """
    scheme, _, token = ",".join(headers.getlist("authorization")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("There is no bearer token.")
    return token.strip()


def _narrowed(principal: Principal, headers: Headers) -> Principal:
    """Take away what the client gives up; nothing that it says gives it more."""
    given = ",".join(headers.getlist(MODES)).split(",")  # a proxy may add one of its own
    words = {word.strip().lower() for word in given if word.strip()}
    if words - {"read-only", "no-dial"}:
        raise ValueError("unknown mode")
    left = permitted(read_only="read-only" in words, no_dial="no-dial" in words)
    return principal.within(left)


def known(principal: Principal) -> Verify:
    """Verify nothing: every request comes from `principal`. For one machine only."""

    async def verify(_: Headers) -> Principal:
        return principal

    return verify
