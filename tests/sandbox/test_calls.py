"""The call log, one call, and the two exports."""

import csv
import io

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import (
    AGENT,
    ALWAYS_CONNECTED,
    UNKNOWN,
    Json,
    Sandbox,
    statuses,
)

pytestmark = pytest.mark.anyio


async def finished(sandbox: Sandbox) -> str:
    """The campaign that every new organization finds finished."""
    return (await sandbox.get("/campaign"))["campaigns"][0]["_id"]


async def test_the_log_shows_roots_first_page_by_page(sandbox: Sandbox) -> None:
    page = await sandbox.get("/conversation")
    assert len(page["logs"]) == 5
    assert {call["retryAttemptNumber"] for call in page["logs"]} == {0}
    assert page["pagination"] == {
        "total": 25,
        "page": 1,
        "limit": 5,
        "hasMore": True,
        "totalPages": 5,
    }
    assert page["dispositionMetricsConfig"][0]["identifier"] == "interested"
    updated = [call["updatedAt"] for call in page["logs"]]
    assert updated == sorted(updated, reverse=True)


async def test_the_log_is_filtered(sandbox: Sandbox) -> None:
    campaign = await finished(sandbox)

    async def count(**params: object) -> int:
        return (await sandbox.get("/conversation", limit=500, **params))["pagination"]["total"]

    every = await count(callAttemptFilter="all")
    assert every == 25 + await count(callAttemptFilter="retry")
    assert every == await count(callAttemptFilter="initial,retry")
    assert await count(campaignIds=f"{UNKNOWN},{campaign}") == 25
    assert await count(campaignIds=UNKNOWN) == 0
    assert await count(agentIds=AGENT) == 25
    assert await count(callTypes="telephony_inbound") == 0
    assert await count(callTypes="telephony_outbound,webcall") == 25
    assert await count(statusFilter="blocked") == 1
    assert await count(versionFilter="v1") == 0
    assert await count(search="CALL-") == 25
    assert await count(search="+447700") > 0
    by_reason = [
        await count(disconnectReasonFilter=reason)
        for reason in ("user_hangup,agent_hangup", "dial_no_answer,voicemail,dial_busy")
    ]
    assert 0 < sum(by_reason) <= 24
    spans = [await count(durationFilter=span) for span in ("0-30", "30-60", "1-5", "5+")]
    assert sum(spans) == 25
    assert await count(durationFilter="0-30,30-60,1-5,5+") == 25
    assert await count(dateFrom="2027-01-02T00:00:00Z") == 0
    assert await count(dateFrom="2027-01-01T12:00:00Z", dateTo="2027-01-02T00:00:00Z") == 25


async def test_the_log_is_sorted(sandbox: Sandbox) -> None:
    for column, field in (("createdAt", "createdAt"), ("callDuration", "duration")):
        page = await sandbox.get("/conversation", limit=500, sortBy=column, sortOrder="asc")
        values = [call[field] for call in page["logs"]]
        assert values == sorted(values)
    page = await sandbox.get("/conversation", limit=500, sortBy="avgLatency")
    assert len(page["logs"]) == 25


async def test_wrong_filters_are_refused_together(sandbox: Sandbox) -> None:
    query = {
        "limit": "0",
        "callAttemptFilter": "first",
        "durationFilter": "long",
        "sortBy": "x",
        "dateFrom": "today",
    }
    problems = await sandbox.refused("GET", "/conversation", params=query)
    assert [problem.partition(":")[0] for problem in problems] == [
        "limit",
        "callAttemptFilter",
        "durationFilter",
        "sortBy",
        "dateFrom",
    ]


