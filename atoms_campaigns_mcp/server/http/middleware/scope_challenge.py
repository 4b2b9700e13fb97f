"""Telling a client, before its request is carried out, which scope its token lacks."""

from typing import Any

from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.effects import Effect, scope_of
from atoms_campaigns_mcp.server.auth.oauth.challenges import Challenges
from atoms_campaigns_mcp.server.auth.oauth.scopes import needed
from atoms_campaigns_mcp.server.auth.principal import SCOPE, Principal
from atoms_campaigns_mcp.server.http.middleware.bodies import MESSAGE
from atoms_campaigns_mcp.server.http.paths import UPLOADS
from atoms_campaigns_mcp.server.jsonrpc import object_in


class ScopeChallenge:
    """Answers 403 where a token with more scopes would be let through.

    This is for clients that can sign on for more; what a token may do is decided where requests are
    carried out, also for what this does not recognise.
    """

    def __init__(self, app: ASGIApp, challenges: Challenges) -> None:
        """Answer with `challenges`."""
        self._app = app
        self._challenges = challenges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        principal: Principal | None = scope.get(SCOPE)
        refusal = None
        if principal and principal.obtainable:
            refusal = self._judged(scope, principal)
        await (refusal or self._app)(scope, receive, send)

    def _judged(self, scope: Scope, principal: Principal) -> JSONResponse | None:
        if scope["path"] == UPLOADS:
            return self._refusal(scope, principal, frozenset({Effect.CHANGES}))
        message = object_in(scope.get(MESSAGE))
        method = message.get("method")
        if not isinstance(method, str):
            return None
        taken = needed(method, message.get("params"), principal.allowed)
        return self._refusal(scope, principal, taken, message.get("id"))

    def _refusal(
        self, scope: Scope, principal: Principal, taken: frozenset[Effect], number: Any = None
    ) -> JSONResponse | None:
        missing = principal.lacking(taken)
        if not principal.can_obtain(missing):
            return None
        # 2026-07-28 wants the operation's scopes, to which its clients add what they had; earlier
        # clients replace, so that they are told what they had as well.
        version = Headers(scope=scope).get(MCP_PROTOCOL_VERSION_HEADER)
        adds = version in MODERN_PROTOCOL_VERSIONS
        wanted = scope_of(taken if adds else taken | principal.allowed)
        words = f"The access token lacks the scope {scope_of(missing)}. Nothing was sent."
        denied = self._challenges.step_up(wanted, words).response
        error = {"code": INVALID_REQUEST, "message": words}
        if number is None:
            return denied
        # As an answer to its request, clients that cannot sign on for more show what it says.
        body = {"jsonrpc": "2.0", "id": number, "error": error}
        told = {"WWW-Authenticate": denied.headers["WWW-Authenticate"]}
        return JSONResponse(body, denied.status_code, told)
