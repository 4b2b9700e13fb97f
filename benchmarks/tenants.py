"""Calls a second over HTTP while 32 are in flight, of one tenant and of many in turn."""

import statistics
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice

import anyio
import httpx2

from benchmarks.calls import CALL, HEADERS
from benchmarks.figures import Row, Scale, alternate
from benchmarks.flight import IN_FLIGHT
from benchmarks.stdio import UNLIMITED, environment
from tests.support.process import serving_http, shutdown


def measure(scale: Scale, state: str, url: str) -> list[Row]:
    counts = (1, 64, 1_000) if scale.full else (1, 2, 4)
    env = environment(ATOMS_MCP_STATE=state, ATOMS_API_URL=url, **UNLIMITED)
    with serving_http("--auth", "key", env=env) as (child, mcp_url), shutdown(child):
        # The few are among the many: a process serves a thousand accounts at a time.
        tenants = [[f"sk_bench_{n}" for n in range(count)] for count in counts]
        for keys in tenants:
            anyio.run(_call, mcp_url, keys)  # each key is looked up once, and its account opened
        calls = [list(islice(cycle(keys), max(2 * scale.calls, len(keys)))) for keys in tenants]
        ways = [partial(_rate, mcp_url, keys) for keys in calls]
        rates = [statistics.median(found) for found in alternate(ways, scale.rounds)]
    one, *_, most = rates
    told = ", ".join(f"{rate:.0f}" for rate in rates)
    names = f"{counts[0]}, {counts[1]} and {counts[2]:,} tenants"
    return [
        Row(
            f"calls a second over HTTP, {IN_FLIGHT} in flight, of {names}; most against one",
            "",
            f"{told}; {most / one:.2f} x",
        )
    ]


def _rate(url: str, keys: Sequence[str]) -> float:
    begun = time.perf_counter()
    anyio.run(_call, url, keys)
    return len(keys) / (time.perf_counter() - begun)


async def _call(url: str, keys: Sequence[str]) -> None:
    """Make a call with each of the keys, a new one whenever one is answered."""
    left = iter(keys)
    limits = httpx2.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as http:

        async def calling() -> None:
            for key in left:
                headers = {**HEADERS, "Authorization": f"Bearer {key}"}
                answer = await http.post(url, json=CALL, headers=headers)
                assert "audiences" in answer.text, answer.text

        async with anyio.create_task_group() as tasks:
            for _ in range(IN_FLIGHT):
                tasks.start_soon(calling)
