"""Which difference between the connect rates of campaigns is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Literal

FLOOR = 30
"""Contacts called, below which a campaign is not compared.

The 95% interval of a share near one half is then 34 points wide, so that only differences of
about a quarter or more could be told from chance, and a first handful of calls is rarely like the
rest of a list: whoever picks up at once, or the first rows of a sorted file.
"""
LEVEL = 0.95  # of all intervals of one comparison together

Verdict = Literal["more_than_chance", "within_chance", "not_enough_calls"]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the contacts called were connected."""

    connected: int
    called: int

    @property
    def rate(self) -> float:
        """The share, 0 to 1; of nobody it is 0."""
        return self.connected / self.called if self.called else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """The first campaign's rate less the second's, with its interval; shares from -1 to 1."""

    first: int
    second: int
    difference: float
    low: float
    high: float
    verdict: Verdict


def interval(share: Share, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's score interval of a share; from 0 to 1 where nobody was called."""
    if not share.called:
        return 0.0, 1.0
    z, n, rate = _z(level), share.called, share.rate
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # Rounding may leave the share itself outside by the last digit.
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))


def difference(first: Share, second: Share, level: float = LEVEL) -> tuple[float, float]:
    """Return Newcombe's hybrid score interval of the first share less the second."""
    (low, high), (other_low, other_high) = interval(first, level), interval(second, level)
    gap = first.rate - second.rate
    below = sqrt((first.rate - low) ** 2 + (other_high - second.rate) ** 2)
    above = sqrt((high - first.rate) ** 2 + (second.rate - other_low) ** 2)
    return max(-1.0, gap - below), min(1.0, gap + above)


def compared(shares: Sequence[Share]) -> list[Difference]:
    """Compare each with each, in order.

    The more pairs, the wider the intervals (Bonferroni): all of them hold together at `LEVEL`, so
    that five equal campaigns do not look different because ten pairs were tried.
    """
    pairs = list(combinations(range(len(shares)), 2))
    level = 1 - (1 - LEVEL) / max(len(pairs), 1)
    found = list[Difference]()
    for first, second in pairs:
        one, other = shares[first], shares[second]
        low, high = difference(one, other, level)
        verdict: Verdict = "within_chance" if low <= 0 <= high else "more_than_chance"
        if min(one.called, other.called) < FLOOR:
            verdict = "not_enough_calls"
        found.append(Difference(first, second, one.rate - other.rate, low, high, verdict))
    return found


def _z(level: float) -> float:
    return NormalDist().inv_cdf(1 - (1 - level) / 2)
