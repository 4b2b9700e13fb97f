"""The next start that ends in time for everybody, and the latest: compared with the hours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from atoms_campaigns_mcp.guardrails.facts import ContactFact
from atoms_campaigns_mcp.guardrails.hours import allowed
from atoms_campaigns_mcp.guardrails.policy import Hours
from atoms_campaigns_mcp.guardrails.start_times import start_times
from tests.guardrails.test_checks import CLEAN, NOON

DAY = Hours(8 * 60, 21 * 60)
ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Asia/Kolkata", "UTC")
MINUTE = timedelta(minutes=1)


def people(*zones: str) -> tuple[ContactFact, ...]:
    return tuple(ContactFact(f"+1202555{n:04d}", "US", (zone,)) for n, zone in enumerate(zones))


def test_before_opening_the_next_start_is_the_opening_of_the_zone_that_opens_last() -> None:
    early = replace(
        CLEAN,
        start=NOON.replace(hour=11),  # 06:00 in New York, 03:00 in Los Angeles
        contacts=people("America/New_York", "America/Los_Angeles", "America/New_York"),
    )
    times = start_times(early, DAY, 60)
    assert times is not None
    assert times.first == datetime(2027, 1, 4, 16, tzinfo=UTC)
    assert times.last == datetime(2027, 1, 5, 1, tzinfo=UTC)
    told = times.told()
    assert "2027-01-04T16:00Z (Mon 11:00 America/New_York, Mon 08:00 America/Los_Angeles)" in told
    assert "latest: 2027-01-05T01:00Z (Mon 20:00 America/New_York" in told


def test_a_local_time_that_many_zones_share_is_told_once() -> None:
    eastern = ("America/New_York", "America/Toronto", "America/Detroit", "America/Nassau")
    times = start_times(replace(CLEAN, contacts=people(*eastern, "Pacific/Honolulu")), DAY, 60)
    assert times is not None
    assert (
        times.local(NOON.replace(hour=18))
        == "Mon 13:00 America/Detroit, Mon 08:00 Pacific/Honolulu"
    )


def test_within_the_hours_the_next_start_is_now() -> None:
    times = start_times(replace(CLEAN, contacts=people("Europe/London")), DAY, 60)
    assert times is not None
    assert (times.first, times.last) == (NOON, NOON.replace(hour=20))


def test_a_campaign_longer_than_the_day_has_no_start_that_ends_in_time() -> None:
    assert start_times(replace(CLEAN, contacts=people("UTC")), DAY, 13 * 60) is not None
    assert start_times(replace(CLEAN, contacts=people("UTC")), DAY, 13 * 60 + 1) is None


def test_without_a_known_zone_or_with_all_hours_no_start_is_named() -> None:
    assert start_times(replace(CLEAN, contacts=(ContactFact("+1", "US", ()),)), DAY, 60) is None
    assert start_times(CLEAN, Hours(0, 1440), 60) is None


@pytest.mark.slow
@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=4),
    st.datetimes(datetime(2027, 3, 1), datetime(2027, 11, 30), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 12 * 60),
    st.integers(1, 14 * 60),
    st.integers(1, 12 * 60),
)
def test_both_ends_are_allowed_nothing_earlier_is_and_nothing_later_follows_at_once(
    zones: list[str], start: datetime, opens: int, length: int, minutes: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    hours = Hours(opens, min(opens + length, 1439))
    times = start_times(replace(CLEAN, start=start, contacts=people(*zones)), hours, minutes)
    lasts = timedelta(minutes=minutes)

    def fits(moment: datetime) -> bool:
        return allowed(zones, moment, moment + lasts, hours)

    if times is None:
        tried = [start + timedelta(minutes=10 * step) for step in range(2 * 144)]
        assert not any(map(fits, tried))
        return
    assert times.first >= start
    assert fits(times.first)
    assert fits(times.last)
    assert times.first == start or not fits(times.first - MINUTE)
    assert not fits(times.last + MINUTE)
