"""Spawn to the reply of tools/list: our server against a bare one on the same SDK."""

import statistics
import sys
from functools import partial

from benchmarks.figures import Row, Scale, alternate, ratio
from benchmarks.stdio import environment, start_up

OURS = (sys.executable, "-m", "atoms_campaigns_mcp")
BARE = (sys.executable, "-m", "benchmarks.bare")
MOST = 1.10


def measure(scale: Scale, state: str) -> list[Row]:
    env = environment(ATOMS_MCP_STATE=state)
    ours, bare = partial(start_up, OURS, env), partial(start_up, BARE, env)
    if scale.full:
        alternate([ours, bare], 1)  # compiles what is new
    mine, theirs = alternate([ours, bare], scale.starts)
    times = ratio(mine, theirs)
    medians = [statistics.median(values) * 1000 for values in (mine, theirs)]
    return [
        Row(
            "spawn to `tools/list` reply, against a bare server on the same SDK",
            f"{MOST:.2f} x",
            f"{times:.2f} x ({medians[0]:.0f} ms, {medians[1]:.0f} ms)",
            times <= MOST,
        )
    ]
