"""Calls a second over stdio while 32 are in flight: our server against a bare one on the SDK."""

import json
import statistics
import time
from functools import partial
from typing import Any

from benchmarks.calls import TOOL
from benchmarks.figures import Row, Scale, alternate
from benchmarks.startup import BARE, OURS
from benchmarks.stdio import UNLIMITED, Server, environment, started
from benchmarks.upstream import KEY

IN_FLIGHT = 32
LEAST = 2.0


def rate(server: Server, calls: int, tool: str = TOOL) -> float:
    """Make calls, a new one whenever one is answered; return how many a second there were."""
    params: dict[str, Any] = {"name": tool, "arguments": {}}
    assert server.process.stdout is not None
    begun = time.perf_counter()
    for number in range(IN_FLIGHT):
        server.send("tools/call", id=f"flight {number}", params=params)
    answered = 0
    while answered < calls:
        answer = json.loads(server.process.stdout.readline())
        if "id" not in answer:
            continue
        assert not answer["result"].get("isError"), answer
        answered += 1
        if answered + IN_FLIGHT <= calls:
            server.send("tools/call", id=f"flight {answered + IN_FLIGHT}", params=params)
    return calls / (time.perf_counter() - begun)


def measure(scale: Scale, state: str, url: str) -> list[Row]:
    env = environment(ATOMS_MCP_STATE=state, SMALLEST_API_KEY=KEY, ATOMS_API_URL=url, **UNLIMITED)
    with started(OURS, env) as ours, started([*BARE, url], environment()) as bare:
        for server in (ours, bare):
            server.listed()
        ways = [partial(rate, server, 2 * scale.calls) for server in (ours, bare)]
        alternate(ways, 1)
        mine, theirs = alternate(ways, scale.rounds)
    times = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    each = [statistics.median(values) for values in (mine, theirs)]
    return [
        Row(
            f"calls a second over stdio, {IN_FLIGHT} in flight, against a bare SDK tool",
            f"more than {LEAST:.0f} x",
            f"{times:.2f} x ({each[0]:.0f}, {each[1]:.0f})",
            times > LEAST,
        )
    ]
