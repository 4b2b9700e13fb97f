from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.toolkit.reports import campaign_results
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
ID = "696ddd2a04ff172dbd8eddad"
FULL: dict[str, Any] = {
    "campaign": {
        "_id": ID,
        "name": "January Outreach",
        "status": "running",
        "agent": {"_id": "a" * 24, "name": "Renewals"},
        "audience": {"_id": "b" * 24, "name": "January list"},
        "maxRetries": 3,
        "retryDelay": 15,
        "retryAttempts": 12,
        "executions": [
            {
                "executionNumber": 1,
                "status": "completed",
                "totalMembers": 500,
                "processedMembers": 500,
            }
        ],
        "__v": 0,
        "secretField": "sk_live_hidden",
    },
    "events": [{"eventAction": "started", "triggerSource": "system", "createdAt": "2027-01-04"}],
    "metrics": {"total_participants": 500, "contacts_called": 247, "contacts_connected": 150},
}


def answer(bench: Bench, **changes: Any) -> None:
    data = {**FULL, **changes}
    bench.wire.below = httpx2.MockTransport(
        lambda _: httpx2.Response(200, json={"status": True, "data": data})
    )


async def test_called_and_connected_are_explained_as_numbers(bench: Bench) -> None:
    answer(bench)
    async with bench.client() as client:
        result = await client.raw("get_campaign_status", campaign_id=ID)
    assert result.structured_content == {
        "mode": "sandbox",
        "campaign_id": ID,
        "name": "January Outreach",
        "status": "running",
        "agent_id": "a" * 24,
        "agent": "Renewals",
        "audience_id": "b" * 24,
        "audience": "January list",
        "total_participants": 500,
        "contacts_called": 247,
        "contacts_connected": 150,
        "contacts_remaining": 253,
        "called_percent": 49.4,
        "connected_percent": 60.7,
        "max_retries": 3,
        "retry_delay": 15,
        "retry_attempts": 12,
        "unknown": ["calls_in_progress", "retries_due", "contacts_finished"],
        "starts": [{"number": 1, "status": "completed", "contacts": 500, "handed_over": 500}],
        "events": [{"action": "started", "source": "system", "at": "2027-01-04"}],
        "next_step": "Call watch_campaign to follow it, or pause_campaign to stop it.",
    }
    assert getattr(result.content[0], "text", "") == (
        f'[sandbox] Campaign "January Outreach" ({ID}; agent {"a" * 24}, audience {"b" * 24}) is '
        "running. 247 of 500 contacts called (49.4%), 150 of them connected (60.7%), 253 not "
        "called yet; unknown calls in progress, unknown contacts finished, unknown retries due, "
        "12 made, max_retries 3, 15 min apart. "
        "Starts and resumptions, with contacts handed to the dialer: no. 1 completed, 500 of 500 "
        "contacts. "
        "Call watch_campaign to follow it, or pause_campaign to stop it."
    )


async def test_missing_metrics_are_absent_and_not_zero(bench: Bench) -> None:
    answer(bench, metrics=None, events=None)
    async with bench.client() as client:
        result = await client.raw("get_campaign_status", campaign_id=ID)
    assert result.structured_content is not None
    assert not {"contacts_called", "called_percent"} & set(result.structured_content)
    assert "The API gave no metrics." in getattr(result.content[0], "text", "")


async def test_nothing_called_yet_divides_by_nothing(bench: Bench) -> None:
    answer(bench, metrics={"total_participants": 0, "contacts_called": 0, "contacts_connected": 0})
    async with bench.client() as client:
        report = await client.call("get_campaign_status", campaign_id=ID)
    assert (report["called_percent"], report["connected_percent"]) == (0, 0)


async def test_a_state_that_is_not_known_yet_is_passed_on(bench: Bench) -> None:
    answer(bench, campaign={**FULL["campaign"], "status": "scheduled_for_retry"})
    async with bench.client() as client:
        report = await client.call("get_campaign_status", campaign_id=ID)
    assert report["status"] == "scheduled_for_retry"
    assert "not known to this server" in report["next_step"]


async def test_texts_from_outside_lose_control_characters_and_excess(bench: Bench) -> None:
    answer(bench, campaign={**FULL["campaign"], "name": "A\x1b[31m\n\u202eB" + "x" * 400})
    async with bench.client() as client:
        report = await client.call("get_campaign_status", campaign_id=ID)
    assert report["name"].startswith("A [31m B")
    assert len(report["name"]) == 100


async def test_a_failed_campaign_says_why(bench: Bench) -> None:
    error = "No phone numbers available"
    answer(bench, campaign={**FULL["campaign"], "status": "failed", "error": error})
    async with bench.client() as client:
        result = await client.raw("get_campaign_status", campaign_id=ID)
    assert f'It failed: "{error}".' in getattr(result.content[0], "text", "")


