from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.toolkit.reports import campaign_lists
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import CALLER_NUMBER, DRAFT

pytestmark = pytest.mark.anyio


async def test_the_newest_campaign_comes_first(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        result = await client.call("list_campaigns")
    assert result["campaigns"][0]["id"] == made["campaign_id"]
    assert result["campaigns"][0]["status"] == "draft"


async def test_limit_is_the_page_size_whatever_the_api_calls_it(bench: Bench) -> None:
    async with bench.client() as client:
        for _ in range(7):
            await client.call("create_campaign", **DRAFT, allow_duplicate=True)
        first = await client.call("list_campaigns", limit=3, search="January renewals")
        third = await client.call("list_campaigns", limit=3, page=3, search="January renewals")
    assert (len(first["campaigns"]), first["has_more"]) == (3, True)
    assert (len(third["campaigns"]), third["has_more"]) == (1, False)


async def test_a_state_filters_the_list(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT)
        drafts = await client.call("list_campaigns", status="draft")
        running = await client.call("list_campaigns", status="running")
    assert {row["status"] for row in drafts["campaigns"]} == {"draft"}
    assert running["campaigns"] == []
    assert "Nothing matches" in running["next_step"]


async def test_the_text_alone_names_the_campaigns(bench: Bench) -> None:
    at = "2027-01-15T10:00:00.000Z"
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        later = {**DRAFT, "name": "Later", "scheduled_at": at}
        await client.call("create_campaign", **later)
        result = await client.raw("list_campaigns")
    text = getattr(result.content[0], "text", "")
    assert made["campaign_id"] in text
    assert "draft" in text
    assert "created 2027-01-04" in text  # whom did we call last week?
    assert text.count(f"dials at {at}") == 1
    assert text.startswith("[sandbox]")


async def ended(bench: Bench, client: Caller, **more: Any) -> str:
    draft = {**DRAFT, "audience_id": "Spring renewals", "max_retries": 0, **more}
    made = await client.call("create_campaign", **draft)
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.clock.advance(hours=3)
    return made["campaign_id"]


async def test_rows_tell_whom_a_campaign_called_and_connected_and_from_where(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await ended(bench, client, name="Over")
        await client.call("create_campaign", **DRAFT)
        status = await client.call("get_campaign_status", campaign_id=campaign)
        result = await client.raw("list_campaigns", limit=2)
    assert result.structured_content is not None
    draft, over = result.structured_content["campaigns"]
    assert (draft["called"], draft["connected"], "connected_percent" in draft) == (0, 0, False)
    counts = (over["called"], over["connected"], over["connected_percent"])
    named = ("contacts_called", "contacts_connected", "connected_percent")
    assert counts == tuple(status[name] for name in named)
    assert over["caller_ids"] == [CALLER_NUMBER]
    assert f"{over['called']} called, {over['connected']} connected" in text_of(result)


async def test_what_the_details_do_not_tell_is_unknown(bench: Bench) -> None:
    sandbox = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/campaign"):
            return await sandbox.handle_async_request(request)
        return httpx2.Response(400, json={"status": False, "errors": ["out of order"]})

    async with bench.client() as client:
        await ended(bench, client)
        bench.wire.below = httpx2.MockTransport(answer)
        result = await client.raw("list_campaigns", limit=1)
    assert result.structured_content is not None
    (row,) = result.structured_content["campaigns"]
    assert not {"called", "connected", "connected_percent"} & set(row)
    assert "unknown called" in text_of(result)


async def test_no_more_details_are_read_than_the_bound_allows(bench: Bench) -> None:
    rows = [{"_id": f"{n:024x}", "name": f"C {n}", "status": "completed"} for n in range(100)]
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        asked.append(path)
        if path.endswith("/campaign"):
            data: Any = {"campaigns": rows, "pagination": {"total": 100, "hasMore": False}}
        elif "/campaign/" in path:
            metrics = {"total_participants": 4, "contacts_called": 4, "contacts_connected": 1}
            data = {"campaign": rows[0], "metrics": metrics}
        else:
            data = []
        return httpx2.Response(200, json={"status": True, "data": data})

    bench.wire.below = httpx2.MockTransport(answer)
    async with bench.client() as client:
        page = await client.call("list_campaigns", limit=100)
    assert len(page["campaigns"]) == 100
    assert sum("/campaign/" in path for path in asked) == campaign_lists.DETAILED
    assert [row.get("connected_percent") for row in page["campaigns"]] == [25.0] * 20 + [None] * 80


@pytest.mark.slow
async def test_finished_ones_are_completed_or_failed_in_pages_without_gap_or_repetition(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        ids = [await ended(bench, client, name=f"Over {n}") for n in range(5)]
        with bench.world.writing() as moment:
            for campaign in ids[1::2]:
                ends = "status = 'failed', error = 'x', failed_at = updated_at"
                moment.db.execute(f"UPDATE campaign SET {ends} WHERE id = ?", (campaign,))  # noqa: S608
        await client.call("create_campaign", **DRAFT)
        pages = [
            await client.call("list_campaigns", status="finished", search="Over", limit=2, page=n)
            for n in (1, 2, 3, 4)
        ]
        late = await client.refused("list_campaigns", status="finished", limit=100, page=6)
    rows = [row for page in pages for row in page["campaigns"]]
    assert [row["id"] for row in rows] == ids[::-1]
    assert [row["status"] for row in rows] == ["completed", "failed"] * 2 + ["completed"]
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert {page["total"] for page in pages} == {5}
    assert "page:" in late
