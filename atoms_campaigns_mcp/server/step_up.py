"""Telling a client, before its request is carried out, which scope its token lacks."""

import json
from collections.abc import Iterator
from typing import Any, cast

from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.server import uploads
from atoms_campaigns_mcp.server.challenges import Challenges
from atoms_campaigns_mcp.server.principal import SCOPE, Principal
from atoms_campaigns_mcp.server.scopes import needed, scope_of


class StepUp:
    """Answers 403 where a token with more scopes would be let through.

    This is for clients that can sign on for more; what a token may do is decided where requests are
    carried out, also for what this does not recognise.
    """

    def __init__(self, app: ASGIApp, challenges: Challenges, largest: int) -> None:
        """Look into messages of at most `largest` bytes; the others are refused behind this."""
        self._app = app
        self._challenges = challenges
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        principal: Principal | None = scope.get(SCOPE)
        if principal is None or not principal.obtainable:
            await self._app(scope, receive, send)
        elif scope["path"] == uploads.PATH:
            taken = frozenset({Effect.CHANGES})
            refusal = self._refusal(scope, principal, taken)
            await (refusal or self._app)(scope, receive, send)
        elif scope["method"] == "POST":
            await self._message(scope, principal, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _message(
        self, scope: Scope, principal: Principal, receive: Receive, send: Send
    ) -> None:
        heard, body = await _heard(receive, self._largest)
        request = _request(body)
        taken = needed(request.get("method", ""), request.get("params"), principal.allowed)
        refusal = self._refusal(scope, principal, taken, request.get("id"))
        replay = iter(heard)

        async def again() -> Message:
            return next(replay, None) or await receive()

        await (refusal or self._app)(scope, again, send)

    def _refusal(
        self, scope: Scope, principal: Principal, taken: frozenset[Effect], number: Any = None
    ) -> JSONResponse | None:
        missing = taken - principal.allowed
        if not missing or not missing <= principal.obtainable:
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


async def _heard(receive: Receive, largest: int) -> tuple[list[Message], bytes]:
    """Read a body; give what was received, for those behind, and its bytes."""
    heard, size = list[Message](), 0
    while size <= largest:
        message = await receive()
        heard.append(message)
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return heard, b"".join(_pieces(heard))


def _pieces(heard: list[Message]) -> Iterator[bytes]:
    for message in heard:
        yield message.get("body", b"")


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(request, dict):
        return {}
    known = cast("dict[str, Any]", request)
    return known if isinstance(known.get("method"), str) else {}
