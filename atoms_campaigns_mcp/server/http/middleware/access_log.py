"""A line for each answer."""

import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.instruments import served
from atoms_campaigns_mcp.server.auth.principal import CALL, SCOPE
from atoms_campaigns_mcp.server.http.paths import HEALTH, MCP, UPLOADS
from atoms_campaigns_mcp.telemetry import event


class AccessLog:
    """Logs and measures each answer, without query, headers or body."""

    def __init__(self, app: ASGIApp, monotonic: Callable[[], float]) -> None:
        """Measure by `monotonic`, in seconds."""
        self._app = app
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._monotonic(), 0
        notes: dict[str, str | None] = {}
        scope[CALL] = notes

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            seconds = self._monotonic() - began
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            path = scope["path"] if scope["path"] in _PATHS else "(other)"
            served(method, path, status, seconds)
            # Whoever probes does so every few seconds, and is told the answer.
            level = logging.DEBUG if (path, status) in _QUIET else logging.INFO
            event(
                "request",
                level,
                method=method,
                path=path,
                status=status or None,
                ms=round(1000 * seconds),
                tenant=principal.tenant[:8] if (principal := scope.get(SCOPE)) else None,
                **notes,
            )


_PROBES = (f"{HEALTH}live", f"{HEALTH}ready")
_QUIET = {(path, 200) for path in _PROBES}
_PATHS = {MCP, UPLOADS, *_PROBES}
# Anybody may send a method of any name.
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
