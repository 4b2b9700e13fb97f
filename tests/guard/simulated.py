"""A yard in simulated time: what hangs takes as long as it would, and the test no time at all."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import httpx2

from atoms_campaigns_mcp.guard.process import Guard
from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.guard.conftest import HOURS
from tests.guard.yard import Yard, yard
from tests.support.clock import FakeClock
from tests.support.far_away import SimulatedLoop, without_threads


class LoopClock(FakeClock):
    """The clock of the event loop, which can be set ahead too."""

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=anyio.current_time())

    def monotonic(self) -> float:
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    def set(self, moment: datetime) -> None:
        self.moment += moment - self.now()


@dataclass
class Hanging(httpx2.AsyncBaseTransport):
    """A network on which these requests get no answer; it notes when each request was sent."""

    below: httpx2.AsyncBaseTransport
    clock: FakeClock
    hangs: Callable[[httpx2.Request], bool]
    sent: list[tuple[datetime, str]] = field(default_factory=list[tuple[datetime, str]])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append((self.clock.now(), f"{request.method} {request.url.path}"))
        if self.hangs(request):
            await anyio.sleep(3600)
        return await self.below.handle_async_request(request)

    def first(self, request: str) -> datetime:
        return min(at for at, one in self.sent if one.endswith(request))


@dataclass
class Simulated:
    """The yard, and its clock."""

    place: Yard
    clock: LoopClock

    def hang(self, hangs: Callable[[httpx2.Request], bool]) -> Hanging:
        wire = self.place.bench.wire
        wire.below = hanging = Hanging(wire.below, self.clock, hangs)
        return hanging

    @asynccontextmanager
    async def watching(self, *, resumes: bool = False) -> AsyncGenerator[Guard]:
        """Let a guard watch meanwhile, as a process does."""
        async with self.place.guard(resumes=resumes) as guard, anyio.create_task_group() as tasks:
            tasks.start_soon(guard.run)
            yield guard
            tasks.cancel_scope.cancel()


def simulated(folder: Path, options: Options, live: Callable[[Simulated], Awaitable[None]]) -> None:
    async def within() -> None:
        clock = LoopClock()
        with without_threads(), yard(folder, options, clock) as place:
            place.configure(calling_hours=HOURS)
            await live(Simulated(place, clock))

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(within())
