import json
import math
import re

import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.do_not_call import opt_out
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def called(bench: Bench, client: Caller) -> dict[str, str]:
    """A campaign of 25 contacts that is over, with one retry each."""
    made = await client.call(
        "create_campaign", **{**DRAFT, "audience_id": "Spring renewals", "max_retries": 1}
    )
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    opt_out(bench.world)
    bench.clock.advance(hours=3)
    return {"campaign_id": made["campaign_id"]}


@pytest.mark.slow
async def test_pages_hold_every_attempt_once_the_latest_change_first(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        everything = await client.call("list_calls", **campaign, limit=100)
        pages = [
            await client.call("list_calls", **campaign, limit=10, page=n)
            for n in range(1, math.ceil(everything["total"] / 10) + 1)
        ]
    ids = [row["id"] for row in everything["calls"]]
    assert len(set(ids)) == len(ids) == everything["total"] > 25
    assert [row["id"] for page in pages for row in page["calls"]] == ids
    assert [page["has_more"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert everything["calls"][0]["created_at"] > everything["calls"][-1]["created_at"]


@pytest.mark.slow
async def test_attempts_can_be_chosen(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        both = await client.call("list_calls", **campaign)
        first = await client.call("list_calls", **campaign, attempt="initial", limit=100)
        later = await client.call("list_calls", **campaign, attempt="retry", limit=100)
    assert {row["attempt"] for row in first["calls"]} == {1}
    assert {row["attempt"] for row in later["calls"]} == {2}
    assert (first["total"], first["total"] + later["total"]) == (25, both["total"])


@pytest.mark.slow
@pytest.mark.parametrize("status", ["completed", "no_answer", "failed", "blocked", "active"])
async def test_a_status_leaves_only_such_calls(bench: Bench, status: str) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        everything = await client.call("list_calls", **campaign, limit=100)
        some = await client.call("list_calls", **campaign, status=status, limit=100)
    wanted = [row["id"] for row in everything["calls"] if row["status"] == status]
    assert [row["id"] for row in some["calls"]] == wanted
    assert some["total"] == len(wanted)


async def test_numbers_are_masked_and_there_is_no_transcript(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        result = await client.raw("list_calls", **campaign, limit=100)
    everything = text_of(result) + json.dumps(result.structured_content)
    assert "Hello" not in everything
    assert "transcript" not in json.dumps((result.structured_content or {})["calls"])
    assert not [
        word
        for word in everything.split()
        if word.lstrip('"+').rstrip('",').isdigit() and len(word) > 9
    ]


async def test_the_operator_may_have_numbers_shown(bench: Bench) -> None:
    bench.configure(show_numbers=True)
    async with bench.client() as client:
        campaign = await called(bench, client)
        page = await client.call("list_calls", **campaign, limit=100)
    told = await bench.api(
        "GET",
        f"/conversation?campaignIds={campaign['campaign_id']}&callAttemptFilter=all&limit=100",
    )
    numbers = {call["callId"]: call["to"] for call in told["logs"]}
    assert all(re.fullmatch(r"\+\d{11,12}", number) for number in numbers.values())
    assert {row["id"]: row["to"] for row in page["calls"]} == numbers


async def test_the_sentence_alone_leads_to_a_transcript(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        result = await client.raw("list_calls", **campaign, limit=3)
    text, page = text_of(result), result.structured_content
    assert page is not None
    assert f"3 of {page['total']} calls of campaign {campaign['campaign_id']} on page 1" in text
    assert "more on page 2" in text
    for row in page["calls"]:
        assert f"{row['id']} to {row['to']} attempt {row['attempt']} {row['status']}" in text
    assert "get_call" in text


async def test_a_campaign_that_has_not_started_has_no_calls(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        page = await client.call("list_calls", campaign_id=made["campaign_id"])
    assert (page["calls"], page["total"], page["has_more"]) == ([], 0, False)
    assert "get_campaign_status" in page["next_step"]


async def test_a_call_of_a_shape_never_seen_is_still_listed(bench: Bench) -> None:
    odd = {"callId": None, "status": "ringing\x00loudly", "duration": None, "to": "", "x": [1]}
    data = {"status": True, "data": {"logs": [odd], "pagination": {"total": 1, "hasMore": False}}}
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(200, json=data))
    async with bench.client() as client:
        page = await client.call("list_calls", campaign_id="a" * 24)
    (row,) = page["calls"]
    assert (row["status"], row["seconds"]) == ("ringing loudly", 0)


async def test_a_campaign_that_does_not_exist_has_no_calls_to_list(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        empty = await client.call("list_calls", campaign_id=made["campaign_id"])
        late = await client.call("list_calls", campaign_id=made["campaign_id"], page=99)
        text = await client.refused("list_calls", campaign_id="a" * 24)
    assert empty["calls"] == []
    assert "start at page 1" in late["next_step"]
    assert "not found" in text.lower()


async def test_rows_name_the_contact_as_the_results_do(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await called(bench, client)
        result = await client.raw("list_calls", **campaign, limit=100)
        results = await client.call("get_campaign_results", **campaign, limit=100)
    assert result.structured_content is not None
    names = {row["key"]: row["name"] for row in results["results"]}
    rows = result.structured_content["calls"]
    assert {row["contact_key"]: row["name"] for row in rows} == names
    assert f'for "{rows[0]["name"]}"' in text_of(result)
    assert next(row for row in rows if row["status"] == "no_answer")["reason"] in text_of(result)
