"""Another MCP server for the same API beside ours, on the same upstream."""

import json
import shlex
import statistics
from functools import partial

from benchmarks.calls import TOOL, median_of
from benchmarks.figures import Scale, alternate
from benchmarks.flight import IN_FLIGHT, rate
from benchmarks.startup import OURS
from benchmarks.stdio import UNLIMITED, environment, start_up, started
from benchmarks.upstream import KEY


def measure(scale: Scale, state: str, url: str, command: str, tool: str) -> str:
    """Measure `command`, which reads ATOMS_API_KEY and ATOMS_API_URL; `tool` lists audiences."""
    both = environment(ATOMS_API_KEY=KEY, ATOMS_API_URL=url)
    env = {**both, "ATOMS_MCP_STATE": state, **UNLIMITED}
    words = shlex.split(command)
    starts = alternate([partial(start_up, OURS, env), partial(start_up, words, both)], scale.starts)
    with started(OURS, env) as ours, started(words, both) as theirs:
        replies = [server.listed() for server in (ours, theirs)]
        ways = [partial(ours.called, TOOL), partial(theirs.called, tool)]
        alternate(ways, 3)
        calls = alternate([partial(median_of, way, scale.calls) for way in ways], scale.rounds)
        flights = [
            partial(rate, ours, 2 * scale.calls),
            partial(rate, theirs, 2 * scale.calls, tool),
        ]
        rates = [statistics.median(found) for found in alternate(flights, scale.rounds)]
    counts = [len(json.loads(reply)["result"]["tools"]) for reply in replies]
    starts_ms, calls_ms = ([statistics.median(c) * 1000 for c in t] for t in (starts, calls))
    rows = [
        ["spawn to `tools/list` reply", *(f"{ms:.0f} ms" for ms in starts_ms)],
        ["tools", *map(str, counts)],
        ["`tools/list` reply", *(f"{len(reply):,} bytes" for reply in replies)],
        ["a call that lists audiences, p50", *(f"{ms:.2f} ms" for ms in calls_ms)],
        [f"calls a second, {IN_FLIGHT} in flight", *(f"{found:.0f}" for found in rates)],
    ]
    head = ["| what | this server | the other |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])
