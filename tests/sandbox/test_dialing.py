"""How campaigns are dialled: retries, slots, the DNC list, caller IDs, schedules, cancelling."""

from collections import Counter
from datetime import datetime
from itertools import pairwise

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import (
    AGENT,
    ALWAYS_CONNECTED,
    AUDIENCE,
    CALLER_ID,
    NEVER_ANSWERED,
    Json,
    Sandbox,
    statuses,
)

pytestmark = pytest.mark.anyio

FAR = {"days": 3}


def only(outcome: str) -> Odds:
    weights = dict.fromkeys(("connected", "no_answer", "voicemail", "busy", "failed"), 0.0)
    return Odds(**(weights | {outcome: 1.0}))


async def test_an_execution_is_over_long_before_its_calls(sandbox: Sandbox) -> None:
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    shown = await sandbox.campaign(campaign)
    assert shown["executions"] == [
        {
            "executionNumber": 1,
            "status": "completed",
            "totalMembers": 2,
            "processedMembers": 2,
            "failedMembers": 0,
            "executionType": "initial",
            "startedAt": "2027-01-04T12:00:01.000Z",
            "completedAt": "2027-01-04T12:00:01.500Z",
        }
    ]
    assert shown["currentExecution"]["processedBatches"] == 1
    assert set(statuses(await sandbox.calls(campaign))) == {"processing"}


@pytest.mark.slow
async def test_a_call_rings_talks_and_ends(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    seen: list[str] = []
    for _ in range(240):
        sandbox.clock.advance(seconds=0.5)
        rows = await sandbox.calls(campaign)
        seen += [row["status"] for row in rows[:1] if row["status"] not in seen[-1:]]
    assert seen == ["processing", "active", "completed"]
    details = await sandbox.details(campaign)
    assert details["metrics"]["contacts_connected"] == 2
    assert "currentExecution" not in details["campaign"]


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        ("no_answer", "no_answer", "dial_no_answer"),
        ("busy", "no_answer", "dial_busy"),
        ("voicemail", "no_answer", "voicemail"),
    ],
)
async def test_unanswered_calls_last_no_second_and_cost_nothing(
    open_sandbox: OpenSandbox, outcome: str, status: str, reason: str
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=only(outcome)))
    campaign = await sandbox.started(maxRetries=0)
    sandbox.clock.advance(**FAR)
    for call in await sandbox.calls(campaign):
        assert call["status"] == status
        assert call["disconnectionReason"] == reason
        assert call["duration"] == call["callCost"] == 0
        assert "recordingUrl" not in call
    metrics = (await sandbox.details(campaign))["metrics"]
    assert (metrics["contacts_called"], metrics["contacts_connected"]) == (2, 0)


@pytest.mark.parametrize("outcome", ["no_answer", "failed"])
async def test_a_retry_is_dialled_the_delay_after_the_attempt_ended(
    open_sandbox: OpenSandbox, outcome: str
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=only(outcome)))
    campaign = await sandbox.started(maxRetries=2, retryDelay=7)
    sandbox.clock.advance(minutes=2)
    assert (await sandbox.campaign(campaign))["retryAttempts"] == 0
    sandbox.clock.advance(**FAR)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["campaign"]["retryAttempts"] == 4
    assert len(details["campaign"]["executions"]) == 1
    first = (await sandbox.get("/conversation", campaignIds=campaign))["logs"][0]
    family = (await sandbox.get(f"/conversation/{first['callId']}/retries"))["retries"]
    assert [call["retryAttemptNumber"] for call in family] == [0, 1, 2]
    assert [call.get("retryCallId") for call in family] == [
        family[1]["callId"],
        family[2]["callId"],
        None,
    ]
    assert {call["retryCount"] for call in family} == {2}
    for earlier, later in pairwise(family):
        shown = await sandbox.get(f"/conversation/{earlier['callId']}")
        ended = shown["events"][-1]
        assert ended["eventType"] == "ended"
        assert minutes_between(ended["timestamp"], later["createdAt"]) == 7


def minutes_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds() / 60


async def test_nobody_is_dialled_more_than_once_plus_the_retries(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=NEVER_ANSWERED))
    for retries in (0, 1, 10):
        campaign = await sandbox.started(maxRetries=retries, retryDelay=1)
        sandbox.clock.advance(**FAR)
        numbers = Counter(call["to"] for call in await sandbox.calls(campaign))
        assert set(numbers.values()) == {retries + 1}
        exported = await sandbox.get(f"/campaign/{campaign}/export/by-audience-member")
        assert {row["finalStatus"] for row in exported} == {"failed"}


