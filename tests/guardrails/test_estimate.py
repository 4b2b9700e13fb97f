"""The estimate against a simulation in which everything takes as long as it may."""

import heapq

import pytest
from hypothesis import given, settings, strategies as st

from atoms_campaigns_mcp.guardrails.estimate import (
    ASSUMED_SLOTS,
    LONGEST,
    CallLength,
    call_length,
    estimate,
)


def simulated(contacts: int, retries: int, delay: int, slots: int) -> float:
    """Minutes until the last call ends, if nobody ever answers before the longest time."""
    waiting = [(0.0, 0, person) for person in range(contacts)]
    free = [0.0] * slots
    end = 0.0
    while waiting:
        due, dials, person = heapq.heappop(waiting)
        over = max(due, heapq.heappop(free)) + LONGEST / 60
        heapq.heappush(free, over)
        end = max(end, over)
        if dials < retries:
            heapq.heappush(waiting, (over + delay, dials + 1, person))
    return end


@pytest.mark.slow
@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    contacts=st.integers(1, 60),
    retries=st.integers(0, 10),
    delay=st.integers(1, 1440),
    slots=st.integers(1, 30),
)
def test_no_campaign_lasts_longer_than_the_upper_end(
    contacts: int, retries: int, delay: int, slots: int
) -> None:
    found = estimate(contacts, retries, delay, slots)
    assert simulated(contacts, retries, delay, slots) <= found.minutes[1]
    assert 1 <= found.minutes[0] <= found.minutes[1]


def test_one_call_may_last_as_long_as_a_call_may() -> None:
    assert estimate(1, 0, 15, 20).minutes == (1, 4)


def test_dials_range_from_one_each_to_every_retry() -> None:
    assert estimate(100, 3, 15, 20).dials == (100, 400)


def test_retries_and_their_delay_lengthen_the_upper_end_only() -> None:
    without, with_retries = estimate(100, 0, 60, 20), estimate(100, 2, 60, 20)
    assert with_retries.minutes[0] == without.minutes[0]
    assert with_retries.minutes[1] >= without.minutes[1] + 2 * 60


def test_an_unknown_limit_counts_as_a_small_one_and_no_slots_as_one() -> None:
    assert estimate(100, 1, 15, None) == estimate(100, 1, 15, ASSUMED_SLOTS)
    assert estimate(10, 1, 15, 0) == estimate(10, 1, 15, 1)


@pytest.mark.parametrize(
    ("contacts", "retries", "delay", "words"),
    [
        (1, 0, 15, "1 min to 4 min"),
        (100, 0, 15, "2 min to 20 min"),
        (1000, 0, 15, "20 min to 3 h"),
        (10_000, 10, 1440, "4 h to 22 days"),
    ],
)
def test_the_duration_reads_as_a_person_would_say_it(
    contacts: int, retries: int, delay: int, words: str
) -> None:
    assert estimate(contacts, retries, delay, 20).duration == words


@pytest.mark.parametrize(
    ("past", "each", "last"),
    [
        ([], 180, 180),
        ([60.0] * 99, 180, 180),
        ([60.0] * 100, 90, 180),
        ([61.0] * 5 + [130.0] * 95, 135, 180),
        ([400.0] * 6 + [70.0] * 94, 405, 405),
        ([400.0] * 5 + [70.0] * 95, 90, 405),
        ([301.0] * 3, 315, 315),
    ],
)
def test_past_calls_shorten_the_slow_end_only_if_they_are_many(
    past: list[float], each: int, last: int
) -> None:
    assert call_length(past) == CallLength(each, last)
