"""Calling hours against an oracle that looks at the wall clock minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from atoms_campaigns_mcp.guardrails import hours
from atoms_campaigns_mcp.guardrails.policy import DEFAULT_HOURS, Hours

DAY = 24 * 60
MINUTE = timedelta(minutes=1)
ALL_DAY = Hours(0, DAY)
# Half and quarter hours, both hemispheres, clocks that change at midnight, at one, by half an hour.
ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Sao_Paulo",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
# Moments (UTC) at which clocks change in one of them.
CHANGES = (
    datetime(2027, 3, 14, 7, tzinfo=UTC),  # New York, an hour is left out
    datetime(2027, 11, 7, 6, tzinfo=UTC),  # New York, an hour comes twice
    datetime(2027, 3, 28, 1, tzinfo=UTC),  # London
    datetime(2027, 10, 31, 1, tzinfo=UTC),
    datetime(2027, 9, 5, 4, tzinfo=UTC),  # Santiago, at midnight
    datetime(2027, 4, 4, 3, tzinfo=UTC),
    datetime(2027, 3, 14, 5, tzinfo=UTC),  # Havana, at midnight
    datetime(2027, 11, 7, 5, tzinfo=UTC),
    datetime(2027, 10, 2, 15, 30, tzinfo=UTC),  # Lord Howe, by half an hour
)


def by_the_clock(zones: tuple[str, ...], start: datetime, end: datetime, window: Hours) -> bool:
    """Step through the span and look at every minute's own wall clock, and at the day's change."""
    if window == ALL_DAY:
        return True
    for zone in zones:
        moment = start
        day = start.astimezone(ZoneInfo(zone)).date()
        while moment < end:
            local = moment.astimezone(ZoneInfo(zone))
            minute = local.hour * 60 + local.minute
            if local.date() != day or minute < window.start or minute >= window.end:
                return False
            moment += timedelta(minutes=1)
    return True


@st.composite
def windows(draw: st.DrawFn) -> Hours:
    start = draw(st.integers(0, DAY - 1))
    return Hours(start, draw(st.integers(start + 1, DAY)))


@st.composite
def starts(draw: st.DrawFn) -> datetime:
    """Any minute of two years, or one near a change of the clocks."""
    if draw(st.booleans()):
        return datetime(2027, 1, 1, tzinfo=UTC) + draw(st.integers(0, 2 * 365 * DAY)) * MINUTE
    return draw(st.sampled_from(CHANGES)) + draw(st.integers(-200, 200)) * MINUTE


@pytest.mark.slow
@settings(max_examples=1000, derandomize=True, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
    start=starts(),
    minutes=st.integers(1, 150),
    window=st.one_of(st.just(DEFAULT_HOURS), st.just(ALL_DAY), windows()),
)
@example(  # Clocks go from 02:00 to 03:00: there is no 02:30 at which calling could end.
    zones=("America/New_York",),
    start=datetime(2027, 3, 14, 6, 30, tzinfo=UTC),
    minutes=45,
    window=Hours(0, 150),
)
@example(  # Clocks go from 02:00 back to 01:00: 01:10 comes again, and is before 01:30.
    zones=("America/New_York",),
    start=datetime(2027, 11, 7, 6, 10, tzinfo=UTC),
    minutes=10,
    window=Hours(90, 1260),
)
def test_a_span_is_allowed_if_every_minute_of_it_is_within_the_hours(
    zones: tuple[str, ...], start: datetime, minutes: int, window: Hours
) -> None:
    end = start + minutes * MINUTE
    assert hours.allowed(zones, start, end, window) == by_the_clock(zones, start, end, window)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


@pytest.mark.parametrize(
    ("zones", "allowed"),
    [
        (("America/New_York",), True),  # 10:00
        (("America/Los_Angeles",), False),  # 07:00
        (("America/New_York", "America/Los_Angeles"), False),
        (("America/Los_Angeles", "America/New_York"), False),
    ],
)
def test_somebody_who_may_be_in_several_zones_counts_as_in_the_strictest(
    zones: tuple[str, ...], *, allowed: bool
) -> None:
    start = utc("2027-01-04T15:00")
    assert hours.allowed(zones, start, start + MINUTE, DEFAULT_HOURS) is allowed


@pytest.mark.parametrize(
    ("start", "minutes", "allowed"),
    [
        ("2027-01-04T07:59", 1, False),
        ("2027-01-04T08:00", 1, True),
        ("2027-01-04T20:00", 60, True),
        ("2027-01-04T20:00", 61, False),
        ("2027-01-04T21:00", 1, False),
        ("2027-01-04T20:59", 11 * 60 + 2, False),
        ("2027-01-04T12:00", DAY, False),
        ("2027-01-04T12:00", 3 * DAY, False),
    ],
)
def test_the_whole_span_counts_and_its_end_may_be_the_end_of_the_hours(
    start: str, minutes: int, *, allowed: bool
) -> None:
    first = utc(start)
    assert hours.allowed(("UTC",), first, first + minutes * MINUTE, DEFAULT_HOURS) is allowed


@pytest.mark.parametrize(
    ("minutes", "allowed"), [(30, True), (31, False)], ids=["to midnight", "past midnight"]
)
def test_calling_may_end_at_midnight_but_not_after_it(minutes: int, *, allowed: bool) -> None:
    start = utc("2027-01-04T23:30")
    evening = Hours(8 * 60, DAY)
    assert hours.allowed(("UTC",), start, start + minutes * MINUTE, evening) is allowed


@pytest.mark.parametrize("days", [0, 1, 30])
def test_all_day_allows_every_span_however_long(days: int) -> None:
    start = utc("2027-01-04T03:00")
    end = start + timedelta(days=days, minutes=1)
    assert hours.allowed(ZONES, start, end, ALL_DAY)
