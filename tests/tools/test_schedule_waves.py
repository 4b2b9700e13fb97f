from typing import Any

import pytest

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.atoms.documents import Listed
from atoms_campaigns_mcp.schemas.account import Subscription
from atoms_campaigns_mcp.schemas.calls import Call
from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.tampering import alter
from tests.support.troubles import listed as on_the_list
from tests.support.world import AGENT, DRAFT
from tests.tools.waves.waving import (
    CALLS,
    CHICAGO,
    KOLKATA,
    NAMES,
    NEW_YORK,
    TOLL_FREE,
    audiences,
    campaigns,
    listed,
    members,
)

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_each_zone_gets_a_campaign_at_its_own_hour_and_an_audience_of_its_own(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        made = await client.call("schedule_waves", **CALLS)
    rows = await campaigns(bench)
    assert [row["name"] for row in rows] == NAMES == [wave["name"] for wave in made["waves"]]
    assert [row["scheduledAt"][:16] for row in rows] == [
        "2027-01-11T04:30",
        "2027-01-11T15:00",
        "2027-01-11T16:00",
    ]
    assert {row["status"] for row in rows} == {"scheduled"}
    called = [await members(bench, row["audience"]["_id"]) for row in rows]
    assert called == [set(KOLKATA), set(NEW_YORK), set(CHICAGO)]
    assert made["contacts"] == 9
    assert [wave["local_start"] for wave in made["waves"]] == ["2027-01-11 10:00"] * 3


@pytest.mark.slow
async def test_whoever_cannot_be_placed_is_in_an_audience_of_their_own_and_not_scheduled(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        made = await client.call("schedule_waves", **CALLS)
    assert made["left"] == ["no time zone is known: 1"]
    assert made["left_audience"] == "Morning calls · not scheduled"
    assert await members(bench, made["left_audience_id"]) == set(TOLL_FREE)
    assert made["left_audience_id"] not in {
        row["audience"]["_id"] for row in await campaigns(bench)
    }


@pytest.mark.slow
async def test_one_question_shows_warnings_first_and_every_wave(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
    (question,) = bench.questions
    first, *rows = question.splitlines()
    assert "1 contact in no wave and not called" in first
    assert "+912268093560" in question
    assert [row.split(":")[0].removeprefix("- ") for row in rows[-3:]] == NAMES
    assert "Asia/Kolkata 2027-01-11 10:00 (2027-01-11 04:30 UTC), ends by 2027-01-11 1" in rows[-3]
    assert "#" not in question


async def test_a_no_makes_nothing(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        await listed(client)
        changes = len(bench.wire.changes)
        text = await client.refused("schedule_waves", **CALLS)
    assert "confirm_token" in text
    assert len(bench.wire.changes) == changes


@pytest.mark.slow
async def test_a_token_agrees_to_the_waves_it_was_given_for_and_is_good_once(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        await listed(client)
        token = (await client.refused("schedule_waves", **CALLS)).split("confirm_token ")[1]
        token = token.split()[0]
        other = await client.refused(
            "schedule_waves", **{**CALLS, "local_start": "11:00"}, confirm_token=token
        )
        made = await client.call("schedule_waves", **CALLS, confirm_token=token)
        again = await client.refused("schedule_waves", **CALLS, confirm_token=token)
    assert "is not what would happen now" in other
    assert len(made["waves"]) == 3
    assert "3 campaigns of this name" in again
    assert len(await campaigns(bench)) == 3


@pytest.mark.slow
async def test_the_result_says_how_it_was_agreed_to(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        made = await client.call("schedule_waves", **CALLS)
    assert made["consent"] == "asked"
    assert any("no time zone is known" in warning for warning in made["warnings"])


@pytest.mark.slow
async def test_what_is_too_much_for_one_window_follows_on_the_next_days(bench: Bench) -> None:
    numbers = [f"+1212555{number:04d}" for number in range(100, 200)]
    numbers += [f"+1212666{number:04d}" for number in range(500)]
    async with bench.client() as client:
        await listed(client, numbers)
        short = {**CALLS, "local_end": "11:00", "max_retries": 0}
        made = await client.call("schedule_waves", **short, weekdays=["mon", "tue", "thu"])
    assert [wave["name"].removeprefix("Morning calls · ") for wave in made["waves"]] == [
        "New York 1/2",
        "New York 2/2",
    ]
    assert [wave["local_start"] for wave in made["waves"]] == [
        "2027-01-11 10:00",
        "2027-01-12 10:00",
    ]
    assert sum(wave["contacts"] for wave in made["waves"]) == 600


@pytest.mark.slow
async def test_a_column_of_zones_places_contacts(bench: Bench) -> None:
    text = "phone,timezone\n+18005550199,America/Los_Angeles\n+12125550100,\n"
    async with bench.client() as client:
        await client.call("create_audience", name="Everybody", csv=text)
        made = await client.call("schedule_waves", **CALLS)
    assert [wave["time_zone"] for wave in made["waves"]] == [
        "America/New_York",
        "America/Los_Angeles",
    ]


@pytest.mark.slow
async def test_without_hours_the_calling_hours_count(bench: Bench) -> None:
    calls = {name: value for name, value in CALLS.items() if not name.startswith("local")}
    async with bench.client() as client:
        await listed(client)
        made = await client.call("schedule_waves", **calls)
    assert made["waves"][0]["local_start"] == "2027-01-11 08:00"


async def refused(client: Caller, bench: Bench, **changes: Any) -> str:
    """Return the text of a call that must fail, and see that it made nothing."""
    before = len(bench.wire.changes)
    text = await client.refused("schedule_waves", **{**CALLS, **changes})
    assert len(bench.wire.changes) == before
    return text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"local_start": "18:00"}, "local_end: must be later"),
        ({"local_start": "22:00", "local_end": "02:00"}, "local_end: must be later"),
        ({"local_start": "25:00"}, "local_start: must be a time of day"),
        ({"date": "2027-01-02"}, "date: must be a day that is not over"),
        ({"date": "2028-02-01"}, "date: must be a day that is not over"),
        ({"date": "2027-02-30"}, "date: must be a day, as YYYY-MM-DD"),
        ({"date": "tomorrow"}, "date: must be a day, as YYYY-MM-DD"),
        ({"weekdays": ["monday"]}, "weekdays: must be a list"),
        ({"name": "x" * 21}, "name: must be text of 1 to 20 characters"),
        ({"retry_delay": 600}, "max_retries, retry_delay: with these"),
        ({"audience_id": "Nobody"}, "audience_id: nothing in this account"),
    ],
)
async def test_bad_input_is_refused_with_nothing_made(
    bench: Bench, changes: dict[str, Any], words: str
) -> None:
    async with bench.client() as client:
        await listed(client)
        text = await refused(client, bench, **changes)
    assert words in text
    assert bench.questions == []


async def test_a_list_without_any_known_zone_is_refused(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client, TOLL_FREE)
        text = await refused(client, bench)
    assert "none of its contacts can be placed: no time zone is known" in text


async def test_an_audience_in_use_is_refused(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        draft = {name: CALLS[name] for name in ("name", "agent_id", "audience_id", "phone_ids")}
        await client.call("create_campaign", **draft, scheduled_at="2027-01-20T10:00:00Z")
        text = await refused(client, bench)
    assert "audience_id: audience" in text
    assert "is in use" in text


async def test_an_audience_of_a_campaign_that_can_be_resumed_is_refused(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        draft = {name: CALLS[name] for name in ("name", "agent_id", "audience_id", "phone_ids")}
        made = await client.call("create_campaign", **draft)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        await client.call("pause_campaign", campaign_id=made["campaign_id"])
        bench.clock.advance(seconds=20)
        text = await refused(client, bench, name="Others")
    assert "is in use: a campaign" in text
    assert "paused" in text


@pytest.mark.slow
async def test_more_waves_than_there_may_be_are_refused(bench: Bench) -> None:
    numbers = [f"+1212{number:07d}" for number in range(2_220_100, 2_223_300)]
    tight = {"local_end": "10:15", "max_retries": 0}
    async with bench.client() as client:
        await listed(client, numbers)
        text = await refused(client, bench, **tight)
    assert "would find no room in 50 waves within 31 days" in text


async def test_more_campaigns_than_the_plan_allows_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def small(_: AtomsClient) -> Subscription:
        return Subscription(campaigns=2)

    monkeypatch.setattr(AtomsClient, "get_subscription", small)
    async with bench.client() as client:
        await listed(client)
        text = await refused(client, bench)
    assert "it takes 3 waves, and the account's plan allows 2 campaigns" in text


@pytest.mark.slow
async def test_waves_of_the_same_name_are_not_made_twice(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
        text = await refused(client, bench)
        other = await refused(client, bench, local_start="11:00")
    assert "3 campaigns of this name there already" in text
    assert "3 campaigns of this name there already" in other
    assert len(await audiences(bench)) == len(set(await audiences(bench)))


@pytest.mark.slow
async def test_a_name_whose_waves_are_over_is_not_taken_for_the_new_ones(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS, max_retries=0)
        bench.clock.advance(days=8)
        later = {"date": "2027-01-18", "max_retries": 0}
        text = await refused(client, bench, **later)
        made = await client.call("schedule_waves", **{**CALLS, **later, "name": "Again"})
    assert "name: 3 campaigns of this name there already" in text
    assert "completed" in text
    assert {wave["status"] for wave in made["waves"]} == {"scheduled"}


@pytest.mark.slow
@pytest.mark.parametrize(("most", "allowed"), [(2, True), (1, False)])
async def test_the_limit_of_running_campaigns_counts_waves_that_overlap(
    bench: Bench, most: int, *, allowed: bool
) -> None:
    bench.configure(max_running=most)
    async with bench.client() as client:
        await listed(client)
        result = await client.raw("schedule_waves", **CALLS, retry_delay=30)
    assert result.is_error is not allowed
    assert len(await campaigns(bench)) == (3 if allowed else 0)


@pytest.mark.slow
async def test_hours_beyond_the_operators_are_refused_and_beyond_the_default_warned_of(
    bench: Bench,
) -> None:
    early = {**CALLS, "local_start": "07:00"}
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **early)
    assert "waves call at 07:00-18:00 local time" in bench.questions[0]
    bench.configure(calling_hours=(480, 1260))
    async with bench.client() as client:
        text = await refused(client, bench, name="Others", local_start="07:00")
    assert "ATOMS_MCP_CALLING_HOURS" in text


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ({"max_contacts": 9}, "MAX_CONTACTS"),
        ({"allowed_agents": ("Nobody",)}, "ALLOWED_AGENTS"),
        ({"allowed_caller_ids": ("+12025550100",)}, "ALLOWED_CALLER_IDS"),
    ],
)
async def test_the_operators_limits_hold_for_waves_as_for_a_start(
    bench: Bench, policy: dict[str, Any], word: str
) -> None:
    bench.configure(**policy)
    async with bench.client() as client:
        await listed(client)
        text = await refused(client, bench)
    assert word in text
    assert bench.questions == []


async def test_contacts_on_the_do_not_call_list_block_waves(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await on_the_list(NEW_YORK[0], "")(bench, client)
        text = await refused(client, bench)
    assert "1 contact on the do-not-call list" in text


async def test_a_clock_change_is_said(bench: Bench) -> None:
    bench.clock.advance(days=60)
    night = {**CALLS, "date": "2027-03-14", "local_start": "02:30", "local_end": "12:00"}
    async with bench.client() as client:
        await listed(client, NEW_YORK)
        made = await client.call("schedule_waves", **night)
    assert made["waves"][0]["local_start"] == "2027-03-14 03:30"
    assert "in America/New_York the clock changes on 2027-03-14" in bench.questions[0]


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "longer"), [(1000, True), (0, False)])
async def test_calls_of_the_agent_that_were_long_or_short_make_waves_end_later_or_earlier(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: int, *, longer: bool
) -> None:
    numbers = [f"+1212555{number:04d}" for number in range(100, 300)]
    rows = [Call(status="completed", duration=seconds)] * 100

    async def calls(*_: Any, **__: Any) -> Any:
        return rows, Listed(total=len(rows))

    async with bench.client() as client:
        await listed(client, numbers)
        before = await client.call("schedule_waves", **{**CALLS, "name": "Before"})
        await client.call("delete_campaign", campaign_id="Before *")
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        bench.clock.advance(hours=5)
        monkeypatch.setattr(AtomsClient, "list_calls", calls)
        after = await client.call("schedule_waves", **{**CALLS, "name": "After"})
    ends = [max(wave["latest_end"] for wave in made["waves"]) for made in (before, after)]
    assert (ends[1] > ends[0]) == longer
    assert ends[1] != ends[0]


@pytest.mark.slow
@pytest.mark.parametrize(("agent", "fewer"), [(AGENT, False), ("0" * 24, True)])
async def test_calls_reserved_for_other_agents_are_not_counted_on(
    bench: Bench, agent: str, *, fewer: bool
) -> None:
    numbers = [f"+1212555{number:04d}" for number in range(100, 300)]
    kept: dict[str, Any] = {"totalReserved": 18, "unreservedPool": 2}
    kept["agents"] = [{"agentId": agent, "outbound": 18, "inbound": 0}]
    async with bench.client() as client:
        await listed(client, numbers)
        before = await client.call("schedule_waves", **{**CALLS, "name": "Before"}, max_retries=0)
        alter(bench, "GET /concurrency", lambda data: data | kept)
        after = await client.call("schedule_waves", **{**CALLS, "name": "After"}, max_retries=0)
    ends = [max(wave["latest_end"] for wave in made["waves"]) for made in (before, after)]
    assert (ends[1] > ends[0]) == fewer
    assert ("reserved for other agents" in bench.questions[1]) == fewer
