"""The call log, one call, cancelling, the analytics log."""

from collections import defaultdict
from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, UNKNOWN_CALL, Driver, behaviour, driving, only
from tests.contract.samples import AGENT

pytestmark = pytest.mark.anyio

LIVE = {"processing", "in_progress", "active"}


async def finished(api: Driver, **changes: Any) -> str:
    """A campaign that has called everybody."""
    campaign = await api.started(maxRetries=0, **changes)
    api.later(minutes=5)
    assert await api.status(campaign) == "completed"
    return campaign


async def seeded(api: Driver) -> str:
    """The finished campaign that every organization begins with."""
    return (await api.get("/campaign"))["campaigns"][0]["_id"]


@behaviour("call.ids.milliseconds-and-six-hex")
async def test_a_call_id_tells_when_the_call_was_made(api: Driver) -> None:
    campaign = await api.started(seconds=3)
    for call in await api.calls(campaign):
        _, milliseconds, tail = call["callId"].split("-")
        assert call["createdAt"].startswith("2027-01-04T12:00:0")
        seconds = int(milliseconds) / 1000 - api.clock.moment.timestamp()
        assert -3 <= seconds <= 0
        assert set(tail) <= set("0123456789abcdef")
        assert call["_id"] != call["callId"]


@behaviour("call.list.first-attempts-unless-asked")
async def test_the_log_shows_first_attempts_unless_retries_are_asked_for() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=2, retryDelay=1)
        api.later(minutes=15)

        async def attempts(**query: str) -> list[int]:
            data = await api.get("/conversation", campaignIds=campaign, limit=50, **query)
            return sorted(call["retryAttemptNumber"] for call in data["logs"])

        assert await attempts() == [0, 0]
        assert await attempts(callAttemptFilter="initial") == [0, 0]
        assert await attempts(callAttemptFilter="retry") == [1, 1, 2, 2]
        assert await attempts(callAttemptFilter="all") == [0, 0, 1, 1, 2, 2]
        assert await attempts(callAttemptFilter="initial,retry") == [0, 0, 1, 1, 2, 2]


@behaviour("call.list.latest-change-first")
async def test_the_log_starts_with_the_latest_change(api: Driver) -> None:
    logs = (await api.get("/conversation", campaignIds=await seeded(api), limit=50))["logs"]
    times = [call["updatedAt"] for call in logs]
    assert len(set(times)) > 5
    assert times == sorted(times, reverse=True)
    data = await api.get("/conversation", limit=50, sortBy="createdAt", sortOrder="asc")
    times = [call["createdAt"] for call in data["logs"]]
    assert times == sorted(times)


@behaviour("call.list.page-size-is-called-limit")
async def test_calls_come_in_pages_of_five_and_at_most_five_hundred(api: Driver) -> None:
    first = await api.get("/conversation")
    assert len(first["logs"]) == 5
    paging = {"total": 25, "page": 1, "limit": 5, "hasMore": True, "totalPages": 5}
    assert first["pagination"] == paging
    response = await api.careless.get("/conversation?limit=9999")
    assert response.status_code == 200
    assert response.json()["data"]["pagination"]["limit"] == 500
    last = await api.get("/conversation", page=5)
    assert last["pagination"]["hasMore"] is False
    ids = {call["callId"] for call in last["logs"]}
    assert not ids & {call["callId"] for call in first["logs"]}


@behaviour("call.list.filters")
async def test_calls_are_filtered_by_campaign_agent_status_reason_length_and_text(
    api: Driver,
) -> None:
    async def log(**query: Any) -> list[Any]:
        return (await api.get("/conversation", limit=500, **query))["logs"]

    everything = await log()
    campaign = await seeded(api)
    assert await log(campaignIds=f"{UNKNOWN},{campaign}", agentIds=AGENT) == everything
    assert await log(campaignIds=UNKNOWN) == []
    assert await log(agentIds=UNKNOWN) == []
    assert await log(callTypes="telephony_inbound,webcall") == []
    for name, field in (
        ("statusFilter", "status"),
        ("disconnectReasonFilter", "disconnectionReason"),
    ):
        values = sorted({call[field] for call in everything if field in call})
        assert len(values) > 1
        for value in values:
            expected = [call for call in everything if call.get(field) == value]
            assert await log(**{name: value}) == expected
    short = await log(durationFilter="0-30")
    assert short == [call for call in everything if call["duration"] < 30]
    call = everything[0]
    assert await log(search=call["callId"]) == [call]
    assert await log(search=call["to"][3:]) == [call]
    assert await log(dateFrom=call["createdAt"], dateTo=call["createdAt"])
    assert await log(dateFrom="2027-01-04T00:00:00.000Z") == []


