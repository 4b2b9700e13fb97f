"""What is done with waves by their common name: pausing, deleting, listing."""

import pytest

from tests.jobs.test_reply_sizes import LIMIT, tokens
from tests.support.bench import Bench
from tests.support.serving import text_of
from tests.support.tampering import fail
from tests.support.world import AGENT, AUDIENCE, CALLER_ID, DRAFT
from tests.tools.waves.waving import CALLS, NAMES, NEW_YORK, TOLL_FREE, campaigns, listed, members

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_an_asterisk_after_the_name_deletes_all_scheduled_waves_after_one_question(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
        await client.call("create_campaign", **{**DRAFT, "name": "Morning calls of others"})
        gone = await client.call("delete_campaign", campaign_id="Morning calls *")
    assert (gone["campaigns"], gone["status"]) == (3, "deleted")
    first, *rows = bench.questions[1].splitlines()
    assert "Delete 3 campaigns with their history" in first
    assert sorted(row.split('"')[1] for row in rows) == sorted(NAMES)
    assert [row["name"] for row in await _named(bench)] == ["Morning calls of others"]


async def _named(bench: Bench) -> list[dict[str, str]]:
    return (await bench.api("GET", "/campaign?search=Morning&offset=100"))["campaigns"]


@pytest.mark.slow
async def test_what_dials_already_is_left_to_the_stop(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
        bench.clock.advance(days=6, hours=16, minutes=31)  # 10:01 in Kolkata
        gone = await client.call("delete_campaign", campaign_id="Morning calls *")
        stopped = await client.call("pause_campaign", campaign_id="Morning calls")
    assert gone["campaigns"] == 2
    assert [row["name"] for row in stopped["campaigns"]] == [NAMES[0]]
    assert [row["status"] for row in await campaigns(bench)] == ["paused"]


@pytest.mark.slow
async def test_a_pause_by_the_common_name_stops_every_wave_that_dials(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS, max_retries=3, retry_delay=60)
        bench.clock.advance(days=7, hours=4, minutes=1)  # 10:01 in Chicago
        stopped = await client.call("pause_campaign", campaign_id="morning calls *")
        found = await client.call("list_campaigns", search="Morning calls")
    assert {row["name"] for row in stopped["campaigns"]} >= {NAMES[1], NAMES[2]}
    assert len(found["campaigns"]) == 3


@pytest.mark.slow
async def test_a_pause_while_no_wave_dials_names_all_that_will(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS, max_retries=0)
        bench.clock.advance(days=6, hours=18)  # Kolkata's is over
        text = await client.refused("pause_campaign", campaign_id="Morning calls")
        one = await client.refused("pause_campaign", campaign_id=NAMES[1])
    assert "2 are scheduled" in text
    assert all(name in text for name in NAMES[1:])
    assert 'delete_campaign stops them before then: with "Morning calls *"' in text
    assert "is scheduled and cannot be paused" in one


async def test_several_ids_are_deleted_after_one_question_that_names_all(bench: Bench) -> None:
    async with bench.client() as client:
        ids = [
            (await client.call("create_campaign", **{**DRAFT, "name": name}))["campaign_id"]
            for name in ("One", "Two", "Three")
        ]
        gone = await client.call("delete_campaign", campaign_id=ids[:2])
        text = await client.refused("delete_campaign", campaign_id=f"{ids[1]}, {ids[2]}")
        last = await client.call("delete_campaign", campaign_id=ids[2].upper())
    assert gone["campaign_id"] == ", ".join(ids[:2])
    assert all(name in bench.questions[0] for name in ("One", "Two"))
    assert "Campaign not found" in text
    assert (last["campaign_id"], last["name"]) == (ids[2], "Three")


async def test_nothing_is_deleted_if_one_of_several_dials(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client, NEW_YORK)
        ids = [
            (await client.call("create_campaign", **{**DRAFT, "audience_id": which}))["campaign_id"]
            for which in (DRAFT["audience_id"], "Everybody")
        ]
        await client.call("start_campaign", campaign_id=ids[1])
        text = await client.refused("delete_campaign", campaign_id=ids)
    assert "pause_campaign first" in text
    assert not [r for r in bench.wire.requests if r.method == "DELETE"]


async def test_a_deletion_that_stops_midway_says_what_is_gone(bench: Bench) -> None:
    async with bench.client() as client:
        ids = [
            (await client.call("create_campaign", **{**DRAFT, "name": name}))["campaign_id"]
            for name in ("One", "Two")
        ]
        fail(bench, f"DELETE /campaign/{ids[1]}", status=400)
        text = await client.refused("delete_campaign", campaign_id=ids)
    assert f"1 of 2 campaigns are deleted ({ids[0]})" in text


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("Nobody *", "no campaign of this name is scheduled"),
        (", ".join(f"{n:024x}" for n in range(51)), "at most 50 at once"),
    ],
)
async def test_names_of_nothing_and_too_many_ids_are_refused(
    bench: Bench, reference: str, words: str
) -> None:
    async with bench.client() as client:
        text = await client.refused("delete_campaign", campaign_id=reference)
    assert words in text
    assert bench.wire.changes == []


