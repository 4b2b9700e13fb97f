"""What a person waits for with the API 200 ms away, in simulated time: the same on every machine.

Requests are paced at ten a second, so many of them wait for their turns; measured without a pace
as well, the difference says how much of the time that is.
"""

import tempfile
from pathlib import Path

from benchmarks.figures import Scale
from tests.support.far_away import Taken
from tests.support.lifetime import lifetime

UNPACED = 1000.0  # requests a second


def measure(scale: Scale) -> str:
    """Return a table of the calls of a campaign's life, for a small list and a large one."""
    lists = (200, 9_900) if scale.full else (20, 600)
    lives = [(_life(contacts), _life(contacts, UNPACED)) for contacts in lists]
    head = ["the API 200 ms away", *(f"{contacts:,} contacts" for contacts in lists)]
    rows = [
        [f"`{tool}`{more}", *(_told([paced[what]], [free[what]]) for paced, free in lives)]
        for what in lives[0][0]
        for tool, more in [_named(what)]
    ]
    whole = [_told([*paced.values()], [*free.values()]) for paced, free in lives]
    lines = [head, ["---"] * len(head), *rows, ["all of these calls", *whole]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _life(contacts: int, rate: float | None = None) -> dict[str, Taken]:
    with tempfile.TemporaryDirectory() as state:
        return lifetime(Path(state), contacts, rate=rate)


def _named(what: str) -> tuple[str, str]:
    tool, comma, more = what.partition(",")
    return tool, comma + more


def _told(paced: list[Taken], free: list[Taken]) -> str:
    requests = sum(len(taken.requests) for taken in paced)
    seconds, without = (sum(taken.seconds for taken in life) for life in (paced, free))
    for_turns = f"{max(seconds - without, 0.0):.1f}"
    told = f"{requests} request{'' if requests == 1 else 's'}, {seconds:.1f} s"
    return told if for_turns == "0.0" else f"{told}, {for_turns} s of it for turns"
