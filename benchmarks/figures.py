"""What a measurement is, how large it is made, and how it is written down."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

MIB = 1024 * 1024


@dataclass(frozen=True)
class Scale:
    """How much is measured. Budgets are judged at full scale only."""

    starts: int = 11
    rounds: int = 5
    calls: int = 200  # a round
    contacts: int = 10_000
    watchers: int = 1_000
    watched: int = 10  # seconds

    @property
    def full(self) -> bool:
        return self == Scale()


# As many calls as a limit left in place would not let through.
TINY = Scale(starts=1, rounds=1, calls=100, contacts=500, watchers=5, watched=1)


@dataclass(frozen=True)
class Row:
    """One figure; `met` is None where no budget is set."""

    what: str
    budget: str
    measured: str
    met: bool | None = None


def alternate(measures: Sequence[Callable[[], float]], times: int) -> list[list[float]]:
    """Take each measure in turn, `times` over, so that a busy machine is busy for all of them."""
    taken = [[measure() for measure in measures] for _ in range(times)]
    return [list(column) for column in zip(*taken, strict=True)]


def ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of the ratios of values that were measured side by side."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def table(rows: Sequence[Row]) -> str:
    """Write rows as a table."""
    words = {True: "yes", False: "**no**", None: ""}
    lines = ["| what | budget | measured | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.budget} | {row.measured} | {words[row.met]} |" for row in rows]
    return "\n".join(lines)


def machine() -> str:
    """Describe the machine, without its name."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [row for row in info.read_text().splitlines() if row.startswith("model name")]
        cpu = models[0].partition(": ")[2] if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MIB / 1024
    return (
        f"{platform.system()}, {cpu}, {os.cpu_count()} cores, {memory:.0f} GiB; load "
        f"{os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, "
        f"mcp {version('mcp')}"
    )
