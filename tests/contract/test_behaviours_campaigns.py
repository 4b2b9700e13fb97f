"""Campaigns at rest: create, list, get, delete."""

from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, Driver, behaviour
from tests.contract.samples import AGENT, AUDIENCE, PHONE

pytestmark = pytest.mark.anyio

BODY: dict[str, Any] = {"name": "Spring", "agentId": AGENT, "audienceId": AUDIENCE}


@behaviour("campaign.create.answers-201-and-calls-nobody")
async def test_a_new_campaign_is_a_draft_with_plain_ids(api: Driver) -> None:
    created = await api.post("/campaign", {**BODY, "phoneNumberIds": [PHONE]}, 201)
    assert created["status"] == "draft"
    assert (created["agentId"], created["audienceId"]) == (AGENT, AUDIENCE)
    assert created["participantsCount"] == 2
    assert created["retryAttempts"] == 0
    assert "scheduledAt" not in created


@behaviour("campaign.create.retry-ranges-and-defaults")
async def test_retries_default_to_three_after_fifteen_minutes(api: Driver) -> None:
    created = await api.post("/campaign", BODY, 201)
    assert (created["maxRetries"], created["retryDelay"]) == (3, 15)


@behaviour("campaign.create.retry-ranges-and-defaults")
@pytest.mark.parametrize(("retries", "delay"), [(0, 1), (10, 1440)])
async def test_retries_are_taken_at_both_ends_of_their_ranges(
    api: Driver, retries: int, delay: int
) -> None:
    body = {**BODY, "maxRetries": retries, "retryDelay": delay}
    created = await api.post("/campaign", body, 201)
    assert (created["maxRetries"], created["retryDelay"]) == (retries, delay)


@behaviour("campaign.create.retry-ranges-and-defaults")
@pytest.mark.parametrize(
    "change", [{"maxRetries": -1}, {"maxRetries": 11}, {"retryDelay": 0}, {"retryDelay": 1441}]
)
async def test_retries_out_of_range_are_refused(api: Driver, change: dict[str, int]) -> None:
    assert await api.refused("POST", "/campaign", json={**BODY, **change})


@behaviour("campaign.create.name-1-to-40-trimmed")
async def test_a_name_is_trimmed_and_holds_up_to_forty_characters(api: Driver) -> None:
    created = await api.post("/campaign", {**BODY, "name": f"  {'n' * 40} "}, 201)
    assert created["name"] == "n" * 40
    for name in ("n" * 41, "", "   "):
        assert await api.refused("POST", "/campaign", json={**BODY, "name": name})


@behaviour("campaign.create.name-1-to-40-trimmed")
async def test_a_description_holds_up_to_250_characters(api: Driver) -> None:
    created = await api.post("/campaign", {**BODY, "description": "d" * 250}, 201)
    assert created["description"] == "d" * 250
    assert await api.refused("POST", "/campaign", json={**BODY, "description": "d" * 251})


@behaviour("campaign.create.no-idempotency")
async def test_the_same_request_twice_makes_two_campaigns(api: Driver) -> None:
    headers = {"Idempotency-Key": "1"}
    first = await api.ok("POST", "/campaign", 201, json=BODY, headers=headers)
    second = await api.ok("POST", "/campaign", 201, json=BODY, headers=headers)
    assert first["_id"] != second["_id"]
    assert first["name"] == second["name"]


@behaviour("campaign.create.references-are-checked")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"agentId": UNKNOWN}, "Agent not found"),
        ({"agentId": "nope"}, "Agent not found"),
        ({"audienceId": UNKNOWN}, "Audience not found"),
        ({"phoneNumberIds": [UNKNOWN]}, "Invalid phone number id"),
        ({"phoneNumberIds": [PHONE, "nope"]}, "Invalid phone number id"),
    ],
)
async def test_agent_audience_and_numbers_must_exist(
    api: Driver, change: dict[str, Any], error: str
) -> None:
    assert await api.refused("POST", "/campaign", json={**BODY, **change}) == [error]


