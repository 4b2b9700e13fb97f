"""The guard's rules, one by one, and its hours against a clock that is walked minute by minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.guard.rules import BLIND, LEAD, Facts, Rules, Tally, tail, too_late, trips
from atoms_campaigns_mcp.guardrails.hours import closing
from atoms_campaigns_mcp.guardrails.policy import DEFAULT_HOURS, Hours

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
KOLKATA = frozenset({"Asia/Kolkata"})  # 17:30 at noon of UTC
HOURS = Rules(hours=Hours(9 * 60, 20 * 60))
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "America/Havana", "Australia/Lord_Howe")
CHANGES = (
    datetime(2027, 3, 14, 5, tzinfo=UTC),  # Havana leaves an hour out at midnight
    datetime(2027, 11, 7, 6, tzinfo=UTC),  # New York has an hour twice
    datetime(2027, 10, 2, 15, 30, tzinfo=UTC),  # Lord Howe, by half an hour
)
MOMENTS = st.one_of(
    st.sampled_from(CHANGES),
    st.integers(0, 365 * 24 * 60).map(lambda minute: NOON + timedelta(minutes=minute)),
)


def found(facts: Facts, rules: Rules) -> list[str]:
    return [trip.rule for trip in trips(facts, rules)]


def called(facts: Facts, moment: datetime) -> Facts:
    return replace(facts, now=moment)


def local(zone: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"2027-01-04T{clock}").replace(tzinfo=ZoneInfo(zone))


def test_no_rule_is_on_until_it_is_set() -> None:
    rules = Rules.of(Settings())
    dear = Tally(settled=1000, failed=1000, cost=1e6, live=100, highest=10)
    assert rules.told() == ()
    assert trips(Facts(now=NOON.replace(hour=23), zones=KOLKATA, tally=dear), rules) == ()


def test_whoever_may_still_be_called_is_not_called_after_the_window_of_their_own_zone() -> None:
    facts = Facts(now=NOON, zones=KOLKATA)
    closes = local("Asia/Kolkata", "20:00")
    assert found(called(facts, closes - LEAD - timedelta(seconds=2)), HOURS) == []
    assert found(called(facts, closes - LEAD), HOURS) == ["calling_hours"]
    assert found(called(facts, closes + timedelta(hours=1)), HOURS) == ["calling_hours"]
    assert found(called(facts, local("Asia/Kolkata", "08:59")), HOURS) == ["calling_hours"]


def test_the_zone_that_closes_first_counts() -> None:
    both = Facts(now=NOON, zones=KOLKATA | {"Asia/Tokyo"})  # 21:00 in Tokyo
    assert found(both, HOURS) == ["calling_hours"]


def test_hours_that_last_all_day_never_end() -> None:
    assert found(Facts(now=NOON, zones=KOLKATA), Rules(hours=Hours(0, 24 * 60))) == []


def test_retries_that_could_begin_after_the_window_stop_a_campaign_before_it_cannot_be_paused() -> (
    None
):
    facts = Facts(now=NOON, zones=KOLKATA, max_retries=3, retry_delay=15)
    last = local("Asia/Kolkata", "20:00") - LEAD - 3 * timedelta(minutes=18)
    assert tail(facts) == timedelta(minutes=54)
    assert found(called(facts, last - timedelta(seconds=2)), HOURS) == []
    assert found(called(facts, last), HOURS) == ["calling_hours"]


def test_the_last_attempt_may_begin_later_than_the_first() -> None:
    facts = Facts(now=local("Asia/Kolkata", "19:30"), zones=KOLKATA, max_retries=1, retry_delay=60)
    assert too_late(facts, HOURS, attempt=0)
    assert not too_late(facts, HOURS, attempt=1)


def test_the_time_that_cancelling_takes_is_taken_before_the_end() -> None:
    facts = Facts(now=local("Asia/Kolkata", "19:50"), zones=KOLKATA)
    assert not too_late(facts, HOURS)
    assert too_late(facts, HOURS, working=timedelta(minutes=10))


def test_a_contact_in_no_known_zone_may_not_be_called_at_any_time() -> None:
    facts = Facts(now=NOON, zones=KOLKATA, unplaced=2)
    (trip,) = trips(facts, HOURS)
    assert trip.rule == "calling_hours"
    assert "2 contacts" in trip.figures


@pytest.mark.slow
@given(st.sets(st.sampled_from(ZONES), min_size=1), MOMENTS, st.integers(0, 1438), st.data())
def test_a_window_closes_where_its_clocks_say_so(
    zones: set[str], now: datetime, start: int, data: st.DataObject
) -> None:
    window = Hours(start, data.draw(st.integers(start + 1, 1439)))
    now = now.replace(second=0, microsecond=0)
    moment = now
    while all(
        window.start <= (at := moment.astimezone(ZoneInfo(zone))).hour * 60 + at.minute < window.end
        for zone in zones
    ):
        moment += timedelta(minutes=1)
    closes = closing(zones, now, window)
    assert closes is not None
    assert closes == moment


def test_nothing_is_dialled_after_the_moment_that_was_set() -> None:
    rules = Rules(until=NOON + timedelta(hours=1))
    assert found(Facts(now=NOON), rules) == []
    assert found(Facts(now=NOON + timedelta(hours=1) - LEAD), rules) == ["until"]


def test_calls_under_way_count_as_dear_as_the_dearest_one() -> None:
    rules = Rules(spend=10)
    tally = Tally(cost=8.5, live=3, highest=0.4)
    assert found(Facts(now=NOON, tally=tally), rules) == []
    (trip,) = trips(Facts(now=NOON, tally=replace(tally, live=4)), rules)
    assert (trip.rule, trip.passes) == ("spend", False)
    assert "8.50" in trip.figures
    assert "10.10" in trip.figures


def test_a_talk_whose_cost_is_not_told_counts_as_the_dearest() -> None:
    rules = Rules(spend=1)
    tally = Tally(cost=0.5, unpriced=5, highest=0.1)
    assert found(Facts(now=NOON, tally=tally), rules) == ["spend"]


def test_a_limit_on_the_cost_that_nobody_can_hold_stops_the_campaign() -> None:
    assert found(Facts(now=NOON, tally=Tally(unpriced=1)), Rules(spend=100)) == ["spend"]


@pytest.mark.parametrize(
    ("rules", "fine", "bad", "rule"),
    [
        (Rules(min_answered=20), {"answered": 20}, {"answered": 19}, "answered"),
        (Rules(max_failed=30), {"failed": 30}, {"failed": 31}, "failed"),
        (
            Rules(max_short=50),
            {"answered": 100, "short": 50},
            {"answered": 100, "short": 51},
            "short_talks",
        ),
        (
            Rules(max_opt_outs=2),
            {"answered": 100, "opt_outs": 2},
            {"answered": 100, "opt_outs": 3},
            "opt_outs",
        ),
    ],
)
def test_a_share_beyond_its_limit_stops_the_campaign(
    rules: Rules, fine: dict[str, int], bad: dict[str, int], rule: str
) -> None:
    assert found(Facts(now=NOON, tally=Tally(settled=100, **fine)), rules) == []
    assert found(Facts(now=NOON, tally=Tally(settled=100, **bad)), rules) == [rule]


def test_a_share_of_few_calls_says_nothing() -> None:
    rules = Rules(after=50, min_answered=20, max_short=10)
    few = Tally(settled=49, answered=0)
    assert found(Facts(now=NOON, tally=few), rules) == []
    assert found(Facts(now=NOON, tally=replace(few, settled=50)), rules) == ["answered"]
    talks = Tally(settled=200, answered=49, short=49)
    assert found(Facts(now=NOON, tally=talks), rules) == []


def test_what_cannot_be_read_for_a_minute_is_not_taken_for_fine() -> None:
    facts = Facts(now=NOON, zones=None, unread_since=NOON - BLIND + timedelta(seconds=1))
    assert found(facts, HOURS) == []
    assert found(replace(facts, unread_since=NOON - BLIND), HOURS) == ["unread"]


def test_only_the_hours_pass_by_themselves() -> None:
    rules = replace(HOURS, until=NOON, spend=1)
    facts = Facts(now=NOON.replace(hour=20), zones=KOLKATA, tally=Tally(cost=2))
    assert [(trip.rule, trip.passes) for trip in trips(facts, rules)] == [
        ("until", False),
        ("spend", False),
        ("calling_hours", True),
    ]


def test_a_rule_that_is_on_is_told_with_its_limit() -> None:
    settings = Settings.load(
        {
            "ATOMS_MCP_CALLING_HOURS": "09:00-20:00",
            "ATOMS_MCP_GUARD_UNTIL": "2027-01-04T20:00-05:00",
            "ATOMS_MCP_GUARD_SPEND": "25",
            "ATOMS_MCP_GUARD_MIN_ANSWERED": "12.5%",
        }
    )
    told = " · ".join(Rules.of(settings).told())
    for part in ("09:00-20:00", "2027-01-04 20:00", "25 USD", "12.5% answered of 50 calls"):
        assert part in told
    assert Rules.of(Settings()).hours is None
    assert str(DEFAULT_HOURS) not in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GUARD_UNTIL", "2028-01-04T20:00"),
        ("GUARD_UNTIL", "tonight"),
        ("GUARD_SPEND", "-7"),
        ("GUARD_SPEND", "nan"),
        ("GUARD_MAX_FAILED", "101"),
        ("GUARD_MAX_SHORT", "-1"),
        ("GUARD_MIN_ANSWERED", "nan"),
        ("GUARD_AFTER", "-7"),
        ("GUARD_WEBHOOK", "http://example.com/hook"),
        ("GUARD_WEBHOOK", "https://user:secret@example.com/hook"),
        ("GUARD_WEBHOOK_SECRET", "short"),
    ],
)
def test_a_rule_that_cannot_be_read_stops_the_start(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({f"ATOMS_MCP_{name}": text})
    assert name in str(caught.value)
    assert text not in str(caught.value)
