"""However a number is written and whatever the default region, it never becomes another number.

`tests/contacts/numbers/number_grid.py` says what the grid holds and what must hold in it.
"""

from collections import Counter
from random import Random

import pytest

from tests.contacts.numbers.number_grid import (
    ANOTHER,
    DEFAULTS,
    anywhere,
    at_home,
    by_region,
    columns,
    originals,
    outcome,
    outcomes,
    sample,
)

MANY = 80_000  # some 15 seconds; scripts/numbers reads all


def wrong(count: int, seed: int) -> list[str]:
    return [str(trial) for trial in sample(count, seed) if outcome(trial) == ANOTHER]


@pytest.mark.slow
def test_no_way_of_writing_makes_a_number_another_one() -> None:
    assert wrong(MANY, 15) == []


@pytest.mark.slow
def test_no_column_of_one_countrys_numbers_becomes_numbers_of_another() -> None:
    rng = Random(16)  # noqa: S311 - which columns does not matter, that they repeat does
    groups = list(by_region(originals()).values())
    for _ in range(80):
        for column in columns(rng.choice(groups), [rng.choice(DEFAULTS)]):
            assert ANOTHER not in outcomes(column), column[0]


@pytest.mark.slow
def test_what_tells_its_country_is_read_and_not_refused() -> None:
    found: Counter[str] = Counter()
    for trial in sample(4_000, 17):
        if trial.way.startswith(("+", "00")):
            found[outcome(trial)] += 1
    # The others are premium-rate numbers, short codes and examples such as 123456789.
    assert found["right"] > 0.8 * found.total()


@pytest.mark.slow
def test_the_grid_holds_every_country_and_the_ways_of_writing_that_once_failed() -> None:
    numbers = originals()
    assert len({original.region for original in numbers}) > 200
    indian = next(o for o in numbers if o.region == "IN")
    assert {"00", "no plus", "no plus, .0", "trunk prefix before the code"} <= set(anywhere(indian))
    assert {"national", "own trunk prefix before the code"} <= set(at_home(indian))
