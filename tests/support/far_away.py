"""The API far away, in time that passes only while everything waits: exact, and over at once.

A real MCP client, our server and the sandbox run on one event loop whose clock jumps to the next
thing that is due as soon as nothing else can go on. So what a call takes is what it waits for, to
the millisecond, however busy the machine is.
"""

import asyncio
import selectors
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.support.do_not_call import list_strangers_only
from tests.support.serving import Caller, says_yes, serving
from tests.support.world import DRAFT

ROUND_TRIP = 0.2  # seconds
MONDAY = datetime(2027, 1, 4, 15, tzinfo=UTC)  # day from New York to London


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: where the loop would, its clock moves on."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everything waits, and nothing is due")
            self.passed += max(timeout, 0.0)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is simulated; nothing on it may use a thread or the network."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


@contextmanager
def without_threads() -> Generator[None]:
    """Do at once what would be done in a thread, for which simulated time does not wait."""

    async def at_once(work: Callable[..., Any], *args: Any, **_: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return work(*args)

    in_thread = anyio.to_thread.run_sync
    anyio.to_thread.run_sync = at_once
    try:
        yield
    finally:
        anyio.to_thread.run_sync = in_thread


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and when it left, in seconds since the call began."""

    method: str
    path: str
    at: float


@dataclass(slots=True)
class Taken:
    """What one call cost whoever waited for it."""

    requests: list[Sent] = field(default_factory=list[Sent])
    seconds: float = 0.0


@dataclass
class Far(httpx2.AsyncBaseTransport):
    """The way to the API and back, half of the round trip each."""

    below: httpx2.AsyncBaseTransport
    requests: list[tuple[float, httpx2.Request]] = field(
        default_factory=list[tuple[float, httpx2.Request]]
    )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append((anyio.current_time(), request))
        await anyio.sleep(ROUND_TRIP / 2)
        response = await self.below.handle_async_request(request)
        await anyio.sleep(ROUND_TRIP / 2)
        return response


@dataclass
class FarAway:
    """A client, and what its calls cost."""

    client: Caller
    far: Far

    async def taken(self, tool: str, **arguments: Any) -> tuple[dict[str, Any], Taken]:
        """Make a call that must succeed; give its result, and what it cost."""
        begun, before = anyio.current_time(), len(self.far.requests)
        result = await self.client.call(tool, **arguments)
        sent = [
            Sent(request.method, request.url.path.removeprefix("/atoms/v1"), at - begun)
            for at, request in self.far.requests[before:]
        ]
        return result, Taken(sent, anyio.current_time() - begun)


@asynccontextmanager
async def far_away(folder: Path, *, rate: float | None = None) -> AsyncGenerator[FarAway]:
    """Connect a client whose server has the API `ROUND_TRIP` away; `rate` is the pace of requests.

    It must run on a `SimulatedLoop`.
    """

    def now() -> datetime:
        return MONDAY + timedelta(seconds=anyio.current_time())

    world = World.open(":memory:", now=now, options=Options(speed=1), monotonic=anyio.current_time)
    list_strangers_only(world)
    far = Far(httpx2.ASGITransport(app=create_app(world)))
    settings = Settings(state=folder)
    if rate is not None:
        settings = replace(settings, rate=rate)
    clocks = Clocks(now=now, monotonic=anyio.current_time, sleep=anyio.sleep)
    try:
        with without_threads():
            async with serving(settings, far, clocks=clocks, answer=says_yes) as client:
                yield FarAway(client, far)
    finally:
        world.close()


def simulated(folder: Path, live: Callable[[FarAway], Awaitable[None]]) -> None:
    """Do something with the API far away, on simulated time."""

    async def within() -> None:
        async with far_away(folder) as far:
            await live(far)

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(within())


async def started(far: FarAway, name: str) -> dict[str, str]:
    """Start a campaign of that name."""
    made, _ = await far.taken("create_campaign", **{**DRAFT, "name": name})
    campaign = {"campaign_id": made["campaign_id"]}
    await far.taken("start_campaign", **campaign)
    return campaign
