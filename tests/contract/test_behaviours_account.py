"""Agents, phone numbers, the account, call slots, the do-not-call list."""

import pytest

from tests.contract.driver import ORIGIN, UNKNOWN, Driver, behaviour, driving
from tests.contract.samples import AGENT, PHONE

pytestmark = pytest.mark.anyio


@behaviour("agent.list.keys-as-recorded")
async def test_the_list_of_agents_has_the_recorded_keys(api: Driver) -> None:
    data = await api.get("/agent")
    assert data.keys() == {"agents", "hasMore", "isSearchResults", "totalCount", "totalPages"}
    assert AGENT in [agent["_id"] for agent in data["agents"]]
    assert data["isSearchResults"] is False
    assert (await api.get("/agent", search="OUTR"))["isSearchResults"] is True


@behaviour("agent.list.page-size-is-called-offset")
async def test_agents_come_in_pages_of_ten_or_as_many_as_offset_says(api: Driver) -> None:
    for _ in range(10):
        await api.agent()
    first = await api.get("/agent")
    assert (len(first["agents"]), first["totalCount"]) == (10, 12)
    assert (first["totalPages"], first["hasMore"]) == (2, True)
    assert len((await api.get("/agent", offset=5, page=3))["agents"]) == 2


@behaviour("agent.archive.and-back")
async def test_archived_agents_are_listed_apart(api: Driver) -> None:
    agent = await api.agent()
    await api.ok("DELETE", f"/agent/{agent}/archive")
    active = (await api.get("/agent"))["agents"]
    archived = (await api.get("/agent", archived="true"))["agents"]
    assert agent not in [one["_id"] for one in active]
    assert agent in [one["_id"] for one in archived]


@behaviour("agent.create.answers-the-bare-id")
async def test_a_new_agent_is_answered_with_its_bare_id(api: Driver) -> None:
    agent = await api.post("/agent", {"name": "Ada", "firstMessage": "Hello"}, 201)
    assert isinstance(agent, str)
    document = await api.get(f"/agent/{agent}")
    assert (document["name"], document["firstMessage"]) == ("Ada", "Hello")
    assert document["workflowType"] == "single_prompt"


@behaviour("agent.create.every-published-workflow")
@pytest.mark.parametrize("kind", ["single_prompt", "workflow_graph", "multi_agents"])
async def test_an_agent_of_every_kind_that_clients_create_is_taken(api: Driver, kind: str) -> None:
    agent = await api.post("/agent", {"name": "Ada", "workflowType": kind}, 201)
    assert (await api.get(f"/agent/{agent}"))["workflowType"] == kind


