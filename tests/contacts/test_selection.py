"""Choosing contacts: filters, and a sample with its remainder, as rules that hold for any list."""

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.contacts.selection import Candidate, Filters, select, split

DIGITS = st.integers(12025550100, 12025550130).map(str)
SPELLINGS = ["+{}", "{}", "00{}", "tel:+{}", "+{} ", "\u200e+{}"]


def spelled(number: str, form: str) -> str:
    return form.format(number)


NUMBERS = st.one_of(
    st.builds(spelled, DIGITS, st.sampled_from(SPELLINGS)),
    st.sampled_from(["", "12", "call me", "(202) 555-0111"]),
)
ZONES = ["America/New_York", "America/Chicago", "Asia/Kolkata"]
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        NUMBERS,
        st.sampled_from(["", "US", "IN"]),
        st.lists(st.sampled_from(ZONES), max_size=2, unique=True).map(tuple),
    ),
    max_size=30,
)
FILTERS = st.builds(
    Filters,
    st.dictionaries(st.sampled_from(["dnc", "campaign"]), st.frozensets(DIGITS, max_size=8)),
    st.frozensets(st.sampled_from(["US", "IN"])),
    st.frozensets(st.sampled_from(ZONES)),
)


@pytest.mark.slow
@given(CANDIDATES, FILTERS)
def test_each_contact_is_kept_or_left_out_for_one_reason_or_cannot_be_read(
    candidates: list[Candidate], filters: Filters
) -> None:
    found = select(candidates, filters)
    assert len(found.kept) + sum(found.excluded.values()) + found.unread == len(candidates)
    assert list(found.kept) == sorted(set(found.kept))


@pytest.mark.slow
@given(CANDIDATES, FILTERS)
def test_no_number_to_leave_out_is_kept_in_any_spelling_and_none_is_kept_twice(
    candidates: list[Candidate], filters: Filters
) -> None:
    kept = [as_digits(candidates[place].number) for place in select(candidates, filters).kept]
    left_out = {digits for numbers in filters.without.values() for digits in numbers}
    assert not left_out & set(kept)
    assert len(kept) == len(set(kept))
    assert all(kept)


@pytest.mark.slow
@given(CANDIDATES, FILTERS)
def test_only_contacts_surely_in_the_countries_and_zones_are_kept(
    candidates: list[Candidate], filters: Filters
) -> None:
    for place in select(candidates, filters).kept:
        contact = candidates[place]
        assert not filters.countries or contact.country in filters.countries
        assert not filters.time_zones or (
            contact.zones and set(contact.zones) <= set(filters.time_zones)
        )


def test_the_first_reason_wins() -> None:
    filters = Filters({"dnc": {"12025550100"}, "campaign": {"12025550100", "12025550101"}}, {"IN"})
    people = [Candidate("+12025550100", "US"), Candidate("+12025550101", "US")]
    assert select(people, filters).excluded == {"dnc": 1, "campaign": 1}


@pytest.mark.slow
@given(st.lists(DIGITS, unique=True), st.data(), st.binary(min_size=16))
def test_sample_and_remainder_are_disjoint_complete_and_the_same_in_any_order(
    numbers: list[str], data: st.DataObject, key: bytes
) -> None:
    size = data.draw(st.integers(0, len(numbers)))
    shuffled = data.draw(st.permutations(numbers))
    sample, others = split(numbers, size, key)
    again, _ = split([f"+{number}" for number in shuffled], size, key)
    assert len(sample) == size
    assert sorted([*sample, *others]) == list(range(len(numbers)))
    assert {numbers[place] for place in sample} == {shuffled[place] for place in again}


def test_another_key_draws_another_sample() -> None:
    numbers = [f"+1202555{n:04d}" for n in range(500)]
    assert split(numbers, 20, b"one")[0] != split(numbers, 20, b"two")[0]
