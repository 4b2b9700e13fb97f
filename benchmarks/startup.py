"""From spawn to the reply of tools/list, the first call after it, and the memory it takes."""

import re
import statistics
import sys
import time
from functools import partial
from pathlib import Path

from benchmarks.figures import Row, Scale, alternate, ratio
from benchmarks.stdio import Server, environment, start_up, started

OURS = (sys.executable, "-m", "atoms_campaigns_mcp")
BARE = (sys.executable, "-m", "benchmarks.bare")
MOST = 0.30
LATER = 50.0  # milliseconds
SETTLED = 1.0  # seconds after which a person may have typed something
MEMORY = 70  # MiB, idle
FEW, MANY = 20, 1_000  # calls
TOOL = "list_audiences"


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
        ),
        *_first_calls(scale, env),
    ]


def _first_calls(scale: Scale, env: dict[str, str]) -> list[Row]:
    """Call a tool of the sandbox a second after the start, and see what the memory becomes."""
    extra, idle, used = list[float](), list[float](), list[float]()
    for _ in range(scale.rounds):
        with started(OURS, {**env, "ATOMS_MCP_RATE": "1000000"}) as server:
            server.listed()
            time.sleep(SETTLED)
            idle.append(_memory(server))
            first = server.called(TOOL)
            later = [server.called(TOOL) for _ in range(MANY if scale.full else FEW)]
            extra.append((first - statistics.median(later[:FEW])) * 1000)
            used.append(_memory(server))
    more, rest, then = map(statistics.median, (extra, idle, used))
    return [
        Row(
            "first tool call, 1 s after the reply, beyond a later one",
            f"{LATER:.0f} ms",
            f"{more:.0f} ms",
            more <= LATER,
        ),
        Row("memory, idle", f"{MEMORY} MiB", f"{rest:.0f} MiB", rest <= MEMORY),
        Row("memory after 1,000 calls", "", f"{then:.0f} MiB"),
    ]


def _memory(server: Server) -> float:
    """Return the MiB of memory that the process holds, on Linux."""
    status = Path(f"/proc/{server.process.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0
