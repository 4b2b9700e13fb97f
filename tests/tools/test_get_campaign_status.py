from typing import Any

import httpx2
import pytest

from tests.support.bench import Bench
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
        "executions": [{"number": 1, "status": "completed", "members": 500, "dispatched": 500}],
        "events": [{"action": "started", "source": "system", "at": "2027-01-04"}],
        "next_step": "Call watch_campaign to follow it, or pause_campaign to stop it.",
    }
    assert getattr(result.content[0], "text", "") == (
        f'[sandbox] Campaign "January Outreach" ({ID}; agent {"a" * 24}, audience {"b" * 24}) is '
        "running. 247 of 500 contacts called (49.4%), 150 of them connected (60.7%), 253 not "
        "called yet, 12 retries so far, max_retries 3, 15 min apart. "
        "Executions: 1 completed, 500 of 500 dispatched. "
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
