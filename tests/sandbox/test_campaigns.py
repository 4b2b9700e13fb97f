import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import (
    AGENT,
    ALWAYS_CONNECTED,
    AUDIENCE,
    CALLER_ID,
    UNKNOWN,
    Sandbox,
    actions,
    draft,
)

pytestmark = pytest.mark.anyio


RECORDED = {
    "_id": "696ddd2a04ff172dbd8eddad",
    "name": "January Outreach",
    "agentId": "696ddd281ea16a73cb8aafbe",
    "audienceId": "696ddd287f45bf7b27344e7c",
    "participantsCount": 2,
    "maxRetries": 2,
    "retryDelay": 30,
    "status": "draft",
}


async def test_the_recorded_sample_session_replays_word_for_word(sandbox: Sandbox) -> None:
    numbers = await sandbox.get("/product/phone-numbers")
    assert numbers[0]["_id"] == "6963d3a8862e1cb702da7244"
    assert numbers[0]["attributes"]["phoneNumber"] == "+912268093560"
    assert numbers[0]["attributes"]["provider"] == "plivo"
    assert numbers[0]["isActive"] is True
    created = await sandbox.call("POST", "/campaign", json=draft(maxRetries=2, retryDelay=30))
    assert created.items() >= RECORDED.items()
    assert await sandbox.start(created["_id"]) == {
        "message": "Campaign is being processed",
        "taskId": "081a5402-3f1f-4447-a257-6dd7bc6bad60",
        "campaignId": "696ddd2a04ff172dbd8eddad",
    }
    sandbox.clock.advance(minutes=3)
    details = await sandbox.details(created["_id"])
    assert details["campaign"]["status"] == "running"
    assert (
        details["campaign"]["executions"][0].items()
        >= {
            "executionNumber": 1,
            "status": "completed",
            "totalMembers": 2,
            "processedMembers": 2,
        }.items()
    )
    assert details["metrics"] == {
        "total_participants": 2,
        "contacts_called": 2,
        "contacts_connected": 1,
    }
    assert await sandbox.pause(created["_id"]) == {"status": True}
    sandbox.clock.advance(seconds=2)
    assert await sandbox.status(created["_id"]) == "paused"
    assert await sandbox.call("DELETE", f"/campaign/{created['_id']}") == {"status": True}


async def test_a_draft_passes_through_processing_and_running_to_completed(
    sandbox: Sandbox,
) -> None:
    campaign = await sandbox.create(maxRetries=0)
    assert await sandbox.status(campaign) == "draft"
    response = await sandbox.send("POST", f"/campaign/{campaign}/start")
    assert response.status_code == 202
    assert await sandbox.status(campaign) == "processing"
    sandbox.clock.advance(seconds=1)
    assert await sandbox.status(campaign) == "running"
    sandbox.clock.advance(minutes=5)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert actions(details) == ["started", "completed"]
    assert {event["triggerSource"] for event in details["events"]} == {"system"}


async def test_a_running_campaign_must_be_paused_before_deletion(sandbox: Sandbox) -> None:
    campaign = await sandbox.started()
    path = f"/campaign/{campaign}"
    assert await sandbox.refused("DELETE", path) == [
        "Campaign is processing. Pause it before deleting."
    ]
    sandbox.clock.advance(seconds=1)
    assert await sandbox.refused("DELETE", path) == [
        "Campaign is running. Pause it before deleting."
    ]
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=2)
    assert (await sandbox.send("DELETE", path)).json() == {"status": True}
    for method, part in (("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/pause")):
        assert await sandbox.refused(method, path + part, 404) == ["Campaign not found"]


async def test_calls_of_a_deleted_campaign_end_and_stay_in_the_log(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=1)
    await sandbox.call("DELETE", f"/campaign/{campaign}")
    assert {call["status"] for call in await sandbox.calls(campaign)} == {"processing"}
    sandbox.clock.advance(minutes=5)
    assert {call["status"] for call in await sandbox.calls(campaign)} == {"completed"}


async def test_all_problems_of_a_creation_come_in_one_answer(sandbox: Sandbox) -> None:
    body = draft(
        name=" ",
        description="d" * 251,
        agentId=UNKNOWN,
        audienceId=None,
        phoneNumberIds=[CALLER_ID, "nonsense"],
        maxRetries=11,
        retryDelay=0,
        scheduledAt="yesterday",
    )
    assert await sandbox.refused("POST", "/campaign", json=body) == [
        "name: String must contain at least 1 character(s)",
        "description: String must contain at most 250 character(s)",
        "maxRetries: Number must be less than or equal to 10",
        "retryDelay: Number must be greater than or equal to 1",
        "scheduledAt: Invalid datetime",
        "Agent not found",
        "audienceId: Required",
        "Invalid phone number id",
    ]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", 7, "name: Expected string, received number"),
        ("name", None, "name: Required"),
        ("name", "n" * 41, "name: String must contain at most 40 character(s)"),
        ("maxRetries", "3", "maxRetries: Expected number, received string"),
        ("maxRetries", True, "maxRetries: Expected number, received boolean"),
        ("maxRetries", 1.5, "maxRetries: Expected integer, received float"),
        ("maxRetries", 10**400, "maxRetries: Number must be finite"),
        ("maxRetries", -1, "maxRetries: Number must be greater than or equal to 0"),
        ("retryDelay", 1441, "retryDelay: Number must be less than or equal to 1440"),
        ("phoneNumberIds", CALLER_ID, "phoneNumberIds: Expected array, received string"),
        ("phoneNumberIds", [1], "phoneNumberIds.0: Expected string, received number"),
        ("scheduledAt", 5, "scheduledAt: Expected string, received number"),
        ("scheduledAt", "2027-13-01T00:00:00Z", "scheduledAt: Invalid datetime"),
        ("scheduledAt", "2027-01-04T11:59:59Z", "scheduledAt must be in the future"),
        ("agentId", {}, "agentId: Expected string, received object"),
        ("audienceId", UNKNOWN, "Audience not found"),
    ],
)
async def test_a_wrong_field_is_named(
    sandbox: Sandbox, field: str, value: object, problem: str
) -> None:
    body = draft(**{field: value}) if value is not None else draft(name=None)
    assert await sandbox.refused("POST", "/campaign", json=body) == [problem]


