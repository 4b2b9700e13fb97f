"""A team on three replicas: one is killed, and Redis restarted, while two hundred clients work.

Real parts on this machine: three server processes behind a round-robin proxy, one Redis that
writes everything to its disk, the emulated API. Clients are of the 2026 era and no connection
serves twice, so every request may reach another replica. It ends with 1 after an answer with
something of another tenant, a start too many, a change without a journal entry, or more polls of
a watched campaign than one watcher causes.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import anyio
import httpx2

sys.path.insert(0, str(Path(__file__).parent.parent))

from atoms_campaigns_mcp.state.journal import Entry
from atoms_campaigns_mcp.state.redis.store import RedisStore
from benchmarks import team
from benchmarks.passing import Made, Passing
from benchmarks.repeating import Repeating
from benchmarks.round_robin import round_robin
from benchmarks.stdio import UNLIMITED
from benchmarks.troubles import Recovery, Scene, make_trouble
from benchmarks.watching import Polled, watch
from tests.support.clients import listening
from tests.support.emulated import emulated
from tests.support.process import environment, serving_http, shutdown
from tests.support.redis import RedisServer, redis_in

REPLICAS = 3
MOST = 100_000  # journal entries that are read
UNRECORDED = "goes ahead without a journal entry"


@dataclass
class Replica:
    """One server process; its log is read all the time, or it would stop."""

    process: Popen[str]
    port: int
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run has shown."""

    load: team.Figures
    seconds: float
    accepted: Counter[Made]
    journal: list[Entry]
    recovery: Recovery
    polled: Polled
    memory: list[float]


@contextmanager
def replica(env: dict[str, str]) -> Generator[Replica]:
    with serving_http("--auth", "key", env=env) as (child, url), shutdown(child) as log:
        port = int(url.removesuffix("/mcp").rpartition(":")[2])
        yield Replica(child.process, port, log)


def settings(folder: Path, redis: RedisServer, upstream: str) -> dict[str, str]:
    return environment(
        folder,
        ATOMS_API_URL=f"{upstream}/atoms/v1",
        ATOMS_MCP_CLIENT_CALLS="2000",
        **UNLIMITED,
    ) | {"ATOMS_MCP_STATE": redis.url, "ATOMS_MCP_SECRET": "one secret of all the replicas here"}


async def troubled(
    scene: Scene, api: str, options: argparse.Namespace
) -> tuple[team.Figures, float, Recovery]:
    recovery, figures = Recovery(), team.Figures()
    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(make_trouble, scene, options.clients, recovery)
        sizes = options.clients, options.tenants
        await team.load(scene.url, api, *sizes, kind=Repeating, figures=figures)
    return figures, time.perf_counter() - began, recovery


async def run(
    folder: Path, origin: str, redis: RedisServer, options: argparse.Namespace
) -> tuple[Seen, list[Replica]]:
    async with AsyncExitStack() as stack:
        unlimited = httpx2.Limits(max_connections=None, keepalive_expiry=1)
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=60, limits=unlimited))
        passing = Passing(origin, http)
        upstream = await stack.enter_async_context(listening(passing))
        env = settings(folder, redis, upstream)
        started = [stack.enter_context(replica(env)) for _ in range(REPLICAS)]
        port = await stack.enter_async_context(round_robin([one.port for one in started]))
        url = f"http://127.0.0.1:{port}/mcp"
        polled = await watch(url, passing, options.watchers, options.wait)
        scene = Scene(url, passing, started[0].process, redis)
        load, seconds, recovery = await troubled(scene, f"{origin}/atoms/v1", options)
        memory = [team.peak(one.process.pid) for one in started[1:]]
        store = RedisStore.open(redis.address)
        journal = await store.journal.entries(MOST)
        await store.close()
        accepted = passing.changes()
    return Seen(load, seconds, accepted, journal, recovery, polled, memory), started


def recorded(entry: Entry) -> Made:
    arguments = json.loads(entry.intent.arguments)
    by_name = entry.intent.tool == "create_campaign"
    return (
        entry.intent.tenant,
        entry.intent.tool,
        arguments.get("name" if by_name else "campaign_id", ""),
    )


def report(seen: Seen, started: list[Replica], clients: int) -> bool:
    """Print the figures; say whether all is as it must be."""
    team.calls(seen.load, seen.seconds, clients)
    lost = seen.accepted - Counter(map(recorded, seen.journal))
    made = Counter(tool for _, tool, _ in seen.accepted.elements())
    twice = [change for change, number in seen.accepted.items() if number > 1]
    yes = sum(seen.load.agreed.values())
    unrecorded = sum(UNRECORDED in line for one in started for line in one.lines)
    why = ", ".join(f"{number} {code}" for code, number in sorted(seen.load.why.items()))
    print(f"repeated: {why or 'nothing'}")
    print(f"accepted by the API: {dict(made)}; {len(seen.journal)} journal entries")
    print(f"{sum(not entry.outcome for entry in seen.journal)} of them without an outcome")
    print(f"{unrecorded} pauses went ahead unrecorded")
    print(
        f"a change {seen.recovery.seconds:.2f} s after Redis was back; it was away "
        f"{seen.recovery.away:.1f} s"
    )
    print(f"peak memory of a replica {max(seen.memory):.0f} MiB")
    print(seen.polled)
    print(
        f"{len(seen.load.wrong)} wrong answers; {made['start_campaign']} starts for {yes} "
        f"times yes; {len(twice)} changes made twice; {lost.total()} lost journal entries"
    )
    for line in [*seen.load.wrong, *map(str, lost), *map(str, twice)][:10]:
        print(line)
    excess = seen.load.started - seen.load.agreed
    return not (seen.load.wrong or lost or twice or excess) and seen.polled.fair


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--wait", type=int, default=45, help="seconds that each watcher waits")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(redis_in(folder))
        origin = stack.enter_context(emulated(folder, speed="1"))
        seen, started = anyio.run(run, folder, origin, redis, options)
    return int(not report(seen, started, options.clients))


if __name__ == "__main__":
    sys.exit(main())
