from typing import Any

import anyio
import httpx2
import pytest
from mcp_types import ResourceUpdatedNotification

from atoms_campaigns_mcp.caching import shared_polls
from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import AGENT, AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
LARGE = {**DRAFT, "audience_id": "Newsletter readers"}


async def started(client: Caller, **more: Any) -> dict[str, Any]:
    made = await client.call("create_campaign", **{**LARGE, **more})
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    return {"campaign_id": made["campaign_id"]}


def seconds(bench: Bench) -> float:
    return bench.clock.monotonic()


@pytest.mark.slow
async def test_a_change_ends_the_wait_early(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        before = seconds(bench)
        report = await client.call("watch_campaign", **campaign, wait_seconds=45)
    assert report["reached"] is True
    assert report["finished"] is False
    assert report["contacts_called"] > 0
    assert seconds(bench) - before < 30


async def test_nothing_new_ends_after_wait_seconds_and_says_how_to_go_on(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00Z")
        before = seconds(bench)
        result = await client.raw(
            "watch_campaign", campaign_id=made["campaign_id"], wait_seconds=12
        )
    report = result.structured_content
    assert report is not None
    assert (report["reached"], report["finished"], report["status"]) == (False, False, "scheduled")
    assert 12 <= seconds(bench) - before <= 12 + shared_polls.SLOWEST
    assert f"since {report['since']}" in report["next_step"]
    assert report["since"] in text_of(result)


async def test_since_shows_what_changed_while_nobody_watched(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        first = await client.call("watch_campaign", **campaign, wait_seconds=1)
        same = await client.call("watch_campaign", **campaign, wait_seconds=1, since=first["since"])
        await client.call("start_campaign", **campaign)
        before = seconds(bench)
        later = await client.call(
            "watch_campaign", **campaign, wait_seconds=45, since=first["since"]
        )
    assert (first["reached"], same["reached"], later["reached"]) == (False, False, True)
    assert same["since"] == first["since"] != later["since"]
    assert seconds(bench) == before


@pytest.mark.slow
@pytest.mark.parametrize("until", ["running", "paused"])
async def test_a_state_that_is_already_there_is_told_at_once(bench: Bench, until: str) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        if until == "paused":
            await client.call("pause_campaign", **campaign)
        before = seconds(bench)
        report = await client.call("watch_campaign", **campaign, until=until)
    assert (report["reached"], report["status"]) == (True, until)
    assert seconds(bench) == before


async def test_until_running_waits_through_the_setting_up(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **LARGE)
        campaign = {"campaign_id": made["campaign_id"]}
        await bench.api("POST", f"/campaign/{made['campaign_id']}/start")
        before = await client.call("get_campaign_status", **campaign)
        report = await client.call("watch_campaign", **campaign, until="running")
    assert before["status"] == "processing"
    assert (report["reached"], report["status"]) == (True, "running")


@pytest.mark.slow
@pytest.mark.parametrize("until", ["running", "paused"])
async def test_a_state_that_can_no_more_come_ends_the_wait_and_is_not_called_reached(
    bench: Bench, until: str
) -> None:
    async with bench.client() as client:
        campaign = await started(client, max_retries=0)
        bench.clock.advance(hours=5)
        await client.call("get_campaign_status", **campaign)
        before = seconds(bench)
        report = await client.call("watch_campaign", **campaign, until=until, wait_seconds=45)
    assert (report["reached"], report["status"], report["finished"]) == (False, "completed", True)
    assert seconds(bench) == before
    assert "get_campaign_results" in report["next_step"]


async def test_watching_a_draft_leads_to_its_start_and_not_to_watching_for_ever(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        report = await client.call(
            "watch_campaign", campaign_id=made["campaign_id"], until="finished", wait_seconds=3
        )
    assert (report["reached"], report["status"]) == (False, "draft")
    assert "preview_campaign" in report["next_step"]


@pytest.mark.slow
async def test_of_a_finished_campaign_status_and_watch_say_the_same_and_not_that_calls_go_on(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        bench.clock.advance(days=1)
        watched = await client.call("watch_campaign", **campaign, until="finished")
        status = await client.call("get_campaign_status", **campaign)
    assert watched["finished"]
    assert (status["calls_in_progress"], status["retries_due"]) == (0, 0)
    assert status["next_step"] == watched["next_step"]


@pytest.mark.slow
async def test_finished_waits_for_retries_and_calls_in_progress(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client, audience_id="Spring renewals", max_retries=1)
        reports: list[dict[str, Any]] = []
        while not (reports and reports[-1]["finished"]):
            assert len(reports) < 100
            since = {"since": reports[-1]["since"]} if reports else {}
            reports.append(
                await client.call(
                    "watch_campaign", **campaign, until="finished", wait_seconds=45, **since
                )
            )
        calls = await client.call("list_calls", **campaign, limit=100)
    last = reports[-1]
    assert (last["calls_in_progress"], last["retries_due"]) == (0, 0)
    assert not any(report["reached"] for report in reports[:-1])
    live = {"in_queue", "processing", "active", "pending", "in_progress"}
    assert not live & {row["status"] for row in calls["calls"]}
    tried = [row["attempt"] for row in calls["calls"]]
    assert tried.count(2) == last["retry_attempts"] > 0


async def test_a_retry_that_is_due_keeps_an_early_completed_from_being_the_end(
    tmp_path: Any,
) -> None:
    odds = Odds(connected=0, no_answer=1, voicemail=0, busy=0, failed=0)
    options = Options(speed=1, completion="dispatched", odds=odds)
    with Bench.open(tmp_path, options) as bench:
        async with bench.client() as client:
            made = await client.call("create_campaign", **DRAFT, max_retries=1, retry_delay=10)
            campaign = {"campaign_id": made["campaign_id"]}
            await client.call("start_campaign", **campaign)
            bench.clock.advance(minutes=5)
            waiting = await client.call(
                "watch_campaign", **campaign, until="finished", wait_seconds=1
            )
            bench.clock.advance(minutes=20)
            over = await client.call("watch_campaign", **campaign, until="finished")
    assert (waiting["status"], waiting["finished"]) == ("completed", False)
    assert (waiting["calls_in_progress"], waiting["retries_due"]) == (0, 2)
    assert (over["finished"], over["retries_due"]) == (True, 0)
    assert over["retry_attempts"] == 2


async def test_a_failed_campaign_is_finished_with_its_reason(bench: Bench) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        inactive = next(row["id"] for row in numbers if not row["active"])
        body = {
            "name": "Mute",
            "agentId": AGENT,
            "audienceId": AUDIENCE,
            "phoneNumberIds": [inactive],
        }
        made = await bench.api("POST", "/campaign", body)
        campaign = {"campaign_id": made["_id"]}
        await bench.api("POST", f"/campaign/{made['_id']}/start")
        result = await client.raw("watch_campaign", **campaign, until="finished")
    report = result.structured_content
    assert report is not None
    assert (report["status"], report["finished"]) == ("failed", True)
    assert "No phone numbers available" in text_of(result)


@pytest.mark.slow
async def test_progress_tells_total_called_and_connected_meanwhile(bench: Bench) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with bench.client() as client:
        campaign = await started(client)
        await client.client.call_tool(
            "watch_campaign",
            {**campaign, "until": "finished", "wait_seconds": 45},
            progress_callback=hear,
        )
    assert len(heard) > 5
    assert {total for _, total, _ in heard} == {500}
    called = [progress for progress, _, _ in heard]
    assert called == sorted(called)
    assert called[-1] > called[0]
    assert heard[-1][2] is not None
    assert heard[-1][2].startswith(f"running: {called[-1]:g} of 500 called, ")
    assert heard[-1][2].endswith(" connected")


@pytest.mark.slow
async def test_a_listener_hears_of_changes_while_somebody_watches(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        uri = f"atoms://campaigns/{campaign['campaign_id']}"
        other = f"atoms://campaigns/{'a' * 24}"
        async with client.client.listen(resource_subscriptions=[uri, other]) as listener:
            await client.call("watch_campaign", **campaign)
            with anyio.fail_after(5):
                event = await anext(listener)
    assert getattr(event, "uri", None) == uri


@pytest.mark.slow
async def test_a_listener_hears_of_each_change_though_nobody_watches(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **LARGE)
        campaign = {"campaign_id": made["campaign_id"]}
        uri = f"atoms://campaigns/{made['campaign_id']}"
        async with client.client.listen(resource_subscriptions=[uri]) as listener:
            for change in ("start_campaign", "pause_campaign", "delete_campaign"):
                await client.call(change, **campaign)
                with anyio.fail_after(5):
                    assert getattr(await anext(listener), "uri", None) == uri, change
                await client.call("list_campaigns")  # changes nothing


@pytest.mark.slow
async def test_a_client_of_the_older_era_hears_of_changes_too(bench: Bench) -> None:
    heard: list[str] = []
    async with bench.client("legacy") as client:

        async def hear(message: Any) -> None:
            if isinstance(message, ResourceUpdatedNotification):
                heard.append(str(message.params.uri))

        client.client.session._message_handler = hear  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        campaign = await started(client)
        await client.call("watch_campaign", **campaign)
        await client.call("get_campaign_status", **campaign)
        await client.call("pause_campaign", **campaign)
        await client.call("pause_campaign", **campaign)  # it was already
    assert heard == [f"atoms://campaigns/{campaign['campaign_id']}"] * 3


async def requests_of(bench: Bench, client: Caller, campaign: dict[str, Any], many: int) -> int:
    before = len(bench.wire.requests)
    reports: list[dict[str, Any]] = []

    async def watch() -> None:
        reports.append(
            await client.call("watch_campaign", **campaign, until="finished", wait_seconds=30)
        )

    async with anyio.create_task_group() as tasks:
        for _ in range(many):
            tasks.start_soon(watch)
    assert len(reports) == many
    assert len({report["since"] for report in reports}) == 1
    return len(bench.wire.requests) - before


@pytest.mark.slow
async def test_a_hundred_watchers_cost_the_requests_of_one(tmp_path: Any) -> None:
    costs: list[int] = []
    for many in (1, 100):
        (folder := tmp_path / str(many)).mkdir()
        with Bench.open(folder) as bench:
            async with bench.client() as client:
                campaign = await started(client)
                costs.append(await requests_of(bench, client, campaign, many))
    # Facts are read at once, in an order that moves the clock a little: a look may be more.
    assert costs[0] > 5
    assert abs(costs[1] - costs[0]) <= 1


@pytest.mark.slow
async def test_when_nothing_changes_looks_become_rarer(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00Z")
        quiet = await requests_of(bench, client, {"campaign_id": made["campaign_id"]}, 1)
        busy = await requests_of(bench, client, await started(client), 1)
    assert quiet <= 12
    assert busy >= 25


@pytest.mark.slow
async def test_a_cancelled_watcher_leaves_the_others_and_later_ones_watching(
    bench: Bench,
) -> None:
    sandbox = bench.wire.below
    looked, go_on = anyio.Event(), anyio.Event()

    async def hold(request: httpx2.Request) -> httpx2.Response:
        looked.set()
        await go_on.wait()
        return await sandbox.handle_async_request(request)

    reports: list[dict[str, Any]] = []
    async with bench.client() as client:
        campaign = await started(client)

        async def watch(scope: anyio.CancelScope) -> None:
            with scope:
                reports.append(await client.call("watch_campaign", **campaign))

        bench.wire.below = httpx2.MockTransport(hold)
        first, second = anyio.CancelScope(), anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch, first)
            with anyio.fail_after(5):
                await looked.wait()
            tasks.start_soon(watch, second)
            await anyio.wait_all_tasks_blocked()
            first.cancel()
            go_on.set()
        third = await client.call("watch_campaign", **campaign)
    assert first.cancelled_caught
    assert [report["reached"] for report in reports] == [True]
    assert third["contacts_called"] >= reports[0]["contacts_called"]


@pytest.mark.slow
async def test_a_fault_before_the_first_look_is_told_to_all_who_wait_for_it(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(503))
        before, texts = len(bench.wire.requests), list[str]()

        async def watch() -> None:
            texts.append(await client.refused("watch_campaign", **campaign))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(watch)
    assert len(texts) == 20
    assert all("has a fault (503)" in text for text in texts)
    assert len(bench.wire.requests) - before <= 8


async def test_a_campaign_that_is_not_there_or_goes_meanwhile_is_an_error(bench: Bench) -> None:
    async with bench.client() as client:
        unknown = await client.refused("watch_campaign", campaign_id="f" * 24)
        made = await client.call("create_campaign", **DRAFT)
        sandbox, looks = bench.wire.below, list[int]()

        async def delete_at_third(request: httpx2.Request) -> httpx2.Response:
            looks.append(1)
            if len(looks) == 3:
                await bench_delete(sandbox, request)
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(delete_at_third)
        gone = await client.refused("watch_campaign", campaign_id=made["campaign_id"])
    assert "Campaign not found" in unknown
    assert "Campaign not found" in gone


async def bench_delete(sandbox: httpx2.AsyncBaseTransport, seen: httpx2.Request) -> None:
    gone = await sandbox.handle_async_request(
        httpx2.Request("DELETE", seen.url, headers={"Authorization": seen.headers["authorization"]})
    )
    assert gone.status_code == 200
