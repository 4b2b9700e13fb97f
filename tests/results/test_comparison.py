"""Differences of connect rates: the intervals, and when they are more than chance."""

import random
from math import comb

import pytest
from hypothesis import example, given, strategies as st

from atoms_campaigns_mcp.results.comparison import FLOOR, Share, compared, difference, interval


@st.composite
def shares(draw: st.DrawFn, least: int = 0) -> Share:
    called = draw(st.integers(least, 20_000))
    return Share(draw(st.integers(0, called)), called)


@given(shares())
def test_the_interval_of_a_share_holds_it_and_stays_between_0_and_1(share: Share) -> None:
    low, high = interval(share)
    assert 0 <= low <= share.rate <= high <= 1


@given(shares(least=1), shares(least=1))
@example(Share(0, 1), Share(17, 17))
def test_the_interval_of_a_difference_holds_it_and_turns_with_the_order(
    first: Share, second: Share
) -> None:
    low, high = difference(first, second)
    assert -1 <= low <= first.rate - second.rate <= high <= 1
    assert difference(second, first) == pytest.approx((-high, -low))


@given(shares(least=FLOOR))
def test_what_is_equal_never_differs_by_more_than_chance(share: Share) -> None:
    assert {one.verdict for one in compared([share] * 4)} == {"within_chance"}


@pytest.mark.slow
@given(st.lists(shares(), min_size=2, max_size=5))
def test_each_pair_is_compared_once_and_too_few_calls_are_never_a_finding(
    found: list[Share],
) -> None:
    pairs = compared(found)
    assert len({(one.first, one.second) for one in pairs}) == len(pairs) == comb(len(found), 2)
    for one in pairs:
        few = min(found[one.first].called, found[one.second].called) < FLOOR
        assert (one.verdict == "not_enough_calls") == few
        assert (one.verdict == "more_than_chance") <= (one.low > 0 or one.high < 0)


@pytest.mark.slow
@given(st.lists(shares(least=FLOOR), min_size=2, max_size=4), shares(least=FLOOR))
@example([Share(0, 123), Share(151, 151)], Share(0, 30))
def test_another_campaign_beside_them_never_makes_a_difference_clearer(
    found: list[Share], more: Share
) -> None:
    few = {(d.first, d.second): d for d in compared(found)}
    many = {(d.first, d.second): d for d in compared([*found, more])}
    for pair, one in few.items():
        assert many[pair].low <= one.low
        assert one.high <= many[pair].high


# Newcombe, Statistics in Medicine 17 (1998), table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "bounds"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_is_the_one_that_newcombe_published(
    first: tuple[int, int], second: tuple[int, int], bounds: tuple[float, float]
) -> None:
    assert difference(Share(*first), Share(*second)) == pytest.approx(bounds, abs=1e-4)


def test_of_campaigns_with_the_same_rate_few_are_told_apart() -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    found = 0
    for _ in range(400):
        rate = draw.uniform(0.1, 0.9)
        sample = [Share(sum(draw.random() < rate for _ in range(80)), 80) for _ in range(5)]
        found += any(one.verdict == "more_than_chance" for one in compared(sample))
    assert found <= 400 * 0.08
