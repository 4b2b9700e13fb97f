"""What one client may take of a server that others use too."""

import math
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.rate_limit import Slot, booked
from atoms_campaigns_mcp.server.auth.principal import SCOPE
from atoms_campaigns_mcp.server.http.middleware.request_kind import emergency, only_waits

Elsewhere = Callable[[str, float], Awaitable[float]]
"""Books a request of a tenant with every replica, given the seconds between two; gives its wait."""

Place = Callable[[str, int], AbstractAsyncContextManager[bool]]
"""Holds one of so many places of a name among all replicas; false if they are filled."""

STOPS = 16  # emergency stops of a tenant at once, beside its other requests


class RateLimits:
    """Bounds how fast a tenant asks and how much it has in flight; answers 429 beyond.

    What only waits leaves a quarter of the places to other requests, and the emergency stop has
    places and a pace of its own when there are none.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rate: float,
        in_flight: int,
        monotonic: Callable[[], float],
        elsewhere: Elsewhere | None = None,
        place: Place | None = None,
    ) -> None:
        """Allow `rate` requests a second, in bursts of one second's worth, `in_flight` at once.

        What other replicas were asked, and serve, counts as well where `elsewhere` and `place`
        know of it.
        """
        self._elsewhere = elsewhere
        self._place = place
        self._app = app
        self._step = 1 / rate
        self._most = in_flight
        self._most_waiting = max(in_flight * 3 // 4, 1)
        self._monotonic = monotonic
        self._due: dict[tuple[str, str], float] = {}
        self._busy = Counter[str]()
        self._waiting = Counter[str]()
        self._stopping = Counter[str]()

    @property
    def tenants(self) -> int:
        """How many are remembered."""
        paced = {tenant for tenant, _ in self._due}
        return len(paced | self._busy.keys() | self._waiting.keys() | self._stopping.keys())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, if its tenant may have it served now."""
        principal = scope.get(SCOPE)
        if principal is None:  # a health check
            await self._app(scope, receive, send)
            return
        tenant, waits = principal.tenant, only_waits(scope)
        wait = self._wait(tenant, "all")
        if not wait and self._elsewhere:
            wait = await self._elsewhere(tenant, self._step)
        if not wait:
            async with self._room(tenant, waits=waits) as free:
                if free:
                    await self._app(scope, receive, send)
                    return
        await self._beyond(tenant, math.ceil(wait) or 1, (scope, receive, send))

    @asynccontextmanager
    async def _room(self, tenant: str, *, waits: bool) -> AsyncGenerator[bool]:
        """Hold the places of a request meanwhile; false if there is none for it."""
        lanes = [(self._busy, "at once", self._most)]
        if waits:
            lanes.append((self._waiting, "waiting", self._most_waiting))
        if any(places[tenant] >= most for places, _, most in lanes):
            yield False
            return
        async with AsyncExitStack() as held:
            for places, _, _ in lanes:
                held.enter_context(_held(places, tenant))
            free = True
            for _, lane, most in lanes:
                if free and self._place:
                    place = self._place(f"{tenant} {lane}", most)
                    free = await held.enter_async_context(place)
            yield free

    async def _beyond(self, tenant: str, wait: int, request: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = request
        stop = await emergency(scope, receive)
        if stop is None or self._stopping[tenant] >= STOPS or self._wait(tenant, "stops"):
            await _too_many(wait)(scope, receive, send)
            return
        with _held(self._stopping, tenant):
            await self._app(scope, stop, send)

    def _wait(self, tenant: str, lane: str) -> float:
        now = self._monotonic()
        # A due time that has passed says nothing any more.
        self._due = {name: due for name, due in self._due.items() if due > now}
        slot = Slot(now, self._step, patience=0)
        due, wait = booked(self._due.get((tenant, lane), 0.0), slot)
        self._due[tenant, lane] = due
        return wait


@contextmanager
def _held(places: Counter[str], tenant: str) -> Generator[None]:
    places[tenant] += 1
    try:
        yield
    finally:
        places[tenant] -= 1
        if not places[tenant]:
            del places[tenant]


def _too_many(seconds: int) -> JSONResponse:
    words = f"Too many requests. Wait {seconds} seconds, then try again."
    body = {"error": "rate_limited", "error_description": words}
    return JSONResponse(body, 429, {"Retry-After": str(seconds)})
