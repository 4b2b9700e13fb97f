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


def estimate(contacts: int, max_retries: int, retry_delay: int, slots: int | None) -> Estimate:
    """Estimate for `contacts`, `retry_delay` in minutes and `slots` calls at once."""
    at_once = max(slots if slots is not None else ASSUMED_SLOTS, 1)
    most = contacts * (max_retries + 1)
    low = contacts * SHORTEST / at_once / 60
    # Slots are never idle while somebody waits for one, and no contact waits longer than this.
    one = max_retries * retry_delay + (max_retries + 1) * LONGEST / 60
    high = most * LONGEST / at_once / 60 + one
    return Estimate((contacts, most), (max(round(low), 1), math.ceil(high)))


def _rounded(minutes: int) -> str:
    if minutes < 10:  # noqa: PLR2004 - below, single minutes are worth saying
        return f"{minutes} min"
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{round(minutes, -1)} min"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004 - two days
