"""A whole run: sandbox, proxy, servers and lifecycles; and the table of what came of it."""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import journal_entries
from tests.faults.agent import Scene
from tests.faults.judge import APART, LATE, NEVER, Verdict, judge
from tests.faults.lifecycles import Lifecycle, today
from tests.faults.proxy import FAULTS, Proxy
from tests.faults.records import SEEDED, Evidence, Journaled
from tests.faults.servers import Server
from tests.faults.truth import KEY, Oracle
from tests.support.emulated import emulated
from tests.support.process import environment

ALL = 10_000_000  # journal entries
NAME = re.compile(rf"{SEEDED} \d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run. `seconds` bounds it; lifecycles that are not done by then are cut off.

    A server is killed after about `kill_every` changing calls, in one of them.
    """

    lifecycles: int
    seconds: float
    rate: float = 0.3
    seed: int = 1
    at_once: int = 40
    servers: int = 3
    kill_every: int = 90
    repeats: int = 10
    speed: str = "120"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    plan: Plan
    evidence: Evidence
    verdict: Verdict
    seconds: float


async def run(plan: Plan, folder: Path) -> Outcome:
    """Run the lifecycles and judge them; logs, journal and world stay in `folder`."""
    began = time.monotonic()
    evidence = Evidence()
    folder.mkdir(parents=True, exist_ok=True)
    with emulated(folder, plan.speed) as origin:
        port = urlsplit(origin).port
        assert port is not None
        dice = random.Random(plan.seed)  # noqa: S311 - reproducible, not secret
        proxy = Proxy(port, rate=plan.rate, dice=dice, clock=time.monotonic)
        async with proxy.listening():
            servers = _servers(plan, folder, proxy.url, evidence)
            scene = Scene(proxy, servers, Oracle(port), evidence, time.monotonic, plan.repeats)
            await _lead(plan, scene)
            await proxy.settle()
    await _collect(evidence, proxy, servers, folder)
    return Outcome(plan, evidence, judge(evidence), time.monotonic() - began)


def _servers(plan: Plan, folder: Path, url: str, evidence: Evidence) -> list[Server]:
    env = environment(
        folder / "state",
        SMALLEST_API_KEY=KEY,
        ATOMS_API_URL=f"{url}/atoms/v1",
        ATOMS_MCP_PAYMENT_URL=f"{url}/payment/v1",
        ATOMS_MCP_RATE="1000",
    )

    def says_yes(question: str) -> None:
        evidence.yeses.update(set(NAME.findall(question)))

    return [
        Server(
            number=number,
            folder=folder,
            env=env,
            dice=random.Random(f"{plan.seed} {number}"),  # noqa: S311
            kill_after=lambda dice: round(plan.kill_every * dice.uniform(0.5, 1.5)),
            person=says_yes,
        )
        for number in range(plan.servers)
    ]


async def _lead(plan: Plan, scene: Scene) -> None:
    limiter = anyio.CapacityLimiter(plan.at_once)
    start = today()

    async def one(number: int) -> None:
        async with limiter:
            dice = random.Random(f"{plan.seed} lifecycle {number}")  # noqa: S311
            await Lifecycle(number, scene, dice, start).run()

    async with anyio.create_task_group() as keepers:
        for server in scene.servers:
            keepers.start_soon(server.keep)
        with anyio.move_on_after(plan.seconds):
            async with anyio.create_task_group() as tasks:
                for number in range(plan.lifecycles):
                    tasks.start_soon(one, number)
        for server in scene.servers:
            server.end()


async def _collect(evidence: Evidence, proxy: Proxy, servers: list[Server], folder: Path) -> None:
    evidence.changes, evidence.requests = proxy.changes, proxy.requests
    evidence.faults = proxy.faults
    evidence.kills = sum(server.kills for server in servers)
    for server in servers:
        evidence.crashes += server.crashes + server.tracebacks()
    kept = await journal_entries(Settings(state=folder / "state"), ALL)
    evidence.journal = [
        Journaled(entry.intent.tool, json.loads(entry.intent.arguments)) for entry in kept
    ]


def report(outcome: Outcome, shown: int = 0) -> Iterator[str]:
    """Return the table, and the first `shown` cases of each kind of what must not happen."""
    plan, evidence, verdict = outcome.plan, outcome.evidence, outcome.verdict
    unfinished = plan.lifecycles - evidence.completed - len(evidence.gave_up)
    figures = {
        "lifecycles": plan.lifecycles,
        "completed": evidence.completed,
        "gave up": len(evidence.gave_up),
        "cut off by the time limit": unfinished,
        "tool calls": len(evidence.answers),
        "requests to the API": evidence.requests,
        "faults": evidence.faults.total(),
        **{f"  {fault}": evidence.faults[fault] for fault in FAULTS},
        "server kills": evidence.kills,
        "seconds": round(outcome.seconds),
    }
    yield from (f"{name:<48}{count:>9,}" for name, count in figures.items())
    yield "must be 0"
    yield from (f"  {kind:<46}{verdict.count(kind):>9,}" for kind in NEVER)
    yield "counted apart"
    yield from (f"  {kind:<46}{verdict.count(kind):>9,}" for kind in APART)
    reasons = Counter(NAME.sub("…", why) for why in evidence.gave_up)
    yield from (f"  gave up {count:>5} x {why}" for why, count in reasons.most_common())
    yield from _cases(verdict, shown)


def _cases(verdict: Verdict, shown: int) -> Iterator[str]:
    for kind in (*NEVER, *LATE) if shown else ():
        cases = [case for case in verdict.cases if case.kind == kind]
        kinds = Counter(re.sub(r"\b(\w+ \d{4}|[0-9a-f]{24})\b", "…", case.what) for case in cases)
        yield from (f"{count:>6} x {kind}: {what}" for what, count in kinds.most_common())
        for case in cases[:shown]:
            yield f"\n{kind.upper()}: {case.what}"
            yield from (f"    {line}" for line in case.details)
