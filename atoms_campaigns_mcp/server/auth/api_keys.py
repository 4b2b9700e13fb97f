"""Who a request over HTTP comes from: its Atoms API key is its tenant.

The key is verified upstream once and trusted for a minute. It is never written anywhere, and the
server's own key never stands in for a missing one.
"""

import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.caching.recent_keys import RecentKeys
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.config.identity import tenant_of
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import Unauthorized
from atoms_campaigns_mcp.runtime import refuse_changes
from atoms_campaigns_mcp.server.auth.principal import Principal, Unauthenticated

Verify = Callable[[Headers], Awaitable[Principal]]
"""Gives the principal of a request; raises `Unauthenticated`, `Denied` or `UpstreamError`."""

TRUSTED = 60.0  # seconds that a verified key is not verified again
REFUSED = 10.0  # seconds that a refused key is not looked at again
KEY = re.compile(r"sk_[A-Za-z0-9_-]{1,200}")


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
        self._single_flight = SingleFlight(monotonic)
        self._trusted = RecentKeys(monotonic)
        self._refused = RecentKeys(monotonic)

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
            await self._single_flight.get(tenant, atoms.get_account)
        except Unauthorized:
            self._trusted.forget(tenant)
            self._refused.note(tenant)
            raise
        self._trusted.note(tenant)


def bearer(headers: Headers) -> str:
    """Return the bearer token of a request.

    Raises:
        Unauthenticated: There is none, or more than one.
    """
    scheme, _, token = ",".join(headers.getlist("authorization")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("There is no bearer token.")
    return token.strip()


def known(principal: Principal) -> Verify:
    """Verify nothing: every request comes from `principal`. For one machine only."""

    async def verify(_: Headers) -> Principal:
        return principal

    return verify
