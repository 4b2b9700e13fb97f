"""Ending calls: what a stop leaves ringing, and hang_up."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.toolkit import hanging_up
from atoms_campaigns_mcp.toolkit.hanging_up import IN_A_ROW, RATE
from tests.support.bench import Bench
from tests.support.far_away import SimulatedLoop, far_away
from tests.support.running import running
from tests.support.serving import Caller

pytestmark = pytest.mark.anyio


async def calling(bench: Bench, client: Caller) -> str:
    """Start a campaign and wait until its phones ring."""
    (campaign,) = await running(client, 1)
    bench.clock.advance(seconds=15)
    return campaign


@pytest.mark.slow
async def test_a_stop_says_how_many_calls_go_on_and_hang_up_ends_them(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await calling(bench, client)
        stopped = await client.call("pause_campaign", campaign_id=campaign)
        hung = await client.call("pause_campaign", campaign_id=campaign, hang_up=True)
        calls = (await client.call("list_calls", campaign_id=campaign, limit=100))["calls"]
    assert stopped["calls_in_progress"] > 0
    assert "hang_up" in stopped["next_step"]
    assert (hung["hung_up"], hung["not_hung_up"]) == (stopped["calls_in_progress"], 0)
    assert (hung["calls_in_progress"], hung["changed"]) == (0, True)
    assert [call["status"] for call in calls].count("cancelled") >= hung["hung_up"]
    assert bench.wire.changes.count("cancel") == hung["hung_up"]


@pytest.mark.slow
async def test_all_with_hang_up_pauses_first_and_leaves_no_call(bench: Bench) -> None:
    async with bench.client() as client:
        await calling(bench, client)
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
    assert stopped["hung_up"] > 0
    assert stopped["calls_in_progress"] == 0
    assert bench.wire.changes[2:] == ["pause", *["cancel"] * stopped["hung_up"]]


@pytest.mark.slow
async def test_all_with_hang_up_ends_also_the_calls_of_what_is_paused_already(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await calling(bench, client)
        first = await client.call("pause_campaign", campaign_id="all")
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
        live = await client.call("list_calls", campaign_id=campaign, status="active")
    assert stopped["hung_up"] == first["calls_in_progress"] > 0
    assert (stopped["calls_in_progress"], stopped["changed"], live["total"]) == (0, True, 0)


@pytest.mark.slow
async def test_all_with_hang_up_gives_no_all_clear_if_what_has_calls_cannot_be_listed(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await calling(bench, client)
        await client.call("pause_campaign", campaign_id="all")
        failed = failing(
            bench,
            lambda r: r.url.path.endswith("/conversation") and "campaignIds" not in r.url.params,
        )
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
    assert failed
    assert "calls_in_progress" not in stopped
    assert "Not every call could be found" in stopped["message"]
    assert "Nothing else dials" not in stopped["message"]
    assert "hang_up again at once" in stopped["next_step"]


@pytest.mark.slow
async def test_campaigns_with_calls_are_found_though_calls_end_while_the_pages_are_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was first on the second page is last on the first, once another is over."""
    monkeypatch.setattr(hanging_up, "PAGE", 2)
    async with bench.client() as client:
        campaigns = await running(client, 2)
        bench.clock.advance(seconds=15)
        await client.call("pause_campaign", campaign_id="all")
        below, pages = bench.wire.below, list[str]()

        async def shifted(request: httpx2.Request) -> httpx2.Response:
            answer = await below.handle_async_request(request)
            if not request.url.path.endswith("/conversation"):
                return answer
            if "campaignIds" in request.url.params:
                return answer
            pages.append(request.url.params["page"])
            if pages.count("1") > 1:
                return answer
            rest = json.loads(await answer.aread())
            rest["data"]["logs"] = rest["data"]["logs"][:1] if pages == ["1"] else []
            rest["data"]["pagination"]["hasMore"] = pages == ["1"]
            return httpx2.Response(200, json=rest)

        bench.wire.below = httpx2.MockTransport(shifted)
        await client.call("pause_campaign", campaign_id="all", hang_up=True)
        bench.wire.below = below
        live = [
            (await client.call("get_campaign_status", campaign_id=one))["calls_in_progress"]
            for one in campaigns
        ]
    assert live == [0, 0]


