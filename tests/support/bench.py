"""The test bench: a real MCP client, our server and the sandbox, in memory, on a fake clock.

Every exchange with the sandbox is held to our OpenAPI document.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.referee import Referee, refereeing
from tests.support.clock import FakeClock
from tests.support.do_not_call import list_strangers_only
from tests.support.serving import Answer, Caller, Wire, says_yes, serving

REFEREE = Referee()
UNPACED = 1000.0  # requests a second


@dataclass
class Bench:
    """Everything a test needs to drive a tool and to see what it did."""

    settings: Settings
    clock: FakeClock
    world: World
    wire: Wire
    questions: list[str] = field(default_factory=list[str])

    @classmethod
    @contextmanager
    def open(cls, folder: Path, options: Options | None = None) -> "Generator[Bench]":
        clock = FakeClock()
        # On the bench's clock no step of the sandbox takes long, however busy the machine is.
        world = World.open(
            ":memory:",
            now=clock.now,
            options=options or Options(speed=1),
            monotonic=clock.monotonic,
        )
        with refereeing(REFEREE) as wrap:
            wire = Wire(wrap(httpx2.ASGITransport(app=create_app(world))))
            list_strangers_only(world)
            # On its clock, waits for turns that go on side by side would add up.
            yield cls(Settings(state=folder, rate=UNPACED), clock, world, wire)
        world.close()

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """Speak to the sandbox behind the server's back; give the answer's data."""
        async with httpx2.AsyncClient(transport=self.wire.below) as http:
            answer = await http.request(
                method,
                f"http://sandbox/atoms/v1{path}",
                json=body,
                headers={"Authorization": "Bearer sk_sandbox"},
            )
        return answer.raise_for_status().json()["data"]

    def configure(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)

    @asynccontextmanager
    async def client(
        self, era: str = "2026-07-28", answer: Answer | None = says_yes
    ) -> AsyncGenerator[Caller]:
        def remember(question: str) -> Any:
            self.questions.append(question)
            assert answer is not None
            return answer(question)

        async with serving(
            self.settings,
            self.wire,
            clocks=self.clock.clocks(),
            era=era,
            answer=remember if answer else None,
        ) as caller:
            yield caller
