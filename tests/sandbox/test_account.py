"""Agents, the DNC list, call slots, plan and credits."""

from typing import Any

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import AGENT, CALLER_ID, UNKNOWN, Sandbox

pytestmark = pytest.mark.anyio


async def test_agents_are_listed_with_the_recorded_keys(sandbox: Sandbox) -> None:
    page = await sandbox.get("/agent")
    assert {key: value for key, value in page.items() if key != "agents"} == {
        "totalCount": 2,
        "totalPages": 1,
        "hasMore": False,
        "isSearchResults": False,
    }
    assert [agent["name"] for agent in page["agents"]] == ["Outreach", "Follow-up"]
    assert page["agents"][0]["totalCalls"] > 25
    found = await sandbox.get("/agent", search="follow", type="single_prompt", sortField="name")
    assert [agent["name"] for agent in found["agents"]] == ["Follow-up"]
    assert found["isSearchResults"] is True
    second = await sandbox.get("/agent", page=2, offset=1, sortOrder="asc")
    assert [agent["name"] for agent in second["agents"]] == ["Outreach"]
    assert len(await sandbox.refused("GET", "/agent", params={"type": "x", "archived": "y"})) == 2


async def test_an_unknown_agent_is_a_bad_request(sandbox: Sandbox) -> None:
    assert (await sandbox.get(f"/agent/{AGENT}"))["name"] == "Outreach"
    assert await sandbox.refused("GET", f"/agent/{UNKNOWN}") == ["No agent found"]
    assert await sandbox.refused("GET", "/agent/x") == ["Invalid agent id"]


async def test_a_created_agent_is_answered_by_its_bare_id(sandbox: Sandbox) -> None:
    body: dict[str, Any] = {
        "name": "Caller",
        "workflowType": "workflow_graph",
        "firstMessage": "Hello",
        "language": {"default": "en"},
        "telephonyProductId": [CALLER_ID],
        "_id": "ignored",
    }
    response = await sandbox.send("POST", "/agent", json=body)
    assert response.status_code == 201
    agent = await sandbox.get(f"/agent/{response.json()['data']}")
    assert agent["_id"] == response.json()["data"]
    assert agent["workflowType"] == "workflow_graph"
    assert agent["language"] == {"default": "en"}
    assert agent["phoneNumber"] == ["+912268093560"]
    assert (await sandbox.get("/product/phone-numbers"))[0]["agentId"] == agent["_id"]


async def test_a_wrong_agent_is_refused_with_every_problem(sandbox: Sandbox) -> None:
    body = {
        "workflowType": "chat",
        "globalPrompt": "p" * 4001,
        "firstMessage": "m" * 501,
        "telephonyProductId": ["x"],
    }
    problems = await sandbox.refused("POST", "/agent", json=body)
    assert [problem.partition(":")[0] for problem in problems] == [
        "name",
        "workflowType",
        "globalPrompt",
        "firstMessage",
        "Invalid phone number id",
    ]


async def test_agents_are_archived_and_restored(sandbox: Sandbox) -> None:
    path = f"/agent/{AGENT}/archive"
    assert await sandbox.call("DELETE", path) == {"message": "Agent archived"}
    assert await sandbox.refused("DELETE", path, 409) == ["Agent is already archived"]
    assert (await sandbox.get(f"/agent/{AGENT}"))["archived"] is True
    restore = {"on": "false"}
    assert await sandbox.call("DELETE", path, params=restore) == {"message": "Agent unarchived"}
    assert await sandbox.refused("DELETE", path, 409, params=restore) == ["Agent is already active"]
    assert await sandbox.refused("DELETE", f"/agent/{UNKNOWN}/archive", 404) == ["Agent not found"]
    assert await sandbox.refused("DELETE", "/agent/x/archive") == ["Invalid agent id"]
    await sandbox.refused("DELETE", path, params={"on": "maybe"})


async def test_an_agent_of_an_active_campaign_cannot_be_archived(sandbox: Sandbox) -> None:
    campaign = await sandbox.started(maxRetries=0)
    path = f"/agent/{AGENT}/archive"
    text = 'Agent is associated with the {} campaign "January Outreach". Complete or remove the'
    for status in ("processing", "running"):
        refused = await sandbox.refused("DELETE", path, 409)
        assert refused[0].startswith(text.format(status))
        sandbox.clock.advance(seconds=1)
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=2)
    assert (await sandbox.refused("DELETE", path, 409))[0].startswith(text.format("paused"))
    await sandbox.call("DELETE", f"/campaign/{campaign}")
    assert await sandbox.call("DELETE", path)


async def test_the_dnc_list_is_paged_searched_and_filtered(sandbox: Sandbox) -> None:
    page = await sandbox.get("/dnc")
    assert page["pagination"] == {
        "total": 4,
        "page": 1,
        "offset": 50,
        "hasMore": False,
        "totalPages": 1,
    }
    assert {entry["source"] for entry in page["entries"]} == {"manual_upload"}
    odd = await sandbox.get("/dnc", page="0", offset="9999")
    assert odd["pagination"] == {**page["pagination"], "offset": 500}
    one = await sandbox.get("/dnc", page="2", offset="1", sortField="phoneNumber", sortOrder="asc")
    numbers = sorted(entry["phoneNumber"] for entry in page["entries"])
    assert [entry["phoneNumber"] for entry in one["entries"]] == numbers[1:2]
    found = await sandbox.get("/dnc", search=numbers[0])
    assert found["pagination"]["total"] == 1
    agents = {agent["name"]: agent["_id"] for agent in (await sandbox.get("/agent"))["agents"]}
    own = await sandbox.get("/dnc", agentId=agents["Follow-up"])
    assert [entry["agentId"] for entry in own["entries"]] == [agents["Follow-up"]]
    assert (await sandbox.get("/dnc", agentId=AGENT))["entries"] == []
    await sandbox.refused("GET", "/dnc", params={"agentId": "x"})
    await sandbox.refused("GET", "/dnc", 404, params={"agentId": UNKNOWN})
    await sandbox.refused("GET", "/dnc", params={"page": "x"})


async def test_who_the_key_is_comes_in_two_forms(sandbox: Sandbox) -> None:
    user = (await sandbox.send("GET", "/user")).json()
    assert user["status"] is True
    account = (await sandbox.send("GET", "/account/get-account-details")).json()
    assert account["userId"] == user["data"]["_id"]
    assert account["organizations"][0]["orgId"] == user["data"]["organizationId"]
    assert "status" not in account


async def test_slots_plan_and_credits_come_in_their_own_envelopes(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=7, credits=50))
    concurrency = (await sandbox.send("GET", "/concurrency")).json()
    assert concurrency == {
        "success": True,
        "data": {"orgLimit": 7, "totalReserved": 0, "unreservedPool": 7, "agents": []},
    }
    plan = await sandbox.get("/user/subscription")
    assert plan["limits"]["concurrentCalls"] == 7
    assert plan["features"]["campaign"] is True
    url = "http://sandbox/payment/v1/credits/balance"
    balance = (await sandbox.send("GET", url)).json()
    assert balance["success"] is True
    assert 45 < balance["data"]["creditBalance"] < 50
    assert plan["currentCredits"] == balance["data"]["creditBalance"]