async def test_own_calls_queue_for_the_slots_of_the_organization(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=3))
    audience = await sandbox.audience_of(120)
    campaign = await sandbox.started(audienceId=audience, maxRetries=0)
    sandbox.clock.advance(seconds=3)
    counted = Counter(statuses(await sandbox.calls(campaign)))
    assert counted["processing"] + counted["active"] == 3
    assert counted["in_queue"] >= 90
    current = (await sandbox.campaign(campaign))["currentExecution"]
    assert (current["totalMembers"], current["processedMembers"]) == (120, 100)
    assert (current["totalBatches"], current["processedBatches"]) == (2, 1)


async def test_campaigns_share_the_slots_evenly(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=4, odds=ALWAYS_CONNECTED))
    audience = await sandbox.audience_of(50)
    campaigns = [await sandbox.started(audienceId=audience) for _ in range(2)]
    for _ in range(60):
        sandbox.clock.advance(seconds=10)
        await sandbox.get("/user")
    live = [
        sum(call["status"] in ("processing", "active") for call in await sandbox.calls(campaign))
        for campaign in campaigns
    ]
    assert live == [2, 2]


async def test_numbers_on_the_dnc_list_are_not_dialled(sandbox: Sandbox) -> None:
    audiences = {row["name"]: row["_id"] for row in await sandbox.get("/audience")}
    listed = await sandbox.get("/dnc")
    whole = {entry["phoneNumber"] for entry in listed["entries"] if "agentId" not in entry}
    for name, blocked in (("Spring renewals", 1), ("Newsletter readers", 3)):
        campaign = await sandbox.started(audienceId=audiences[name], maxRetries=0)
        sandbox.clock.advance(**FAR)
        calls = await sandbox.calls(campaign, statusFilter="blocked")
        assert len(calls) == blocked
        assert {call["to"] for call in calls} <= whole
        assert {call["callFailureReason"] for call in calls} == {"Number is on the DNC list"}
        details = await sandbox.details(campaign)
        called = details["metrics"]["total_participants"] - blocked
        assert details["metrics"]["contacts_called"] == called
        assert details["campaign"]["status"] == "completed"


async def test_an_entry_for_one_agent_blocks_that_agent_only(sandbox: Sandbox) -> None:
    agents = {row["name"]: row["_id"] for row in (await sandbox.get("/agent"))["agents"]}
    audiences = {row["name"]: row["_id"] for row in await sandbox.get("/audience")}
    campaign = await sandbox.started(
        agentId=agents["Follow-up"], audienceId=audiences["Newsletter readers"], maxRetries=0
    )
    sandbox.clock.advance(**FAR)
    assert len(await sandbox.calls(campaign, statusFilter="blocked")) == 4


async def test_the_agents_own_number_is_used_when_none_is_chosen(sandbox: Sandbox) -> None:
    campaign = await sandbox.started(phoneNumberIds=None)
    sandbox.clock.advance(seconds=2)
    assert {call["from"] for call in await sandbox.calls(campaign)} == {"+912268093560"}


async def test_an_agent_archived_after_the_creation_fails_the_start(sandbox: Sandbox) -> None:
    campaign = await sandbox.create()
    await sandbox.call("DELETE", f"/agent/{AGENT}/archive")
    await sandbox.start(campaign)
    sandbox.clock.advance(seconds=2)
    assert (await sandbox.campaign(campaign))["error"] == "Agent is archived"


async def test_caller_ids_take_turns_and_a_contact_keeps_its_own(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=NEVER_ANSWERED))
    numbers = await sandbox.get("/product/phone-numbers")
    ids = [number["_id"] for number in numbers if number["isActive"]]
    campaign = await sandbox.started(phoneNumberIds=ids, maxRetries=1, retryDelay=1)
    sandbox.clock.advance(**FAR)
    calls = await sandbox.calls(campaign)
    assert len({call["from"] for call in calls}) == 2
    assert len({(call["from"], call["to"]) for call in calls}) == 2


async def test_deleting_a_dispatched_campaign_drops_its_queue_and_retries(
    open_sandbox: OpenSandbox,
) -> None:
    options = Options(speed=1, completion="dispatched", odds=NEVER_ANSWERED, org_limit=1)
    sandbox = open_sandbox(options=options)
    campaign = await sandbox.started(maxRetries=1, retryDelay=5)
    sandbox.clock.advance(seconds=2)
    await sandbox.call("DELETE", f"/campaign/{campaign}")
    sandbox.clock.advance(hours=1)
    assert statuses(await sandbox.calls(campaign)) == ["no_answer", "cancelled"]