async def test_fields_at_their_limits_are_accepted_and_names_may_repeat(sandbox: Sandbox) -> None:
    body = draft(name=f"  {'n' * 40}  ", description="d" * 250, maxRetries=10, retryDelay=1440.0)
    first = await sandbox.call("POST", "/campaign", json={**body, "unknown": 1})
    second = await sandbox.call("POST", "/campaign", json=body)
    assert first["name"] == second["name"] == "n" * 40
    assert first["retryDelay"] == 1440
    assert first["_id"] != second["_id"]


async def test_an_archived_agent_and_an_empty_audience_are_refused(sandbox: Sandbox) -> None:
    await sandbox.call("DELETE", f"/agent/{AGENT}/archive")
    members = await sandbox.get(f"/audience/{AUDIENCE}/members")
    ids = [member["_id"] for member in members["members"]]
    path = f"/audience/{AUDIENCE}/members"
    await sandbox.call("DELETE", path, json={"memberIds": ids})
    assert await sandbox.refused("POST", "/campaign", json=draft()) == [
        "Agent is archived",
        "Audience has no members",
    ]


async def test_the_page_size_is_called_offset_and_limit_is_ignored(sandbox: Sandbox) -> None:
    for index in range(6):
        await sandbox.create(name=f"Campaign {index}")
    page = await sandbox.get("/campaign", limit=50)
    assert len(page["campaigns"]) == 5
    assert page["pagination"] == {
        "total": 7,
        "page": 1,
        "offset": 5,
        "hasMore": True,
        "totalPages": 2,
    }
    assert page["totalCampaignCount"] == 7
    last = await sandbox.get("/campaign", page=2, offset=6)
    assert [row["name"] for row in last["campaigns"]] == ["Spring renewals, first round"]
    assert last["pagination"]["hasMore"] is False


async def test_campaigns_are_filtered_searched_and_sorted(sandbox: Sandbox) -> None:
    first = await sandbox.create(name="Alpha launch")
    second = await sandbox.create(name="Beta")
    sandbox.clock.advance(seconds=5)
    await sandbox.start(first)

    async def names(**params: object) -> list[str]:
        page = await sandbox.get("/campaign", **params)
        assert page["totalCampaignCount"] == 3
        return [row["name"] for row in page["campaigns"]]

    assert await names() == ["Beta", "Alpha launch", "Spring renewals, first round"]
    assert (await names(sortOrder="asc"))[-1] == "Beta"
    assert (await names(sortField="updatedAt"))[0] == "Alpha launch"
    assert await names(search="LAUNCH") == ["Alpha launch"]
    assert await names(search=second) == ["Beta"]
    assert await names(status="draft") == ["Beta"]
    assert await names(status="completed", search="beta") == []


async def test_wrong_queries_are_refused_with_every_problem(sandbox: Sandbox) -> None:
    query = {"page": "0", "offset": "x", "status": "active", "sortField": "name", "sortOrder": "up"}
    assert await sandbox.refused("GET", "/campaign", params=query) == [
        "page: Number must be greater than or equal to 1",
        "offset: Expected number, received nan",
        (
            "status: Invalid enum value. Expected 'draft' | 'scheduled' | 'processing' | 'running'"
            " | 'paused' | 'completed' | 'failed', received 'active'"
        ),
        "sortField: Invalid enum value. Expected 'createdAt' | 'updatedAt', received 'name'",
        "sortOrder: Invalid enum value. Expected 'asc' | 'desc', received 'up'",
    ]


async def test_a_page_beyond_all_numbers_is_just_empty(sandbox: Sandbox) -> None:
    page = await sandbox.get("/campaign", page=2**53, offset=2**53)
    assert page["campaigns"] == []


async def test_the_id_is_checked_after_the_key_and_before_the_state(sandbox: Sandbox) -> None:
    response = await sandbox.send("GET", "/campaign/nonsense", headers={"Authorization": ""})
    assert response.status_code == 401
    assert await sandbox.refused("POST", "/campaign/nonsense/start") == ["Invalid campaign id"]
    assert await sandbox.refused("GET", f"/campaign/{UNKNOWN}", 404) == ["Campaign not found"]


async def test_another_organizations_campaign_is_unknown(sandbox: Sandbox) -> None:
    campaign = await sandbox.create()
    other = sandbox.as_key("sk_other")
    assert await other.refused("GET", f"/campaign/{campaign}", 404) == ["Campaign not found"]
    await other.http.aclose()


async def test_every_organization_has_the_recorded_ids_of_its_own(sandbox: Sandbox) -> None:
    other = sandbox.as_key("sk_other")
    mine, theirs = await sandbox.started(), await other.create(name="Theirs")
    assert mine == theirs
    sandbox.clock.advance(minutes=2)
    assert await sandbox.status(mine) == "running"
    assert await other.status(theirs) == "draft"
    assert (await other.campaign(theirs))["name"] == "Theirs"
    assert await other.calls(theirs) == []
    await other.http.aclose()
