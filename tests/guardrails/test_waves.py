"""Waves against an account that dials them as slowly as it may, over random lists and clocks."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from atoms_campaigns_mcp.guardrails.estimate import estimate
from atoms_campaigns_mcp.guardrails.policy import Hours
from atoms_campaigns_mcp.guardrails.waves.sizes import Waves, split
from atoms_campaigns_mcp.guardrails.windows import EVERY_DAY, Window, unusual
from tests.guardrails.dialling import check

MONDAY = date(2027, 1, 4)
BEFORE = datetime(2026, 12, 1, tzinfo=UTC)
NEW_YORK, CHICAGO, KOLKATA = "America/New_York", "America/Chicago", "Asia/Kolkata"


def waves_of(
    contacts: list[tuple[str, ...]],
    first: date = MONDAY,
    hours: tuple[int, int] = (10 * 60, 13 * 60),
    weekdays: frozenset[int] = EVERY_DAY,
    *,
    days: int = 31,
    retries: int = 0,
    delay: int = 15,
    slots: int = 20,
    after: datetime = BEFORE,
    most: int = 50,
) -> Waves:
    return split(
        contacts,
        Window(first, days, Hours(*hours), weekdays),
        after=after,
        minutes=lambda count: estimate(count, retries, delay, slots).minutes[1],
        most=most,
    )


def starts(found: Waves) -> list[str]:
    """Write each start as the clock of the wave's first zone shows it."""
    return [
        wave.start.astimezone(ZoneInfo(wave.zones[0])).strftime("%Y-%m-%d %H:%M")
        for wave in found.waves
    ]


@pytest.mark.slow
def test_of_ten_thousand_lists_nobody_is_lost_and_everybody_is_called_by_day() -> None:
    left = Counter[str]()
    waves = 0
    for seed in range(10_000):
        found = check(seed)
        waves += len(found.waves)
        left.update(found.left.keys())
    # The lists are worth something only if all of this comes up in them.
    assert waves > 10_000
    assert set(left) == {"unknown_zone", "no_common_hour", "too_short", "no_room"}


def test_each_zone_is_called_at_its_own_ten_o_clock() -> None:
    found = waves_of([(NEW_YORK,), (KOLKATA,), (NEW_YORK,), (CHICAGO,)])
    assert [(wave.zones, wave.members) for wave in found.waves] == [
        ((KOLKATA,), (1,)),
        ((NEW_YORK,), (0, 2)),
        ((CHICAGO,), (3,)),
    ]
    assert starts(found) == ["2027-01-04 10:00"] * 3
    assert found.left == {}


def test_zones_with_the_same_clock_are_one_wave() -> None:
    found = waves_of([("America/Detroit",), (NEW_YORK,), (NEW_YORK,)])
    assert [wave.zones for wave in found.waves] == [(NEW_YORK, "America/Detroit")]


def test_somebody_in_one_of_several_zones_is_called_while_it_is_day_in_all() -> None:
    (wave,) = waves_of([(NEW_YORK, CHICAGO)]).waves
    assert wave.start.astimezone(ZoneInfo(CHICAGO)).hour == 10
    assert wave.closes.astimezone(ZoneInfo(NEW_YORK)).hour == 13


def test_who_cannot_be_placed_is_left_with_the_reason() -> None:
    found = waves_of([(), (NEW_YORK, KOLKATA), (NEW_YORK,)])
    assert found.left == {"unknown_zone": (0,), "no_common_hour": (1,)}
    assert [wave.members for wave in found.waves] == [(2,)]


def test_what_one_window_cannot_hold_goes_on_at_the_same_time_on_the_next_days() -> None:
    found = waves_of([(KOLKATA,)] * 1500, slots=10)
    assert starts(found) == ["2027-01-04 10:00", "2027-01-05 10:00", "2027-01-06 10:00"]
    first, second, third = (len(wave.members) for wave in found.waves)
    assert first == second
    assert first + second + third == 1500
    assert estimate(first, 0, 15, 10).minutes[1] <= 180
    assert estimate(first + 1, 0, 15, 10).minutes[1] > 180


def test_waves_that_overlap_share_the_calls_at_once() -> None:
    alone = waves_of([(NEW_YORK,)] * 500, slots=10)
    beside = waves_of([(NEW_YORK,)] * 500 + [(CHICAGO,)] * 500, slots=10)
    assert len(alone.waves) == 1
    assert len(beside.waves) > 2
    assert all(wave.latest_end <= wave.closes for wave in beside.waves)


def test_weekdays_are_those_of_the_contacts() -> None:
    weekend = frozenset({5, 6})
    found = waves_of([("Pacific/Kiritimati",), ("Pacific/Pago_Pago",)], weekdays=weekend)
    assert starts(found) == ["2027-01-09 10:00"] * 2
    assert found.waves[1].start - found.waves[0].start == timedelta(hours=25)


def test_retries_that_outlast_every_window_leave_the_contact() -> None:
    found = waves_of([(NEW_YORK,)], retries=3, delay=60)
    assert found.waves == ()
    assert found.left == {"too_short": (0,)}


@pytest.mark.parametrize(("days", "most"), [(2, 50), (31, 2)])
def test_who_finds_no_room_within_the_days_and_waves_is_left(days: int, most: int) -> None:
    found = waves_of([(KOLKATA,)] * 1500, slots=10, days=days, most=most)
    assert len(found.waves) == 2
    assert len(found.left["no_room"]) == 1500 - sum(len(w.members) for w in found.waves)


def test_a_zone_whose_hour_has_passed_is_called_on_the_next_day() -> None:
    noon = datetime(2027, 1, 4, 12, tzinfo=UTC)
    found = waves_of([(KOLKATA,), (NEW_YORK,)], after=noon)
    assert starts(found) == ["2027-01-04 10:00", "2027-01-05 10:00"]
    assert found.waves[0].zones == (NEW_YORK,)


def test_a_local_time_that_does_not_exist_begins_later() -> None:
    spring = date(2027, 3, 14)  # from 02:00 to 03:00
    (wave,) = waves_of([(NEW_YORK,)], spring, (150, 600)).waves
    assert starts(Waves((wave,))) == ["2027-03-14 03:30"]
    assert unusual(NEW_YORK, spring, 150)
    assert not unusual(NEW_YORK, spring, 180)


def test_a_local_time_that_comes_twice_begins_at_the_later_and_ends_at_the_earlier() -> None:
    autumn = date(2027, 11, 7)  # from 02:00 back to 01:00
    (wave,) = waves_of([(NEW_YORK,)], autumn, (90, 600)).waves
    assert wave.start == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
    (wave,) = waves_of([(NEW_YORK,)], autumn, (0, 90)).waves
    assert wave.closes == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    assert unusual(NEW_YORK, autumn, 90)
