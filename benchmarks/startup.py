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
STANDSTILL = 1.0  # seconds without work after which a server is idle
LONGEST = 60  # such waits
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
    soon, prepared, idle, used = (list[float]() for _ in range(4))
    env = {**env, "ATOMS_MCP_RATE": "1000000"}
    for _ in range(scale.rounds):
        with started(OURS, env) as server:
            server.listed()
            time.sleep(SETTLED)
            soon.append(_first_beyond_later(server, FEW))
        with started(OURS, env) as server:
            server.listed()
            _rest(server)
            idle.append(_memory(server))
            prepared.append(_first_beyond_later(server, MANY if scale.full else FEW))
            used.append(_memory(server))
    more, ready, rest, then = map(statistics.median, (soon, prepared, idle, used))
    return [
        Row(
            "first tool call, 1 s after the reply, beyond a later one",
            f"{LATER:.0f} ms",
            f"{more:.0f} ms",
            more <= LATER,
        ),
        Row(
            "the same, once all is imported",
            f"{LATER:.0f} ms",
            f"{ready:.0f} ms",
            ready <= LATER,
        ),
        Row("memory, idle", f"{MEMORY} MiB", f"{rest:.0f} MiB", rest <= MEMORY),
        Row("memory after 1,000 calls", "", f"{then:.0f} MiB"),
    ]


def _first_beyond_later(server: Server, later: int) -> float:
    """Return the milliseconds that a first call takes beyond the median of some later ones."""
    first, *others = (server.called(TOOL) for _ in range(1 + later))
    return (first - statistics.median(others[:FEW])) * 1000


def _rest(server: Server) -> None:
    """Wait until the process does nothing any more, on Linux; there is much to import."""
    before = -1
    for _ in range(LONGEST):
        time.sleep(STANDSTILL)
        now = _ticks(server)
        if now == before:
            return
        before = now


def _ticks(server: Server) -> int:
    """Return the processor time that the process has taken, in ticks of the system."""
    found = Path(f"/proc/{server.process.pid}/stat")
    if not found.exists():
        return 0
    fields = found.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # in itself, and in the system for it


def _memory(server: Server) -> float:
    """Return the MiB of memory that the process holds, on Linux."""
    status = Path(f"/proc/{server.process.pid}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0
