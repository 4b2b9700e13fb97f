"""Outcomes: a pure function of seed, campaign, contact and attempt."""

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from atoms_campaigns_mcp.sandbox.engine.outcomes import RING, TALK, Chances, Fate, Outcome

weights = st.floats(0, 1e6, allow_nan=False)
all_odds = (
    st.tuples(*[weights] * 5)
    .filter(lambda values: sum(values) > 0)
    .map(lambda values: Odds(**dict(zip(map(str, Outcome), values, strict=True))))
)
numbers = st.integers(0, 100_000)


@given(st.integers(), all_odds, numbers, numbers, numbers)
def test_the_same_dial_always_ends_the_same(
    seed: int, odds: Odds, campaign: int, contact: int, attempt: int
) -> None:
    fate = Chances(seed, odds).fate(campaign, contact, attempt)
    assert fate == Chances(seed, odds).fate(campaign, contact, attempt)
    assert getattr(odds, fate.outcome.value) > 0
    assert RING[fate.outcome].low <= fate.ring <= RING[fate.outcome].high
    if fate.outcome is Outcome.CONNECTED:
        assert TALK.low <= fate.talk <= TALK.high
    else:
        assert fate.talk == 0


@pytest.mark.slow
@given(st.integers(), numbers, numbers)
def test_every_coordinate_matters(seed: int, campaign: int, attempt: int) -> None:
    def fates(*, seed: int = seed, campaign: int = campaign, attempt: int = attempt) -> list[Fate]:
        chances = Chances(seed, Odds())
        return [chances.fate(campaign, contact, attempt) for contact in range(20)]

    assert len(set(fates())) > 1
    assert fates() != fates(seed=seed + 1)
    assert fates() != fates(campaign=campaign + 1)
    assert fates() != fates(attempt=attempt + 1)


def test_frequencies_follow_the_odds() -> None:
    odds = Odds(connected=5, no_answer=2, voicemail=1, busy=1, failed=1)
    chances = Chances(1, odds)
    counted = Counter(chances.fate(1, contact, 0).outcome for contact in range(20_000))
    for outcome in Outcome:
        share = getattr(odds, outcome.value) / 10
        assert abs(counted[outcome] / 20_000 - share) < 0.01


@pytest.mark.parametrize(
    "odds",
    [
        {"connected": -1},
        {"connected": float("nan")},
        dict.fromkeys(("connected", "no_answer", "voicemail", "busy", "failed"), 0),
    ],
)
def test_impossible_odds_are_refused(odds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="odds"):
        Odds(**odds)


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 0},
        {"speed": float("inf")},
        {"org_limit": -1},
        {"foreign_calls": -1},
        {"rate_limit": 0},
    ],
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Options(**options)  # pyright: ignore[reportArgumentType]