async def test_an_unknown_campaign_is_not_found(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("get_campaign_status", campaign_id="f" * 24)
    assert "Campaign not found" in text


async def test_a_draft_has_its_participants_and_a_next_step(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        report = await client.call("get_campaign_status", campaign_id=made["campaign_id"])
    assert (report["status"], report["total_participants"]) == ("draft", 2)
    assert "preview_campaign" in report["next_step"]


async def dialling(
    bench: Bench, client: Caller, *, seconds: int = 120, **more: Any
) -> dict[str, str]:
    draft = {**DRAFT, "audience_id": "Spring renewals", "max_retries": 1, **more}
    made = await client.call("create_campaign", **draft)
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.clock.advance(seconds=seconds)
    return {"campaign_id": made["campaign_id"]}


async def states(bench: Bench, campaign: dict[str, str]) -> list[list[str]]:
    """The states of the calls of each contact, from the sandbox itself."""
    path = f"/conversation?campaignIds={campaign['campaign_id']}&callAttemptFilter=all&limit=500"
    calls = sorted((await bench.api("GET", path))["logs"], key=lambda c: c["retryAttemptNumber"])
    contacts: dict[str, list[str]] = {}
    for call in calls:
        contacts.setdefault(call["to"], []).append(call["status"])
    return list(contacts.values())


@pytest.mark.slow
async def test_what_goes_on_is_counted_while_it_dials_and_while_it_is_paused(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await dialling(bench, client)
        running = await client.call("get_campaign_status", **campaign)
        before = await states(bench, campaign)
        await client.call("pause_campaign", **campaign)
        bench.clock.advance(hours=6)
        result = await client.raw("get_campaign_status", **campaign)
        after = await states(bench, campaign)
        watched = await client.call("watch_campaign", **campaign, wait_seconds=1)
    paused = result.structured_content
    assert paused is not None
    for report, seen in ((running, before), (paused, after)):
        due = [s for s in seen if len(s) == 1 and s[0] in {"no_answer", "failed"}]
        live = [s for s in seen if s[-1] in {"active", "in_queue", "processing"}]
        assert report["retries_due"] == len(due) > 0
        assert report["calls_in_progress"] == len(live)
        called = [s for s in seen if s[-1] != "cancelled"]
        assert report["contacts_finished"] == len(called) - len(due) - len(live) > 0
        assert report["unknown"] == []
    assert paused["status"] == "paused"
    text = getattr(result.content[0], "text", "")
    assert f"{paused['retries_due']} retries due" in text
    counts = ("calls_in_progress", "retries_due", "contacts_finished")
    assert [watched[name] for name in counts] == [paused[name] for name in counts]
    assert watched["finished"] is False


@pytest.mark.slow
async def test_of_a_campaign_without_retries_no_text_speaks_of_retries(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await dialling(bench, client, seconds=40, max_retries=0)
        told = [await client.raw(tool, **campaign) for tool in LOOKS]
        await client.call("pause_campaign", **campaign)
        told += [await client.raw(tool, **campaign) for tool in LOOKS]
        await client.call("start_campaign", **campaign)
        bench.clock.advance(hours=3)
        told += [await client.raw(tool, **campaign) for tool in LOOKS]
    for result in told:
        text = text_of(result).replace("max_retries 0", "")
        assert "retr" not in text.casefold(), text
        assert result.structured_content is not None
        assert result.structured_content["retries_due"] == 0


LOOKS = ("get_campaign_status", "watch_campaign", "get_campaign_results")


async def test_what_cannot_be_read_is_unknown_and_not_nothing(bench: Bench) -> None:
    sandbox = bench.wire.below

    async def away(request: httpx2.Request) -> httpx2.Response:
        if "/conversation" in request.url.path:
            return httpx2.Response(400, json={"status": False, "errors": ["out of order"]})
        return await sandbox.handle_async_request(request)

    async with bench.client() as client:
        campaign = await dialling(bench, client)
        bench.wire.below = httpx2.MockTransport(away)
        result = await client.raw("get_campaign_status", **campaign)
    data, text = result.structured_content, text_of(result)
    assert data is not None
    assert data["unknown"] == ["calls_in_progress", "retries_due", "contacts_finished"]
    assert not {"calls_in_progress", "retries_due", "contacts_finished"} & set(data)
    assert "unknown calls in progress" in text


async def test_a_large_campaign_that_dials_is_not_exported_for_its_state(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_results, "READABLE", 10)
    async with bench.client() as client:
        campaign = await dialling(bench, client, seconds=40)
        running = await client.call("get_campaign_status", **campaign)
        exported = [r for r in bench.wire.requests if "/export/" in r.url.path]
        await client.call("pause_campaign", **campaign)
        paused = await client.call("get_campaign_status", **campaign)
    assert exported == []
    assert running["unknown"] == ["retries_due", "contacts_finished"]
    assert running["calls_in_progress"] > 0
    assert paused["unknown"] == []
