"""What a campaign will cost, from what this account's own calls have cost."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

FEWEST = 20  # calls: of fewer, the 95th percentile would be the single dearest one
LOW, HIGH = 50, 95  # percentiles of the cost of a call


@dataclass(frozen=True, slots=True)
class OutcomeCost:
    """Calls of one outcome: how many were read, and the percentiles of what one cost."""

    outcome: str
    calls: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What the dials of a campaign cost, and the calls that it is derived from.

    `low` is for the fewest dials at the 50th percentile of each outcome, `high` for the most dials
    at the 95th; the outcomes are taken to be as frequent as they were.
    """

    low: float
    high: float
    calls: int
    outcomes: tuple[OutcomeCost, ...]


def estimate_cost(past: Iterable[tuple[str, float]], dials: tuple[int, int]) -> CostEstimate | None:
    """Estimate for the fewest and the most `dials` from past calls: outcome and cost of each.

    None if there are fewer than 20, which say too little.
    """
    costs: dict[str, list[float]] = {}
    for outcome, cost in past:
        costs.setdefault(outcome, []).append(cost)
    calls = sum(map(len, costs.values()))
    if calls < FEWEST:
        return None
    outcomes = tuple(
        OutcomeCost(outcome, len(of), percentile(of, LOW), percentile(of, HIGH))
        for outcome, of in sorted(costs.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    low, high = (
        number * sum(row.calls * cost for row, cost in zip(outcomes, each, strict=True)) / calls
        for number, each in (
            (dials[0], [row.low for row in outcomes]),
            (dials[1], [row.high for row in outcomes]),
        )
    )
    return CostEstimate(low, high, calls, outcomes)


def percentile(values: Iterable[float], rank: int) -> float:
    """Return the smallest of the values that at least `rank` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(rank / 100 * len(ordered)), 1) - 1]