@pytest.mark.slow
async def test_results_of_the_common_name_are_those_of_all_waves(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS, max_retries=0)
        before = await client.call("get_campaign_results", campaign_id="Morning calls")
        bench.clock.advance(days=8)
        result = await client.raw("get_campaign_results", campaign_id="morning calls *")
        after = result.structured_content
        assert after is not None
        assert "none" not in text_of(result)  # rates were not looked at
        waves = [await client.call("get_campaign_results", campaign_id=name) for name in NAMES]
    assert (before["contacts"], before["called"], before["provisional"]) == (9, 0, True)
    assert before["outcomes"] == ["pending: 9"]
    assert (after["contacts"], after["called"], after["name"]) == (9, 9, "Morning calls")
    assert after["connected"] == sum(wave["connected"] for wave in waves)
    assert after["cost"] == round(sum(wave["cost"] for wave in waves), 4)
    assert [wave.split('"')[1] for wave in after["waves"]] == NAMES


@pytest.mark.slow
async def test_lists_are_made_of_all_waves_of_a_common_name_and_without_them(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS, max_retries=0)
        too_early = await client.refused(
            "create_audience", name="A", from_campaign_id="Morning calls"
        )
        without = {"from_audience_id": "Everybody", "exclude_campaign_ids": ["Morning calls *"]}
        before = await client.call("create_audience", name="B", **without)
        bench.clock.advance(days=8)
        results = await client.call("get_campaign_results", campaign_id="Morning calls")
        missed = await client.call("create_audience", name="C", from_campaign_id="morning calls")
        after = await client.call("create_audience", name="D", **without, dry_run=True)
    assert "not finished" in too_early
    assert await members(bench, before["audience_id"]) == set(TOLL_FREE)
    assert after["contacts"] == len(TOLL_FREE)
    assert 0 < missed["contacts"] == 9 - results["connected"]
    assert "create_audience with from_campaign_id" in results["next_step"]


@pytest.mark.slow
async def test_results_of_fifty_waves_fit_into_a_models_view(bench: Bench) -> None:
    common = "é" * 19
    async with bench.client() as client:
        for number in range(1, 51):
            body = {"name": f"{common} · Johannesburg {number:02d}/50", "agentId": AGENT}
            body |= {"audienceId": AUDIENCE, "phoneNumberIds": [CALLER_ID], "maxRetries": 0}
            body["scheduledAt"] = f"2027-01-{number % 5 + 11}T10:00:00.000Z"
            await bench.api("POST", "/campaign", body)
        results = [await client.raw("get_campaign_results", campaign_id=f"{common} *")]
        bench.clock.advance(days=60)
        results.append(await client.raw("get_campaign_results", campaign_id=f"{common} *"))
    for result, called in zip(results, (0, 100), strict=True):
        told = result.structured_content
        assert told is not None
        assert (len(told["waves"]), told["contacts"], told["called"]) == (50, 100, called)
        assert all(f"Johannesburg {number:02d}/50" in text_of(result) for number in range(1, 51))
        assert tokens(result) < LIMIT


@pytest.mark.slow
async def test_contacts_of_all_waves_together_are_refused_with_the_way_to_get_them(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
        text = await client.refused("get_campaign_results", campaign_id="Morning calls", limit=5)
    assert "limit: only for one campaign" in text
