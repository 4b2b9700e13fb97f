"""A line for each answer."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.server.auth.principal import SCOPE
from atoms_campaigns_mcp.server.http.paths import HEALTH, MCP, UPLOADS
from atoms_campaigns_mcp.telemetry import log


class AccessLog:
    """Writes a line for each answer, without query, headers or body."""

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

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = round(1000 * (self._monotonic() - began))
            tenant = principal.tenant[:8] if (principal := scope.get(SCOPE)) else "-"
            path = scope["path"] if scope["path"] in _SHOWN else "(other)"
            log.info("%s %s %s %d ms %s", scope["method"], path, status or "-", took, tenant)


_SHOWN = {MCP, UPLOADS, f"{HEALTH}live", f"{HEALTH}ready"}
