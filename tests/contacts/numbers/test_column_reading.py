"""The column decides how its numbers are read, and asks where it does not."""

from collections.abc import Sequence

import pytest

from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError, Reason
from atoms_campaigns_mcp.contacts.numbers.column_reading import (
    AmbiguousColumnError,
    ColumnReading,
    Reading,
    read_column,
)

EITHER = "15125550143"  # a number of Germany, and of Texas
ARKANSAS = "4792345678"  # a number of the USA, and of Norway
BRITISH = "447400123456"


def read(cells: Sequence[str], region: str | None) -> ColumnReading:
    return read_column(cells, [region] * len(cells))


def told(column: ColumnReading) -> list[str | Reason]:
    """Numbers, and reasons of what was refused."""
    return [r.reason if isinstance(r, BadNumberError) else r.number for r in column.readings]


def test_a_column_that_can_be_read_in_two_ways_is_asked_about_with_both_counts() -> None:
    with pytest.raises(AmbiguousColumnError) as ambiguous:
        read([EITHER, "15125550144", "+919876543210"], "DE")
    assert (ambiguous.value.national, ambiguous.value.international) == (2, 2)


def test_numbers_of_abroad_decide_for_those_that_could_be_either() -> None:
    column = read([ARKANSAS, BRITISH], "US")
    assert told(column) == ["+4792345678", "+447400123456"]
    assert column.convention == "international"


def test_numbers_of_the_country_decide_for_those_that_could_be_either() -> None:
    column = read([ARKANSAS, "2025550143"], "US")
    assert told(column) == ["+14792345678", "+12025550143"]
    assert column.convention == "national"


def test_a_few_rows_do_not_decide_for_many() -> None:
    with pytest.raises(AmbiguousColumnError):
        read([f"47923456{last:02}" for last in range(50)] + ["2025550143"], "US")


def test_in_a_mixed_column_what_is_or_could_be_international_is_refused() -> None:
    column = read([ARKANSAS, BRITISH, "(202) 555-0143", "+919876543210"], "US")
    assert told(column) == [
        Reason.TWO_READINGS,
        Reason.NO_PLUS,
        "+12025550143",
        "+919876543210",
    ]
    assert column.mixed


def test_a_trunk_prefix_elsewhere_says_nothing_for_a_number_without_one() -> None:
    berlin = [f"030 123456{last}" for last in range(10, 30)]
    column = read([EITHER, *berlin], "DE")
    assert told(column)[:2] == [Reason.TWO_READINGS, "+493012345610"]
    with pytest.raises(AmbiguousColumnError):
        read([EITHER] * 5 + berlin, "DE")


@pytest.mark.parametrize(("region", "number"), [("+", "+15125550143"), ("+49", "+4915125550143")])
def test_the_caller_can_decide(region: str, number: str) -> None:
    assert told(read([EITHER], region)) == [number]


def test_each_row_is_read_by_its_own_country() -> None:
    cells = ["7400123456", "9876543210", "2025550143"]
    column = read_column(cells, ["+44", "IN", "US"])
    assert told(column) == ["+447400123456", "+919876543210", "+12025550143"]


@pytest.mark.parametrize(
    ("text", "region"),
    [("15 1234-5678", "AR"), ("07400 12345", "GB"), ("+1 202 055 0143", None)],
)
def test_what_is_possible_but_not_assigned_is_doubtful(text: str, region: str | None) -> None:
    (reading,) = read([text], region).readings
    assert isinstance(reading, Reading)
    assert reading.doubtful


@pytest.mark.parametrize(
    "number",
    [
        "+12025550143",
        "+15555550100",
        "+447700900123",
        "+441632960123",
        "+441154960123",
        "+442079460958",
        "+33639981234",
        "+353209110123",
        "+61491570156",
        "+4915228817386",
    ],
)
def test_numbers_published_as_examples_are_not_doubtful(number: str) -> None:
    assert read([number], None).readings == (Reading(number),)


def test_a_countrys_code_is_not_put_before_itself_and_a_column_leaves_no_doubt() -> None:
    stuttgart = "49711264120"  # could be a number of Lower Saxony, 04971 1264120
    (alone,) = read([stuttgart], "DE").readings
    assert isinstance(alone, Reading)
    assert alone.number == "+49711264120"
    assert alone.doubtful
    column = read([stuttgart, "4915112345678"], "DE")
    assert column.readings == (Reading("+49711264120"), Reading("+4915112345678"))


def test_a_digit_missing_among_numbers_with_their_code_is_no_area_code_that_looks_like_it() -> None:
    leer = "491511234567"  # a number of Leer (0491), or a mobile that lacks a digit
    column = read([leer, "4915112345678"], "DE")
    assert told(column) == [Reason.TWO_READINGS, "+4915112345678"]
    assert told(read([leer, "3012345678"], "DE")) == ["+49491511234567", "+493012345678"]


def test_digits_that_are_too_many_for_a_national_number_are_never_read_as_one() -> None:
    stuttgart, german = "711264120", [f"3012345{last}" for last in range(100, 103)]
    column = read([stuttgart, *german, BRITISH], "DE")
    assert told(column)[-1] is Reason.NO_PLUS


def test_national_numbers_with_and_without_their_country_code_stand_in_one_column() -> None:
    column = read(["9876543210", "919876543211", "098765 43212"], "IN")
    assert told(column) == ["+919876543210", "+919876543211", "+919876543212"]
    assert not column.mixed


def test_a_single_undecided_row_does_not_hold_up_a_list_that_is_clear() -> None:
    column = read([EITHER, *(f"+9198765432{last}" for last in range(10, 40))], "DE")
    assert told(column)[0] is Reason.TWO_READINGS
    assert len([r for r in column.readings if isinstance(r, Reading)]) == 30


def test_nothing_of_a_number_is_in_a_reason_or_in_what_a_log_would_show() -> None:
    column = read([BRITISH, "(202) 555-0143", "+919876543210"], "US")
    assert not any(char.isdigit() for char in repr(column).replace("readings=", ""))