@behaviour("call.get.by-call-id-only")
@pytest.mark.parametrize("part", ["", "/retries"])
async def test_a_call_is_found_by_its_call_id_and_not_by_its_object_id(
    api: Driver, part: str
) -> None:
    call = (await api.get("/conversation"))["logs"][0]
    assert (await api.get(f"/conversation/{call['callId']}"))["_id"] == call["_id"]
    errors = await api.refused("GET", f"/conversation/{call['_id']}{part}")
    assert errors == ["Invalid call id"]
    errors = await api.refused("GET", f"/conversation/{UNKNOWN_CALL}{part}", 404)
    assert errors == [f"Conversation with ID {UNKNOWN_CALL} not found"]


@behaviour("call.get.by-call-id-only")
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/retries"), ("POST", "/cancel")]
)
async def test_a_call_of_another_organization_is_not_found(
    api: Driver, method: str, path: str
) -> None:
    call = (await api.get("/conversation"))["logs"][0]["callId"]
    other = {"Authorization": "Bearer sk_other"}
    response = await api.careless.request(method, f"/conversation/{call}{path}", headers=other)
    assert response.status_code in (403, 404)


@behaviour("call.get.columns-become-variables")
async def test_the_columns_of_a_contact_become_variables_of_its_call(api: Driver) -> None:
    audience = await api.audience("phoneNumber,name,plan\n+12025550110,Ada,family\n")
    (call,) = await api.calls(await finished(api, audienceId=audience))
    variables = (await api.get(f"/conversation/{call['callId']}"))["variables"]
    assert variables.items() >= {"name": "Ada", "plan": "family"}.items()


@behaviour("call.transcript.canned-per-outcome")
async def test_a_completed_call_has_a_transcript_and_analytics() -> None:
    async with driving(odds=only("connected")) as api:
        calls = await api.calls(await finished(api))
        detail = await api.get(f"/conversation/{calls[0]['callId']}")
        turns = detail["transcript"]
        assert turns[0]["role"] == "agent"
        assert {turn["role"] for turn in turns} == {"agent", "user"}
        times = [turn["timestamp"] for turn in turns]
        assert times == sorted(times)
        analytics = detail["postCallAnalytics"]
        assert analytics["summary"]
        metrics = {m["identifier"]: m["value"] for m in analytics["dispositionMetrics"]}
        assert calls[0]["dispositionMetrics"] == metrics


@behaviour("call.transcript.canned-per-outcome")
async def test_an_unanswered_call_has_no_transcript_and_no_analytics() -> None:
    async with driving(odds=only("no_answer")) as api:
        calls = await api.calls(await finished(api))
        detail = await api.get(f"/conversation/{calls[0]['callId']}")
        assert detail.get("transcript", []) == []
        assert "postCallAnalytics" not in detail


@behaviour("call.cost.minutes-times-a-rate")
async def test_a_call_costs_its_minutes_times_a_fixed_rate(api: Driver) -> None:
    calls = await api.calls(await seeded(api))
    talked = [call for call in calls if call["duration"]]
    rates = {round(call["callCost"] / call["duration"] * 60, 2) for call in talked}
    assert max(rates) - min(rates) < 0.01
    silent = [call for call in calls if call["status"] == "no_answer"]
    assert silent
    assert {(call["duration"], call["callCost"]) for call in silent} == {(0, 0)}


@pytest.mark.slow
@behaviour("call.recording.some-seconds-after-the-end")
async def test_a_recording_appears_some_seconds_after_the_end() -> None:
    async with driving(odds=only("connected")) as api:
        campaign = await api.started()
        seen = defaultdict[str, list[bool]](list)
        for _ in range(130):
            api.later(seconds=1)
            done = await api.calls(campaign, statusFilter="completed")
            for call in done:
                seen[call["callId"]].append("recordingUrl" in call)
        assert len(seen) == 2
        for shown in seen.values():
            assert shown.index(True) >= 4
            assert all(shown[shown.index(True) :])
        calls = await api.calls(campaign)
        assert all(call["recordingUrl"].startswith("https://") for call in calls)


@behaviour("call.retries.family-root-first")
async def test_every_member_of_a_family_leads_to_all_attempts_the_first_one_first() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=2, retryDelay=1)
        api.later(minutes=15)
        number = (await api.calls(campaign))[0]["to"]
        family = [call for call in await api.calls(campaign) if call["to"] == number]
        ids = [call["callId"] for call in family]
        for call in ids:
            retries = (await api.get(f"/conversation/{call}/retries"))["retries"]
            assert [one["callId"] for one in retries] == ids
        assert [call.get("retryCallId") for call in family] == [*ids[1:], None]
        assert [call["retryAttemptNumber"] for call in family] == [0, 1, 2]