@behaviour("agent.create.wrong-settings-are-refused")
@pytest.mark.parametrize(
    "change",
    [
        {"allowInboundCall": "yes"},
        {"slmModel": "nope"},
        {"backgroundSound": 5},
        {"language": "en"},
        {"defaultVariables": 3},
        {"voiceMailDetectionConfig": {"enabled": "yes"}},
        {"globalPrompt": "x" * 4001},
        {"firstMessage": "x" * 501},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_setting_of_a_new_agent_is_as_published_or_refused(
    api: Driver, change: dict[str, object]
) -> None:
    assert await api.refused("POST", "/agent", json={"name": "Ada", **change})


@behaviour("agent.get.unknown-is-400")
async def test_an_unknown_agent_is_a_bad_request(api: Driver) -> None:
    assert await api.refused("GET", f"/agent/{UNKNOWN}") == ["No agent found"]
    assert await api.refused("GET", "/agent/nope")


@behaviour("agent.archive.and-back")
async def test_an_agent_is_archived_and_restored_once_each(api: Driver) -> None:
    path = f"/agent/{await api.agent()}/archive"
    assert await api.ok("DELETE", path) == {"message": "Agent archived"}
    assert await api.refused("DELETE", path, 409) == ["Agent is already archived"]
    assert await api.ok("DELETE", f"{path}?on=false") == {"message": "Agent unarchived"}
    assert await api.refused("DELETE", f"{path}?on=false", 409) == ["Agent is already active"]


@behaviour("agent.archive.and-back")
async def test_an_unknown_agent_to_archive_is_not_found(api: Driver) -> None:
    await api.refused("DELETE", f"/agent/{UNKNOWN}/archive", 404)
    await api.refused("DELETE", "/agent/nope/archive")


@behaviour("agent.archive.refused-while-a-campaign-may-call")
@pytest.mark.parametrize("state", ["scheduled", "processing", "running", "paused"])
async def test_an_agent_stays_while_a_campaign_on_it_may_still_call(
    api: Driver, state: str
) -> None:
    await api.in_state(state)
    (error,) = await api.refused("DELETE", f"/agent/{AGENT}/archive", 409)
    assert state in error
    assert "Spring" in error


@behaviour("agent.archive.refused-while-a-campaign-may-call")
@pytest.mark.parametrize("state", ["draft", "completed"])
async def test_an_agent_can_go_when_its_campaigns_rest(api: Driver, state: str) -> None:
    await api.in_state(state)
    await api.ok("DELETE", f"/agent/{AGENT}/archive")


@behaviour("numbers.list.plain-array")
async def test_numbers_are_a_plain_array_without_pages(api: Driver) -> None:
    numbers = await api.get("/product/phone-numbers")
    assert [type(number) for number in numbers] == [dict] * 3
    assert {number["isActive"] for number in numbers} == {True, False}
    (own,) = [number for number in numbers if number["_id"] == PHONE]
    assert own["agentId"] == AGENT
    assert own["__v"] == 0


@behaviour("account.details.no-envelope")
async def test_user_and_account_agree_on_who_the_key_is(api: Driver) -> None:
    user = await api.get("/user")
    account = (await api.http.get("/account/get-account-details")).json()
    assert account["userId"] == user["_id"]
    assert account["email"] == user["userEmail"]
    assert account["organizations"][0]["orgId"] == user["organizationId"]
    assert (await api.campaign(await api.draft()))["organization"] == user["organizationId"]


@behaviour("account.details.no-envelope")
async def test_account_details_come_without_an_envelope(api: Driver) -> None:
    account = (await api.http.get("/account/get-account-details")).json()
    assert not {"status", "success", "data"} & account.keys()


@behaviour("account.balance.falls-with-calls")
async def test_the_balance_falls_by_what_calls_cost(api: Driver) -> None:
    async def balance() -> float:
        body = (await api.http.get(f"{ORIGIN}/payment/v1/credits/balance")).json()
        assert body["success"] is True
        return body["data"]["creditBalance"]

    before = await balance()
    campaign = await api.started(maxRetries=0)
    api.later(minutes=5)
    cost = sum(call["callCost"] for call in await api.calls(campaign))
    assert cost > 0
    assert await balance() == pytest.approx(before - cost, abs=0.0002)


@behaviour("account.subscription.plan-and-limits")
async def test_the_subscription_tells_limits_and_credits(api: Driver) -> None:
    plan = await api.get("/user/subscription")
    assert plan["limits"]["concurrentCalls"] == (await api.get("/concurrency"))["orgLimit"]
    assert plan["subscriptionActive"] is True
    assert plan["features"]["campaign"] is True


@behaviour("account.concurrency.says-success")
async def test_call_slots_say_success_and_add_up() -> None:
    async with driving(org_limit=7) as api:
        body = (await api.http.get("/concurrency")).json()
        assert body["success"] is True
        slots = body["data"]
        assert slots["orgLimit"] == 7
        assert slots["unreservedPool"] == slots["orgLimit"] - slots["totalReserved"]


@behaviour("dnc.list.read-only-with-pages-and-filters")
async def test_page_sizes_of_the_list_are_moved_into_range(api: Driver) -> None:
    for given, used in (("0", 1), ("-3", 1), ("9999", 500), ("2", 2)):
        response = await api.careless.get(f"/dnc?offset={given}")
        assert response.status_code == 200
        assert response.json()["data"]["pagination"]["offset"] == used
    default = await api.get("/dnc")
    assert default["pagination"]["offset"] == 50
    assert all("id" in entry and "_id" not in entry for entry in default["entries"])


@behaviour("dnc.list.read-only-with-pages-and-filters")
async def test_the_list_is_searched_by_number_and_filtered_by_agent(api: Driver) -> None:
    entries = (await api.get("/dnc"))["entries"]
    (special,) = [entry for entry in entries if "agentId" in entry]
    number = special["phoneNumber"]
    assert (await api.get("/dnc", search=number[2:]))["entries"] == [special]
    assert (await api.get("/dnc", agentId=special["agentId"]))["entries"] == [special]
    assert await api.refused("GET", "/dnc?agentId=nope")
    assert await api.refused("GET", f"/dnc?agentId={UNKNOWN}", 404)


@behaviour("dnc.list.read-only-with-pages-and-filters")
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
async def test_the_list_cannot_be_changed(api: Driver, method: str) -> None:
    response = await api.unjudged.request(method, "/dnc", json={"phoneNumber": "+12025550101"})
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