@pytest.mark.slow
async def test_the_live_calls_of_every_campaign_are_ended_and_counted_together(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaigns = await running(client, 2)
        bench.clock.advance(seconds=15)
        live = [
            (await client.call("get_campaign_status", campaign_id=one))["calls_in_progress"]
            for one in campaigns
        ]
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
        cancelled = [
            (await client.call("list_calls", campaign_id=one, status="cancelled"))["total"]
            for one in campaigns
        ]
    assert all(live)
    assert all(cancelled)
    assert (stopped["not_hung_up"], stopped["calls_in_progress"]) == (0, 0)
    assert stopped["hung_up"] == bench.wire.changes.count("cancel") <= sum(cancelled)


@pytest.mark.slow
async def test_calls_that_cannot_be_ended_are_counted_and_the_campaign_stays_paused(
    bench: Bench,
) -> None:
    sandbox = bench.wire.below
    async with bench.client() as client:
        campaign = await calling(bench, client)

        async def refuse(request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith("/conversation/cancel"):
                return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(refuse)
        stopped = await client.call("pause_campaign", campaign_id=campaign, hang_up=True)
    assert (stopped["status"], stopped["hung_up"]) == ("paused", 0)
    assert stopped["not_hung_up"] >= stopped["calls_in_progress"]
    assert stopped["not_hung_up"] > 0
    assert "again at once" in stopped["next_step"]


def failing(bench: Bench, fails: Callable[[httpx2.Request], bool]) -> list[httpx2.Request]:
    """Let these requests fail; give those that did, as they come."""
    sandbox, failed = bench.wire.below, list[httpx2.Request]()

    async def handle(request: httpx2.Request) -> httpx2.Response:
        if fails(request):
            failed.append(request)
            return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})
        return await sandbox.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(handle)
    return failed


@pytest.mark.slow
async def test_a_campaign_whose_calls_cannot_be_listed_leaves_none_of_another_ringing(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        unlisted, other = await running(client, 2)
        bench.clock.advance(seconds=15)
        sandbox = bench.wire.below
        failed = failing(
            bench,
            lambda r: (
                r.url.path.endswith("/conversation") and r.url.params.get("campaignIds") == unlisted
            ),
        )
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
        bench.wire.below = sandbox
        live = await client.call("list_calls", campaign_id=other, status="active")
        assert failed
        assert (live["total"], stopped["hung_up"] > 0) == (0, True)
    assert "Not every call could be found" in stopped["message"]
    assert "again at once" in stopped["next_step"]


@pytest.mark.slow
async def test_calls_that_cannot_be_ended_keep_none_of_another_campaign_ringing(
    tmp_path: Path,
) -> None:
    with Bench.open(tmp_path, Options(speed=1, org_limit=400)) as bench:
        async with bench.client() as client:
            other, stuck = await running(client, 2)  # the newest one is listed first
            bench.clock.advance(seconds=15)
            pages = [
                await client.call("list_calls", campaign_id=stuck, limit=100, page=page)
                for page in (1, 2)
            ]
            calls = {row["id"] for page in pages for row in page["calls"]}
            assert len(calls) == pages[0]["total"]

            def is_stuck(request: httpx2.Request) -> bool:
                end = request.url.path.rpartition("/")[2]
                return (json.loads(request.content)["callId"] if end == "cancel" else end) in calls

            failed = failing(bench, is_stuck)
            stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
            found = await client.call("list_calls", campaign_id=other, status="cancelled")
            going_on = await client.call("get_campaign_status", campaign_id=stuck)
    tried = {request.content for request in failed if request.method == "POST"}
    assert len(tried) == IN_A_ROW
    assert found["total"] >= stopped["hung_up"] > 0
    assert stopped["not_hung_up"] >= going_on["calls_in_progress"] > 0


@pytest.mark.slow
async def test_what_is_on_the_pages_that_could_be_read_is_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging_up, "PAGE", 2)
    async with bench.client() as client:
        await calling(bench, client)
        failing(
            bench,
            lambda r: r.url.path.endswith("/conversation") and r.url.params.get("page") == "2",
        )
        stopped = await client.call("pause_campaign", campaign_id="all", hang_up=True)
    assert stopped["hung_up"] == 2
    assert "again at once" in stopped["next_step"]


@pytest.mark.slow
def test_calls_of_many_campaigns_are_ended_no_faster_than_the_api_allows(tmp_path: Path) -> None:
    async def live() -> list[float]:
        async with far_away(tmp_path) as far:
            await running(far.client, 8)
            await anyio.sleep(15)
            _, taken = await far.taken("pause_campaign", campaign_id="all", hang_up=True)
            return [sent.at for sent in taken.requests if sent.path.endswith("/cancel")]

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        sent = runner.run(live())
    assert len(sent) > RATE
    assert max(sent) - min(sent) >= (len(sent) - RATE - 1) / RATE
