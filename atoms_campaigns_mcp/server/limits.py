"""What one client may take of a server that others use too."""

import math
from collections import Counter
from collections.abc import Callable

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.pace import Slot, booked
from atoms_campaigns_mcp.server.principal import SCOPE

BODY_SECONDS = 30.0  # in which a request must have arrived; slower ones hold a place for nothing


class TenantLimits:
    """Bounds how fast a tenant asks and how much it has in flight; answers 429 beyond."""

    def __init__(
        self, app: ASGIApp, *, rate: float, in_flight: int, monotonic: Callable[[], float]
    ) -> None:
        """Allow `rate` requests a second, in bursts of one second's worth, `in_flight` at once."""
        self._app = app
        self._step = 1 / rate
        self._most = in_flight
        self._monotonic = monotonic
        self._due: dict[str, float] = {}
        self._busy = Counter[str]()

    @property
    def tenants(self) -> int:
        """How many are remembered."""
        return len(self._due.keys() | self._busy.keys())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, if its tenant may have it served now."""
        principal = scope.get(SCOPE)
        if principal is None:  # a health check
            await self._app(scope, receive, send)
            return
        tenant = principal.tenant
        wait = self._wait(tenant)
        if wait or self._busy[tenant] >= self._most:
            await _too_many(math.ceil(wait) or 1)(scope, receive, send)
            return
        self._busy[tenant] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy[tenant] -= 1
            if not self._busy[tenant]:
                del self._busy[tenant]

    def _wait(self, tenant: str) -> float:
        now = self._monotonic()
        # A due time that has passed says nothing any more.
        self._due = {name: due for name, due in self._due.items() if due > now}
        due, wait = booked(self._due.get(tenant, 0.0), Slot(now, self._step, patience=0))
        self._due[tenant] = due
        return wait


class Patience:
    """Ends requests whose body does not arrive, and open streams when the server ends."""

    def __init__(self, app: ASGIApp, *, seconds: float = BODY_SECONDS) -> None:
        """Wait at most `seconds` for a whole body."""
        self._app = app
        self._seconds = seconds
        self._streams: set[anyio.CancelScope] = set()

    def close(self) -> None:
        """End the streams on which a client only listens; what was asked may be answered."""
        for scope in self._streams:
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._stream(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = False

        async def noting(message: Message) -> None:
            nonlocal more
            more = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as stream:
            self._streams.add(stream)
            try:
                await self._app(scope, receive, noting)
            finally:
                self._streams.discard(stream)
        if more:  # it was cancelled: without a proper end the client would take it for a fault
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        end, whole = anyio.current_time() + self._seconds, False

        async def patient() -> Message:
            nonlocal whole
            if whole:
                return await receive()
            with anyio.move_on_at(end):
                message = await receive()
                whole = not message.get("more_body", False)
                return message
            return {"type": "http.disconnect"}

        await self._app(scope, patient, send)


def _too_many(seconds: int) -> JSONResponse:
    words = f"Too many requests. Wait {seconds} seconds, then try again."
    body = {"error": "rate_limited", "error_description": words}
    return JSONResponse(body, 429, {"Retry-After": str(seconds)})
