"""The arithmetic of pacing, which processes share through a stored due time.

No library: aiolimiter reads the event loop's own clock and keeps its count in the process.
"""

from dataclasses import dataclass

BURST = 1.0  # seconds' worth of requests that may be sent at once
PATIENCE = 8.0  # seconds that a request may queue; a longer queue is reported instead
LONGEST_HOLD = 60.0  # seconds that one 429 may keep everyone waiting


@dataclass(frozen=True, slots=True)
class Slot:
    """A request that wants its turn: `now` in seconds since 1970, the rest in seconds.

    `step` lies between two requests on average, `patience` is the longest that this one waits.
    """

    now: float
    step: float
    patience: float = PATIENCE


def booked(due: float, slot: Slot) -> tuple[float, float]:
    """Return the new due time and this request's delay, by the generic cell rate algorithm.

    A request that would wait longer than its patience does not book, so the due time stays.
    """
    if due > slot.now + LONGEST_HOLD + PATIENCE + BURST:
        due = slot.now  # no queue is that long: a clock was set back
    after = max(due, slot.now) + slot.step
    delay = max(after - slot.now - BURST, 0.0)
    return (after if delay <= slot.patience else due), delay


def held(due: float, now: float, until: float) -> float:
    """Return the due time with which nobody sends before `until`, but not for ever."""
    return max(due, min(until, now + LONGEST_HOLD) + BURST)