@behaviour("call.cancel.settles-the-contact")
async def test_a_cancelled_live_call_settles_its_contact() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(seconds=3, maxRetries=3, retryDelay=1)
        first, second = await api.calls(campaign)
        body = {"callId": first["callId"], "reason": "wrong list"}
        data = await api.post("/conversation/cancel", body)
        assert data["status"] == "cancelled"
        assert data["previousStatus"] in LIVE
        assert (await api.get(f"/conversation/{first['callId']}"))["status"] == "cancelled"
        api.later(minutes=30)
        calls = await api.calls(campaign)
        assert [call["to"] for call in calls].count(first["to"]) == 1
        assert [call["to"] for call in calls].count(second["to"]) == 4
        assert await api.status(campaign) == "completed"
        assert await api.metrics(campaign) == (2, 1, 0)


@behaviour("call.cancel.settles-the-contact")
@pytest.mark.parametrize("form", ["body", "path"])
async def test_a_cancelled_queued_call_settles_its_contact(form: str) -> None:
    async with driving(org_limit=1, odds=only("no_answer")) as api:
        campaign = await api.started(seconds=3, maxRetries=1, retryDelay=1)
        (queued,) = await api.calls(campaign, statusFilter="in_queue")
        if form == "body":
            data = await api.post("/conversation/cancel", {"callId": queued["callId"]})
            assert data["previousStatus"] == "in_queue"
        else:
            data = await api.post(f"/conversation/{queued['callId']}/cancel")
        assert (data["callId"], data["status"]) == (queued["callId"], "cancelled")
        api.later(minutes=10)
        assert await api.status(campaign) == "completed"
        assert len(await api.calls(campaign)) == 3
        rows = (await api.export(campaign))["data"]
        assert {row["phoneNumber"]: row["finalStatus"] for row in rows}[queued["to"]] == "cancelled"


@behaviour("call.cancel.refused-when-over-or-by-path-when-live")
async def test_a_call_that_is_over_cannot_be_cancelled(api: Driver) -> None:
    call = (await api.get("/conversation"))["logs"][0]["callId"]
    assert await api.refused("POST", "/conversation/cancel", json={"callId": call})
    (error,) = await api.refused("POST", f"/conversation/{call}/cancel")
    assert error == f"Conversation with ID {call} is not in queue and cannot be cancelled"
    await api.refused("POST", "/conversation/cancel", 404, json={"callId": UNKNOWN_CALL})
    await api.refused("POST", f"/conversation/{UNKNOWN_CALL}/cancel", 404)


@behaviour("call.cancel.refused-when-over-or-by-path-when-live")
async def test_the_path_form_does_not_cancel_a_live_call() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(seconds=3)
        call = (await api.calls(campaign))[0]
        assert call["status"] in LIVE
        assert await api.refused("POST", f"/conversation/{call['callId']}/cancel")
        api.later(seconds=1)
        assert (await api.calls(campaign))[0]["status"] in LIVE


@behaviour("call.analytics.milliseconds-and-a-dash")
async def test_the_analytics_log_counts_in_milliseconds_and_writes_a_dash_for_no_reason() -> None:
    async with driving(org_limit=1, odds=only("connected")) as api:
        campaign = await api.started(seconds=3)
        body = (await api.http.get(f"/analytics/call-counts-log?campaignId={campaign}")).json()
        assert body["success"] is True
        assert {call["disconnectionReason"] for call in body["data"]["calls"]} == {"-"}
        api.later(minutes=5)
        body = (await api.http.get(f"/analytics/call-counts-log?campaignId={campaign}")).json()
        data = body["data"]
        assert (data["totalCalls"], data["totalPages"], data["currentPage"]) == (2, 1, 1)
        seconds = {call["callId"]: call["duration"] for call in await api.calls(campaign)}
        for call in data["calls"]:
            assert call["callDurationMs"] // 1000 == seconds[call["callId"]]


@behaviour("call.analytics.milliseconds-and-a-dash")
async def test_the_analytics_log_has_every_attempt_ten_to_a_page_or_those_of_one_status(
    api: Driver,
) -> None:
    campaign = await seeded(api)

    async def log(**query: Any) -> Any:
        return await api.get("/analytics/call-counts-log", campaignId=campaign, **query)

    calls, page = await api.calls(campaign), await log()
    assert (page["limit"], page["currentPage"], len(page["calls"])) == (10, 1, 10)
    assert page["totalCalls"] == len(calls) > 25
    (blocked,) = (await log(callStatus="blocked"))["calls"]
    assert blocked["disconnectionReason"] == "-"
    assert blocked["campaignName"] == "Spring renewals, first round"
    assert blocked["callId"] in {call["callId"] for call in calls if call["status"] == "blocked"}
