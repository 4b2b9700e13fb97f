"""Who a request comes from, and which rights it gives up."""

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.effects import permitted
from atoms_campaigns_mcp.errors import RateLimited, Unauthorized, UpstreamError
from atoms_campaigns_mcp.server.auth.api_keys import Denied, Verify
from atoms_campaigns_mcp.server.auth.principal import SCOPE, Principal, Unauthenticated
from atoms_campaigns_mcp.server.http.paths import HEALTH

MODES = "atoms-mcp-modes"
"""Header with which a client gives up rights: `read-only`, `no-dial`, or both with a comma."""


class Authentication:
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


def _narrowed(principal: Principal, headers: Headers) -> Principal:
    """Take away what the client gives up; nothing that it says gives it more."""
    given = ",".join(headers.getlist(MODES)).split(",")  # a proxy may add one of its own
    words = {word.strip().lower() for word in given if word.strip()}
    if words - {"read-only", "no-dial"}:
        raise ValueError("unknown mode")
    left = permitted(read_only="read-only" in words, no_dial="no-dial" in words)
    return principal.within(left)
