"""A yard for guards: the sandbox on a fake clock, people who meddle, and guards that are killed."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.guard.notify import Webhook
from atoms_campaigns_mcp.guard.process import Guard, rules_of
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.sandbox.engine.faults import FaultPlan
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from atoms_campaigns_mcp.state.open import open_state
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.serving import Caller, Wire
from tests.support.world import AGENT, CALLER_ID

SECRET = b"a secret of thirty-two bytes or so"


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Mortal(httpx2.AsyncBaseTransport):
    """The network and the state of one process, which is killed at its `last` request."""

    below: httpx2.AsyncBaseTransport
    last: int | None = None
    dead: bool = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.live()
        if self.last is not None:
            self.last -= 1
            if self.last <= 0:
                # What was sent may have been carried out, or not.
                if self.last % 2 == 0:
                    await self.below.handle_async_request(request)
                self.dead = True
                raise Killed
        return await self.below.handle_async_request(request)

    def live(self) -> None:
        if self.dead:
            raise Killed


@dataclass
class Part:
    """A part of the state, or all of it, that is out of a dead process's reach."""

    real: Any
    process: Mortal

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.real, name)
        if callable(value):

            async def called(*args: Any, **named: Any) -> Any:
                self.process.live()
                return await cast("Any", value)(*args, **named)

            return called
        return Part(value, self.process) if value is not None else None


@dataclass
class Yard:
    """A sandbox, the server's settings, and those of the guards."""

    bench: Bench
    settings: Settings
    said: list[str] = field(default_factory=list[str])
    told: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    @property
    def clock(self) -> FakeClock:
        return self.bench.clock

    def configure(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)

    @asynccontextmanager
    async def guard(
        self, process: Mortal | None = None, *, resumes: bool = False, dry: bool = False
    ) -> AsyncGenerator[Guard]:
        process = process or Mortal(self.bench.wire)
        store: Any = Part(open_state(self.settings), process)
        clocks = self.clock.clocks()
        runtime = Runtime.open(self.settings, clocks=clocks, network=process, store=store)

        def heard(request: httpx2.Request) -> httpx2.Response:
            self.told.append(request)
            return httpx2.Response(204)

        hook = Webhook.of(self.settings, self.clock.now, httpx2.MockTransport(heard))
        try:
            yield Guard(runtime, rules_of(runtime), hook, self.said.append, resumes, dry)
        finally:
            await runtime.rest()
            await store.real.close()

    async def watch(self, guard: Guard, until: datetime, *, every: float = 5) -> None:
        while self.clock.now() < until:
            await guard.round()
            self.clock.advance(seconds=every)

    def dials(self) -> list[tuple[datetime, str]]:
        """When which number was dialled, by the sandbox's own record."""
        db: Any = getattr(self.bench.world, "_db")  # noqa: B009 - what no client can see
        rows = db.execute(
            "SELECT dialed_at, to_number FROM call JOIN campaign ON campaign.pk = campaign_pk "
            "WHERE dialed_at IS NOT NULL AND campaign.name LIKE 'Guarded%' ORDER BY dialed_at"
        )
        return [(datetime.fromtimestamp(at / 1000, UTC), number) for at, number in rows]

    async def status(self, campaign_id: str) -> str:
        with self.calm():
            found = await self.bench.api("GET", f"/campaign/{campaign_id}")
        return found["campaign"]["status"]

    async def dashboard(self, path: str) -> bool:
        """Do something in the dashboard, which never fails; false if it is refused."""
        with self.calm():
            async with httpx2.AsyncClient(transport=self.bench.wire.below) as http:
                url = f"http://sandbox/atoms/v1{path}"
                answer = await http.post(url, headers={"Authorization": "Bearer sk_sandbox"})
        return answer.is_success

    @contextmanager
    def calm(self) -> Generator[None]:
        """Let nothing fail meanwhile."""
        world = self.bench.world
        faults, world.faults = world.faults, FaultPlan((), seed=0)
        try:
            yield
        finally:
            world.faults = faults


@contextmanager
def yard(folder: Path, options: Options, clock: FakeClock | None = None) -> Generator[Yard]:
    clock = clock or FakeClock()
    world = World.open(":memory:", now=clock.now, options=options, monotonic=clock.monotonic)
    wire = Wire(httpx2.ASGITransport(app=create_app(world)))
    settings = Settings(state=folder, confirm="never", sandbox_speed=1.0)
    yield Yard(Bench(settings, clock, world, wire), settings)
    world.close()


def numbers(count: int, *prefixes: str) -> str:
    """A list of contacts, as many with each prefix: it and seven digits make a number."""
    rows = [f"{prefix}{place:07d},Contact {place}" for place in range(count) for prefix in prefixes]
    return "\n".join(["phone,name", *rows])


async def begin(client: Caller, csv: str, name: str = "Guarded", **changes: Any) -> str:
    """Start a campaign to these contacts; give its id."""
    audience = await client.call("create_audience", name=f"List {name}", csv=csv)
    made = await client.call(
        "create_campaign",
        **{
            "name": name,
            "agent_id": AGENT,
            "audience_id": audience["audience_id"],
            "phone_ids": [CALLER_ID],
            "max_retries": 2,
            "retry_delay": 5,
            **changes,
        },
    )
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    return made["campaign_id"]
