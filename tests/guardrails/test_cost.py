"""What a campaign will cost, from calls of the past."""

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.guardrails.cost import estimate_cost, percentile

COSTS = st.lists(
    st.tuples(st.sampled_from(["completed", "no_answer"]), st.floats(0, 5)), min_size=20
)


def test_fewer_than_twenty_calls_say_nothing() -> None:
    assert estimate_cost([("completed", 0.1)] * 19, (1, 1)) is None
    assert estimate_cost([("completed", 0.1)] * 20, (1, 1)) is not None


def test_the_range_goes_from_the_usual_cost_of_the_fewest_dials_to_the_dear_one_of_the_most() -> (
    None
):
    talked = [("completed", cost / 100) for cost in range(1, 21)]  # 0.01 to 0.20
    found = estimate_cost([*talked, *[("no_answer", 0.0)] * 20], (100, 200))
    assert found is not None
    assert [(row.outcome, row.calls, row.low, row.high) for row in found.outcomes] == [
        ("completed", 20, 0.10, 0.19),
        ("no_answer", 20, 0.0, 0.0),
    ]
    assert (found.low, found.high) == (pytest.approx(5.0), pytest.approx(19.0))
    assert found.calls == 40


@pytest.mark.slow
@given(COSTS, st.integers(0, 1000), st.integers(0, 1000))
def test_more_dials_never_cost_less_and_the_high_end_is_never_below_the_low(
    past: list[tuple[str, float]], few: int, more: int
) -> None:
    one = estimate_cost(past, (few, few + more))
    dearest = max(cost for _, cost in past)
    assert one is not None
    assert 0 <= one.low <= one.high + 1e-9
    assert one.high <= (few + more) * dearest + 1e-6


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_one_of_the_values_and_enough_of_them_do_not_exceed_it(
    values: list[int], rank: int
) -> None:
    found = percentile(values, rank)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= rank * len(values)