async def test_a_scheduled_campaign_starts_by_itself(sandbox: Sandbox) -> None:
    body: Json = {"scheduledAt": "2027-01-04T14:30:00.250+02:00", "maxRetries": 0}
    campaign = await sandbox.create(**body)
    shown = await sandbox.campaign(campaign)
    assert (shown["status"], shown["scheduledAt"]) == ("scheduled", "2027-01-04T12:30:00.250Z")
    sandbox.clock.advance(minutes=30)
    assert await sandbox.status(campaign) == "scheduled"
    sandbox.clock.advance(seconds=1)
    assert await sandbox.status(campaign) == "processing"
    sandbox.clock.advance(minutes=10)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["events"][-1]["createdAt"] == "2027-01-04T12:30:00.250Z"


async def test_a_naive_schedule_is_utc_and_the_past_is_refused(sandbox: Sandbox) -> None:
    campaign = await sandbox.create(scheduledAt="2027-01-04T12:00:01")
    assert (await sandbox.campaign(campaign))["scheduledAt"] == "2027-01-04T12:00:01.000Z"
    body = {
        "name": "x",
        "agentId": AGENT,
        "audienceId": AUDIENCE,
        "phoneNumberIds": [CALLER_ID],
        "scheduledAt": "2027-01-04T12:00:00Z",
    }
    assert await sandbox.refused("POST", "/campaign", json=body) == [
        "scheduledAt must be in the future"
    ]


async def test_a_deleted_schedule_never_starts(sandbox: Sandbox) -> None:
    campaign = await sandbox.create(scheduledAt="2027-01-04T13:00:00Z")
    await sandbox.call("DELETE", f"/campaign/{campaign}")
    sandbox.clock.advance(hours=2)
    assert await sandbox.calls(campaign) == []


async def test_contacts_are_frozen_at_the_first_start(sandbox: Sandbox) -> None:
    campaign = await sandbox.create(maxRetries=0)
    path = f"/audience/{AUDIENCE}/members"
    await sandbox.call("POST", path, json={"members": [{"phoneNumber": "+12025550177"}]})
    await sandbox.start(campaign)
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=2)
    await sandbox.call("POST", path, json={"members": [{"phoneNumber": "+12025550178"}]})
    await sandbox.start(campaign)
    sandbox.clock.advance(**FAR)
    metrics = (await sandbox.details(campaign))["metrics"]
    assert metrics["total_participants"] == metrics["contacts_called"] == 3


@pytest.mark.parametrize("ticking", ["ringing", "talking"])
async def test_cancelling_a_live_call_frees_its_slot_at_once(
    open_sandbox: OpenSandbox, ticking: str
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2 if ticking == "ringing" else 23)
    first, second = await sandbox.calls(campaign)
    expected = "processing" if ticking == "ringing" else "active"
    assert (first["status"], second["status"]) == (expected, "in_queue")
    body = {"callId": first["callId"], "reason": "wrong list"}
    assert await sandbox.call("POST", "/conversation/cancel", json=body) == {
        "callId": first["callId"],
        "status": "cancelled",
        "previousStatus": expected,
    }
    assert statuses(await sandbox.calls(campaign)) == ["cancelled", "processing"]
    assert (
        "already ended" in (await sandbox.refused("POST", "/conversation/cancel", json=body)).pop()
    )
    sandbox.clock.advance(minutes=5)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["metrics"]["contacts_called"] == 1


async def test_a_queued_call_can_be_cancelled_by_path(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    live, queued = await sandbox.calls(campaign)
    path = f"/conversation/{live['callId']}/cancel"
    assert await sandbox.refused("POST", path) == [
        f"Conversation with ID {live['callId']} is not in queue and cannot be cancelled"
    ]
    assert await sandbox.call("POST", f"/conversation/{queued['callId']}/cancel") == {
        "callId": queued["callId"],
        "status": "cancelled",
    }
    sandbox.clock.advance(minutes=5)
    assert await sandbox.status(campaign) == "completed"
    assert statuses(await sandbox.calls(campaign)) == ["completed", "cancelled"]
    exported = await sandbox.get(f"/campaign/{campaign}/export/by-audience-member")
    assert [row["finalStatus"] for row in exported] == ["completed", "cancelled"]


async def test_cancelling_every_call_completes_the_campaign(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=1))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    for call in reversed(await sandbox.calls(campaign)):
        await sandbox.call("POST", "/conversation/cancel", json={"callId": call["callId"]})
    assert await sandbox.status(campaign) == "completed"