@behaviour("campaign.create.references-are-checked")
async def test_an_archived_agent_is_refused(api: Driver) -> None:
    agent = await api.agent()
    await api.ok("DELETE", f"/agent/{agent}/archive")
    assert await api.refused("POST", "/campaign", json={**BODY, "agentId": agent})


@behaviour("campaign.create.references-are-checked")
async def test_an_audience_without_members_is_refused(api: Driver) -> None:
    audience = await api.audience("phoneNumber\n+12025550101\n")
    members = (await api.get(f"/audience/{audience}/members"))["members"]
    ids = [member["_id"] for member in members]
    await api.ok("DELETE", f"/audience/{audience}/members", json={"memberIds": ids})
    assert await api.refused("POST", "/campaign", json={**BODY, "audienceId": audience})


@behaviour("campaign.create.phone-numbers-may-be-left-out")
async def test_a_campaign_may_leave_the_caller_id_to_its_agent(api: Driver) -> None:
    campaign = await api.started(phoneNumberIds=None, seconds=3)
    calls = await api.calls(campaign)
    assert {call["from"] for call in calls} == {"+912268093560"}


@behaviour("campaign.create.answers-201-and-calls-nobody")
async def test_creating_a_campaign_calls_nobody(api: Driver) -> None:
    campaign = await api.draft()
    api.later(days=2)
    assert await api.status(campaign) == "draft"
    assert await api.calls(campaign) == []
    assert await api.metrics(campaign) == (2, 0, 0)


@behaviour("campaign.schedule.must-be-in-the-future")
@pytest.mark.parametrize("time", ["2027-01-04T12:00:00.000Z", "2026-04-24T10:00:00.000Z"])
async def test_a_schedule_in_the_past_or_now_is_refused(api: Driver, time: str) -> None:
    errors = await api.refused("POST", "/campaign", json={**BODY, "scheduledAt": time})
    assert errors == ["scheduledAt must be in the future"]


@behaviour("campaign.schedule.offsets-and-naive-times")
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2027-01-05T10:00:00.000Z", "2027-01-05T10:00:00.000Z"),
        ("2027-01-05T10:00:00Z", "2027-01-05T10:00:00.000Z"),
        ("2027-01-05T10:00:00+05:30", "2027-01-05T04:30:00.000Z"),
        ("2027-01-05T10:00:00", "2027-01-05T10:00:00.000Z"),
        ("2199-12-31T23:59:59.999Z", "2199-12-31T23:59:59.999Z"),
    ],
)
async def test_a_schedule_is_kept_in_utc_however_it_was_given(
    api: Driver, given: str, stored: str
) -> None:
    response = await api.careless.post("/campaign", json={**BODY, "scheduledAt": given})
    assert response.status_code == 201
    created = response.json()["data"]
    assert (created["status"], created["scheduledAt"]) == ("scheduled", stored)


@behaviour("campaign.list.page-size-is-called-offset")
async def test_campaigns_come_in_pages_of_five_or_as_many_as_offset_says(api: Driver) -> None:
    for number in range(6):
        await api.draft(name=f"Number {number}")
    first = await api.get("/campaign")
    assert len(first["campaigns"]) == 5
    paging = {"total": 7, "page": 1, "offset": 5, "hasMore": True, "totalPages": 2}
    assert first["pagination"] == paging
    assert first["totalCampaignCount"] == 7
    second = await api.get("/campaign", page=2, offset=4)
    assert len(second["campaigns"]) == 3
    assert second["pagination"]["hasMore"] is False
    beyond = await api.get("/campaign", page=9)
    assert (beyond["campaigns"], beyond["pagination"]["hasMore"]) == ([], False)


