"""How long a campaign takes: a rough range, since nobody knows who will answer."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from atoms_campaigns_mcp.guardrails.cost import percentile

# Seconds a call holds a slot, ours: somebody who does not answer rings for half a minute, a
# conversation is taken to last up to three.
SHORTEST, LONGEST = 30, 180
ASSUMED_SLOTS = 5  # where the limit is unknown: the smallest that any plan of the vendor has had
FEWEST = 100  # calls: fewer make nothing shorter
USUAL, STEP = 95, 15  # the percentile of past calls that counts, and seconds it is rounded up to


@dataclass(frozen=True, slots=True)
class CallLength:
    """Seconds for which calls hold a slot at the slow end: each of many, and the last of all."""

    each: int = LONGEST
    last: int = LONGEST


UNKNOWN = CallLength()


def call_length(took: Iterable[float]) -> CallLength:
    """Return the slow end of calls like those that `took` so many seconds.

    Each is taken to last as long as 95 of 100 did at most, but no less than half of the fixed
    length; fewer than 100 can only make it longer.
    """
    past = list(took)
    if not past:
        return UNKNOWN
    floor = LONGEST / 2 if len(past) >= FEWEST else LONGEST
    usual, longest = max(percentile(past, USUAL), floor), max(*past, LONGEST)
    return CallLength(*(math.ceil(value / STEP) * STEP for value in (usual, longest)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Dials, and minutes from the first to the last call, each as a range."""

    dials: tuple[int, int]
    minutes: tuple[int, int]

    @property
    def duration(self) -> str:
        """Write the range in words."""
        low, high = (_rounded(value) for value in self.minutes)
        return f"about {low}" if low == high else f"{low} to {high}"


def estimate(
    contacts: int,
    max_retries: int,
    retry_delay: int,
    slots: int | None,
    *,
    called: int = 0,
    length: CallLength = UNKNOWN,
) -> Estimate:
    """Estimate for `contacts`, `retry_delay` in minutes and `slots` calls at once.

    Some more have been `called`, and may get retries only. `length` is the slow end of a call.
    """
    at_once = max(slots if slots is not None else ASSUMED_SLOTS, 1)
    most = contacts * (max_retries + 1) + called * max_retries
    low = contacts * SHORTEST / at_once / 60
    # Slots are never idle while somebody waits for one, and no contact waits longer than this.
    one = max_retries * retry_delay + (max_retries + 1) * length.last / 60
    high = most * length.each / at_once / 60 + one
    return Estimate((contacts, most), (max(round(low), 1), _rounded_up(math.ceil(high))))


def _step(minutes: int) -> int:
    """Return the minutes that are worth saying: one, ten, an hour, a day."""
    if minutes < 10:  # noqa: PLR2004
        return 1
    if minutes < 120:  # noqa: PLR2004 - two hours
        return 10
    return 60 if minutes < 48 * 60 else 24 * 60


def _rounded_up(minutes: int) -> int:
    # The end that is told and the duration that is told must agree.
    step = _step(minutes)
    return math.ceil(minutes / step) * step


def _rounded(minutes: int) -> str:
    step = _step(minutes)
    number = round(minutes / step)
    unit = {60: "h", 24 * 60: "days"}.get(step)
    return f"{number} {unit}" if unit else f"{number * step} min"