async def test_a_connected_call_has_transcript_variables_and_a_price(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    audience = await sandbox.upload(
        "phoneNumber,Name,plan\n+12025550101,Ada {x},basic\n", identifierColumnName="Name"
    )
    campaign = await sandbox.started(audienceId=audience["_id"])
    sandbox.clock.advance(minutes=5)
    row = (await sandbox.calls(campaign))[0]
    call = await sandbox.get(f"/conversation/{row['callId']}")
    assert call["status"] == "completed"
    assert call["variables"].items() >= {"Name": "Ada {x}", "plan": "basic"}.items()
    assert call["transcript"][0]["role"] == "agent"
    assert call["transcript"][0]["content"].startswith("Hello Ada {x},")
    assert call["agent"]["_id"] == AGENT
    assert [event["eventType"] for event in call["events"]] == [
        "queued",
        "dialed",
        "answered",
        "ended",
    ]
    assert call["duration"] > 10
    assert call["callCost"] > 0
    assert call["recordingUrl"].endswith(f"{row['callId']}.mp3")
    assert call["postCallAnalytics"]["dispositionMetrics"][0]["identifier"] == "interested"
    url = "http://sandbox/payment/v1/credits/balance"
    balance = await sandbox.call("GET", url)
    history = 100 - balance["creditBalance"] - call["callCost"]
    assert history > 0


async def test_a_live_call_does_not_tell_how_it_will_end(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=23)
    row = (await sandbox.calls(campaign))[0]
    call = await sandbox.get(f"/conversation/{row['callId']}")
    assert call["status"] == "active"
    assert call["duration"] == call["callCost"] == 0
    assert "disconnectionReason" not in call
    assert [event["eventType"] for event in call["events"]] == ["queued", "dialed", "answered"]
    assert 1 <= len(call["transcript"]) < 5


async def test_cancelling_needs_a_known_call(sandbox: Sandbox) -> None:
    path = "/conversation/cancel"
    assert await sandbox.refused("POST", path, json={}) == ["callId: Required"]
    assert await sandbox.refused("POST", path, json={"callId": UNKNOWN}) == ["Invalid call id"]
    unknown = "CALL-1778226705739-7e4c17"
    await sandbox.refused("POST", path, 404, json={"callId": unknown})
    await sandbox.refused("POST", f"/conversation/{unknown}/cancel", 404)


async def test_the_grouped_export_has_every_contact_and_attempt(sandbox: Sandbox) -> None:
    campaign = await finished(sandbox)
    response = await sandbox.send("GET", f"/campaign/{campaign}/export/by-audience-member")
    assert "attachment; filename=" in response.headers["content-disposition"]
    export = response.json()
    assert set(export) == {"campaign", "exportedAt", "totalAudienceMembers", "data"}
    assert export["totalAudienceMembers"] == len(export["data"]) == 25
    calls = await sandbox.calls(campaign)
    attempts = [row["originalCall"] for row in export["data"]]
    attempts += [call for row in export["data"] for call in row["retryAttempts"]]
    assert {call["callId"] for call in attempts} == {call["callId"] for call in calls}
    for row in export["data"]:
        assert row["totalAttempts"] == 1 + len(row["retryAttempts"])
        assert row["audienceMemberData"]["phoneNumber"] == row["phoneNumber"]
        family = [row["originalCall"], *row["retryAttempts"]]
        assert row["totalCallDuration"] >= sum(call["duration"] for call in family)
        connected = "completed" in statuses(family)
        assert (row["finalStatus"] == "completed") == connected


async def test_the_export_of_a_campaign_not_started_yet_is_all_pending(sandbox: Sandbox) -> None:
    campaign = await sandbox.create()
    rows = await sandbox.get(f"/campaign/{campaign}/export/by-audience-member")
    assert [(row["finalStatus"], row["originalCall"]) for row in rows] == [("pending", None)] * 2


async def test_calls_a_pause_took_from_the_queue_are_no_attempts(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    await sandbox.pause(campaign)
    sandbox.clock.advance(minutes=5)

    async def rows() -> list[Json]:
        return await sandbox.get(f"/campaign/{campaign}/export/by-audience-member")

    assert [row["finalStatus"] for row in await rows()] == ["completed", "pending"]
    await sandbox.start(campaign)
    sandbox.clock.advance(minutes=5)
    assert [row["totalAttempts"] for row in await rows()] == [1, 1]
    assert len(await sandbox.calls(campaign)) == 3


async def test_the_csv_export_has_one_row_per_attempt(sandbox: Sandbox) -> None:
    campaign = await finished(sandbox)
    path = f"/campaign/{campaign}/export/by-audience-member"
    response = await sandbox.send("GET", path, params={"format": "csv"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert list(rows[0]) == [
        "audienceMemberId",
        "phoneNumber",
        "name",
        "plan",
        "attempt",
        "callId",
        "status",
        "disconnectionReason",
        "duration",
        "callCost",
        "createdAt",
        "recordingUrl",
        "finalStatus",
        "interested",
        "follow_up_needed",
        "right_person",
    ]
    assert len(rows) == len(await sandbox.calls(campaign))
    other = await sandbox.send("GET", path, params={"format": "xls"})
    assert other.headers["content-type"].startswith("application/json")


async def test_the_flat_export_is_a_bare_array(sandbox: Sandbox) -> None:
    campaign = await finished(sandbox)
    response = await sandbox.send("GET", f"/campaign/{campaign}/logs/export")
    name = response.headers["content-disposition"]
    assert name.startswith("attachment; filename=campaign-logs-Spring_renewals_first_round-2027-")
    rows = response.json()
    assert len(rows) == len(await sandbox.calls(campaign))
    assert set(rows[0]) == {
        "_id",
        "callId",
        "status",
        "duration",
        "recordingUrl",
        "from",
        "to",
        "agentId",
        "statusDetails",
        "events",
    }


async def test_the_two_exports_differ_about_unknown_campaigns(sandbox: Sandbox) -> None:
    grouped, flat = (
        f"/campaign/{UNKNOWN}/export/by-audience-member",
        f"/campaign/{UNKNOWN}/logs/export",
    )
    assert await sandbox.refused("GET", grouped, 404) == ["Campaign not found"]
    assert await sandbox.refused("GET", grouped.replace(UNKNOWN, "x"), 404)
    assert await sandbox.refused("GET", flat) == [f"no campaign found for id {UNKNOWN}"]