@behaviour("campaign.list.filters-and-order")
async def test_campaigns_can_be_searched_filtered_and_ordered(api: Driver) -> None:
    for name in ("Alpha", "Beta"):
        await api.draft(name=name)
        api.later(seconds=1)

    async def names(**query: Any) -> list[str]:
        return [campaign["name"] for campaign in (await api.get("/campaign", **query))["campaigns"]]

    assert (await names())[:2] == ["Beta", "Alpha"]
    assert (await names(sortOrder="asc"))[-2:] == ["Alpha", "Beta"]
    assert await names(search="ALPH") == ["Alpha"]
    assert await names(status="draft") == ["Beta", "Alpha"]
    page = await api.get("/campaign", search="alph")
    assert (page["pagination"]["total"], page["totalCampaignCount"]) == (1, 3)
    assert await names(search=page["campaigns"][0]["_id"]) == ["Alpha"]


@behaviour("campaign.get.nests-agent-and-audience")
async def test_lists_and_details_nest_the_agent_and_the_audience(api: Driver) -> None:
    campaign = await api.draft()
    row = (await api.get("/campaign"))["campaigns"][0]
    for document in (row, await api.campaign(campaign)):
        assert document["agent"]["_id"] == AGENT
        assert document["agent"]["name"] == "Outreach"
        assert document["audience"]["_id"] == AUDIENCE
        assert "agentId" not in document


@behaviour("campaign.get.nests-agent-and-audience")
async def test_a_campaign_comes_with_its_events_and_metrics(api: Driver) -> None:
    data = await api.get(f"/campaign/{await api.draft()}")
    assert data.keys() == {"campaign", "events", "metrics"}
    assert data["events"] == []


@behaviour("campaign.delete.gone-at-once-with-what-waits")
async def test_a_deleted_campaign_is_gone_at_once(api: Driver) -> None:
    campaign = await api.draft()
    response = await api.http.delete(f"/campaign/{campaign}")
    assert (response.status_code, response.json()) == (200, {"status": True})
    for method in ("DELETE", "GET"):
        errors = await api.refused(method, f"/campaign/{campaign}", 404)
        assert errors == ["Campaign not found"]
    assert (await api.get("/campaign"))["totalCampaignCount"] == 1


@behaviour("campaign.delete.gone-at-once-with-what-waits")
async def test_a_scheduled_campaign_that_was_deleted_never_starts(api: Driver) -> None:
    campaign = await api.draft(scheduledAt="2027-01-04T12:05:00.000Z")
    await api.ok("DELETE", f"/campaign/{campaign}")
    api.later(hours=1)
    assert await api.calls(campaign) == []


@behaviour("campaign.delete.refused-while-it-calls")
@pytest.mark.parametrize(("seconds", "status"), [(0.0, "processing"), (3.0, "running")])
async def test_a_campaign_at_work_is_not_deleted(api: Driver, seconds: float, status: str) -> None:
    campaign = await api.started(seconds=seconds)
    assert await api.status(campaign) == status
    assert await api.refused("DELETE", f"/campaign/{campaign}")
    assert await api.status(campaign) == status


@behaviour("campaign.delete.keeps-the-call-log")
async def test_the_calls_of_a_deleted_campaign_stay_in_the_log(api: Driver) -> None:
    campaign = await api.started(seconds=3, maxRetries=0)
    api.later(minutes=5)
    calls = await api.calls(campaign)
    assert len(calls) == 2
    await api.ok("DELETE", f"/campaign/{campaign}")
    assert await api.calls(campaign) == calls


@behaviour("campaign.update.there-is-none")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_campaign_cannot_be_changed(api: Driver, method: str) -> None:
    campaign = await api.draft()
    response = await api.unjudged.request(method, f"/campaign/{campaign}", json={"name": "Other"})
    assert response.status_code == 404
    assert (await api.campaign(campaign))["name"] == "Spring"


@behaviour("format.ids-and-times.as-recorded")
async def test_ids_are_object_ids_and_times_have_milliseconds_and_z(api: Driver) -> None:
    document = await api.campaign(await api.draft())
    for value in (document["_id"], document["createdBy"], document["organization"]):
        assert len(value) == 24
        assert set(value) <= set("0123456789abcdef")
    assert document["createdAt"] == "2027-01-04T12:00:00.000Z"
