"""How long a campaign takes: a rough range, since nobody knows who will answer."""

import math
from dataclasses import dataclass

# Seconds a call holds a slot, ours: somebody who does not answer rings for half a minute, a
# conversation is taken to last up to three.
SHORTEST, LONGEST = 30, 180
ASSUMED_SLOTS = 5  # where the limit is unknown: the smallest that any plan of the vendor has had


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
    contacts: int, max_retries: int, retry_delay: int, slots: int | None, *, called: int = 0
) -> Estimate:
    """Estimate for `contacts`, `retry_delay` in minutes and `slots` calls at once.

    Some more have been `called`, and may get retries only.
    """
    at_once = max(slots if slots is not None else ASSUMED_SLOTS, 1)
    most = contacts * (max_retries + 1) + called * max_retries
    low = contacts * SHORTEST / at_once / 60
    # Slots are never idle while somebody waits for one, and no contact waits longer than this.
    one = max_retries * retry_delay + (max_retries + 1) * LONGEST / 60
    high = most * LONGEST / at_once / 60 + one
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
