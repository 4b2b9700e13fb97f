"""The examination of a made-up machine, on the bench's clock and API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from atoms_campaigns_mcp.cli.doctor.check import Check
from atoms_campaigns_mcp.cli.doctor.command import Patient, examine
from atoms_campaigns_mcp.cli.doctor.server_probe import NotStarted, Started
from tests.support.bench import Bench
from tests.support.machine import machine_in

KEY = "sk_live_secret"


@dataclass
class Starter:
    """Stands for starting a command: remembers what it was given."""

    fails: str = ""
    given: list[tuple[list[str], Mapping[str, str], Path]] = field(default_factory=list[Any])

    async def __call__(self, words: list[str], env: Mapping[str, str], folder: Path) -> Started:
        self.given.append((words, env, folder))
        if self.fails:
            raise NotStarted(self.fails)
        return Started("0.1.0", 18)


def patient(
    home: Path, bench: Bench, *, live: bool = False, platform: str = "linux", **environ: str
) -> Patient:
    """Return a machine without a key, or with one for the bench's API."""
    key = {"SMALLEST_API_KEY": KEY} if live else {}
    state = {"ATOMS_MCP_STATE": str(home / "state")}
    return Patient(
        machine_in(home, platform, **{**key, **state, **environ}),
        clocks=bench.clock.clocks(),
        network=bench.wire if live else None,
        start=Starter(),
    )


async def found(patient: Patient) -> dict[str, Check]:
    checks = await examine({}, patient)
    assert all(check.fix for check in checks if check.status != "ok")
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def telling(bench: Bench, **headers: str) -> None:
    """Add headers to every answer."""
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await below.handle_async_request(request)
        response.headers.update(headers)
        return response

    bench.wire.below = httpx2.MockTransport(answer)


def slowly(bench: Bench, seconds: float) -> None:
    """Have every answer take some seconds of the bench's clock."""
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        bench.clock.advance(seconds=seconds)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(answer)


def answering(bench: Bench, answer: Any) -> None:
    """Replace the API."""
    bench.wire.below = httpx2.MockTransport(answer)
