"""How many sessions of the older era one tenant may have, of those that the server has room for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.server.auth.principal import SCOPE

EACH = 200  # of the 10,000 that the SDK keeps for everybody
IDLE = 1800.0  # seconds without a request, after which the SDK ends one
_SESSION = "mcp-session-id"
_FAILED, _GONE = 400, 404  # statuses


@dataclass(slots=True)
class _Session:
    tenant: str
    used: float
    busy: int = 0


class SessionLimits:
    """Refuses a session to a tenant that has too many; it learns of them from what goes by."""

    def __init__(self, app: ASGIApp, monotonic: Callable[[], float], most: int = EACH) -> None:
        """Allow each tenant `most` at once."""
        self._app = app
        self._monotonic = monotonic
        self._most = most
        self._open: dict[str, _Session] = {}
        self._opening = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        principal = scope.get(SCOPE)
        if principal is None:  # a health check
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session = self._open.get(headers.get(_SESSION, ""))
        if session and session.tenant == principal.tenant:  # to others it is not there
            await self._continue(session, (scope, receive, send))
        elif _opens(scope, headers):
            await self._begin(principal.tenant, (scope, receive, send))
        else:
            await self._app(scope, receive, send)

    async def _begin(self, tenant: str, request: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = request
        if self._count(tenant) + self._opening[tenant] >= self._most:
            await _too_many(self._most)(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _FAILED:
                name = Headers(raw=message["headers"]).get(_SESSION)
                if name:
                    self._open[name] = _Session(tenant, self._monotonic())
            await send(message)

        self._opening[tenant] += 1
        try:
            await self._app(scope, receive, noting)
        finally:
            self._opening[tenant] -= 1
            if not self._opening[tenant]:
                del self._opening[tenant]

    async def _continue(self, session: _Session, request: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = request
        name, ended = Headers(scope=scope)[_SESSION], False

        async def noting(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                status = message["status"]
                ended = status == _GONE or (scope["method"] == "DELETE" and status < _FAILED)
            await send(message)

        session.busy += 1
        try:
            await self._app(scope, receive, noting)
        finally:
            session.busy -= 1
            session.used = self._monotonic()
            if ended:
                self._open.pop(name, None)

    def _count(self, tenant: str) -> int:
        since = self._monotonic() - IDLE
        self._open = {n: s for n, s in self._open.items() if s.busy or s.used >= since}
        return sum(session.tenant == tenant for session in self._open.values())


def _opens(scope: Scope, headers: Headers) -> bool:
    version = headers.get("mcp-protocol-version")
    is_older = version is None or version in HANDSHAKE_PROTOCOL_VERSIONS
    return scope["method"] == "POST" and is_older and _SESSION not in headers


def _too_many(most: int) -> JSONResponse:
    words = (
        f"This key has {most} open sessions, as many as one may have. End those that are not "
        f"needed (DELETE with their Mcp-Session-Id), or wait: one ends after {IDLE / 60:g} minutes "
        "without a request. Protocol version 2026-07-28 needs none."
    )
    body = {"error": "too_many_sessions", "error_description": words}
    return JSONResponse(body, 429, {"Retry-After": "60"})
