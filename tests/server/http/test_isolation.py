"""Tenant B tries to reach what belongs to tenant A, in every way there is."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.subscriptions import Subscription
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference

from tests.support.serving import ERAS, Caller, text_of
from tests.support.team import ACCEPT, ANNA, BERT, CSV, LEGACY, Team, told
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
YES = {"confirm": {"action": "accept", "content": {"confirm": True}}}
LIST = "phone,name\n+12025550111,Maya\n+12025550112,Jo"


async def draft(client: Caller, **changes: Any) -> dict[str, str]:
    """Make a campaign; the first of every organization has the id of the vendor's sample."""
    made = await client.call("create_campaign", **{**DRAFT, **changes})
    return {"campaign_id": made["campaign_id"]}


async def own_draft(client: Caller) -> dict[str, str]:
    """Make a campaign whose id no other organization has."""
    await draft(client, name="The first")
    return await draft(client, name="The second")


async def its_state(client: Caller, campaign: dict[str, str]) -> str:
    return (await client.call("get_campaign_status", **campaign))["status"]


async def uploaded(team: Team, key: str, content: str = LIST) -> str:
    async with team.http(key) as http:
        answer = await http.put("/contacts", content=content.encode(), headers=CSV)
    return answer.raise_for_status().json()["upload_id"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_session_answers_nobody_but_who_began_it(team: Team, method: str) -> None:
    session = {**LEGACY, **ACCEPT, "Mcp-Session-Id": await team.session(ANNA)}
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    async with team.http(BERT) as bert, team.http(ANNA) as anna:
        stolen = await bert.request(method, "/mcp", json=body, headers=session)
        still = await anna.post("/mcp", json=body, headers=session)
    assert (stolen.status_code, still.status_code) == (404, 200)
    assert "Session not found" in stolen.text


async def test_a_stolen_session_is_no_different_from_one_that_never_was(team: Team) -> None:
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    answers = list[httpx2.Response]()
    for name in (await team.session(ANNA), "0" * 32):
        async with team.http(BERT) as bert:
            headers = {**LEGACY, **ACCEPT, "Mcp-Session-Id": name}
            answers.append(await bert.post("/mcp", json=body, headers=headers))
    stolen, unknown = answers
    assert (stolen.status_code, stolen.json()) == (unknown.status_code, unknown.json())


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_campaign_of_another_tenant_does_not_exist(team: Team, era: str) -> None:
    async with team.client(ANNA, era) as anna, team.client(BERT, era) as bert:
        campaign = await own_draft(anna)
        for tool in (
            "get_campaign_status",
            "preview_campaign",
            "start_campaign",
            "watch_campaign",
            "pause_campaign",
            "delete_campaign",
            "get_campaign_results",
            "list_calls",
        ):
            assert "not found" in (await bert.refused(tool, **campaign)).lower(), tool
        refused = await bert.refused(
            "create_audience", name="Copy", from_campaign_id=campaign["campaign_id"]
        )
        assert "not found" in refused.lower()
        listed = (await bert.call("list_campaigns"))["campaigns"]
        assert campaign["campaign_id"] not in {row["id"] for row in listed}
        assert await its_state(anna, campaign) == "draft"


@pytest.mark.slow
async def test_stopping_everything_stops_what_is_ones_own(team: Team) -> None:
    async with team.client(ANNA) as anna, team.client(BERT) as bert:
        hers, his = await own_draft(anna), await own_draft(bert)
        await anna.call("start_campaign", **hers)
        await bert.call("start_campaign", **his)
        await bert.call("pause_campaign", campaign_id="all")
        assert (await its_state(anna, hers), await its_state(bert, his)) == ("running", "paused")


@pytest.mark.slow
async def test_a_token_of_another_tenant_confirms_nothing(team: Team) -> None:
    async with team.client(ANNA, answer=None) as anna, team.client(BERT, answer=None) as bert:
        hers, his = await draft(anna), await draft(bert)
        assert hers == his  # the same name and id: nothing but the tenant tells them apart
        token = await anna.token("start_campaign", **hers)
        refused = await bert.refused("start_campaign", **his, confirm_token=token)
        assert "was not given by this server" in refused
        assert team.bench.wire.changes.count("start") == 0
        # It was not used up by somebody who may not use it.
        await anna.call("start_campaign", **hers, confirm_token=token)
    assert team.bench.wire.changes.count("start") == 1


@pytest.mark.slow
async def test_the_state_of_a_question_is_worth_nothing_to_another_tenant(team: Team) -> None:
    async with team.client(ANNA) as anna:
        campaign = await own_draft(anna)
    call = {"name": "start_campaign", "arguments": campaign}
    asked = told(await team.post(ANNA, "tools/call", call))["result"]
    assert asked["resultType"] == "input_required"
    answered = {**call, "inputResponses": YES, "requestState": asked["requestState"]}
    replayed = await team.post(BERT, "tools/call", answered)
    assert (replayed.status_code, told(replayed)["error"]["code"]) == (400, -32602)
    assert team.bench.wire.changes.count("start") == 0
    done = told(await team.post(ANNA, "tools/call", answered))["result"]
    assert done["structuredContent"]["status"] in {"processing", "running"}
    assert team.bench.wire.changes.count("start") == 1


@pytest.mark.slow
async def test_an_upload_exists_for_its_tenant_only(team: Team) -> None:
    upload = await uploaded(team, ANNA)
    async with team.client(ANNA) as anna, team.client(BERT) as bert:
        stolen = await bert.refused("create_audience", name="Stolen", upload_id=upload)
        unknown = await bert.refused("create_audience", name="Stolen", upload_id="0" * 32)
        assert stolen == unknown
        audience = (await bert.call("create_audience", name="Own", csv=LIST))["audience_id"]
        await bert.refused("add_contacts", audience_id=audience, upload_id=upload)
        assert (await anna.call("create_audience", name="Own", upload_id=upload))["contacts"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_resources_of_another_tenants_campaign_do_not_exist(team: Team, era: str) -> None:
    async with team.client(ANNA, era) as anna, team.client(BERT, era) as bert:
        campaign = (await own_draft(anna))["campaign_id"]
        for uri in (f"atoms://campaigns/{campaign}", f"atoms://campaigns/{campaign}/results.csv"):
            await anna.client.read_resource(uri)
            with pytest.raises(MCPError) as refused:
                await bert.client.read_resource(uri)
            assert refused.value.code == -32602
            assert "not found" in str(refused.value).lower()


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_nothing_of_another_tenant_is_completed(team: Team, era: str) -> None:
    review = PromptReference(type="ref/prompt", name="review_campaign")
    launch = PromptReference(type="ref/prompt", name="launch_campaign")
    async with team.client(ANNA, era) as anna, team.client(BERT, era) as bert:
        campaign = (await own_draft(anna))["campaign_id"]
        await anna.call("create_audience", name="Secret list", csv=LIST)
        for ref, name, typed, hers in (
            (review, "campaign_id", campaign[:20], campaign),
            (launch, "audience_id", "Secr", "Secret list"),
        ):
            argument = {"name": name, "value": typed}
            assert (await anna.client.complete(ref, argument)).completion.values == [hers]
            assert (await bert.client.complete(ref, argument)).completion.values == []


async def next_uri(subscription: Subscription) -> str:
    with anyio.fail_after(10):
        return str(getattr(await anext(aiter(subscription)), "uri", ""))


@pytest.mark.slow
@pytest.mark.parametrize("make", [draft, own_draft])
async def test_a_stream_tells_of_ones_own_campaigns_only(
    team: Team, make: Callable[[Caller], Awaitable[dict[str, str]]]
) -> None:
    async with team.client(ANNA) as anna, team.client(BERT) as bert:
        hers, his = await make(anna), await make(bert)
        await bert.call("create_campaign", **{**DRAFT, "name": "The last"})
        last = (await bert.call("list_campaigns", search="The last"))["campaigns"][0]["id"]
        uris = [f"atoms://campaigns/{one}" for one in (hers["campaign_id"], last)]
        async with (
            anna.client.listen(resource_subscriptions=uris) as at_annas,
            bert.client.listen(resource_subscriptions=uris) as at_berts,
        ):
            for client, one in ((anna, hers["campaign_id"]), (bert, last)):
                await client.call("start_campaign", campaign_id=one)
                await client.call(
                    "watch_campaign", campaign_id=one, until="change", wait_seconds=45
                )
            # Hers changed first: a stream that told of it would have done so by now.
            assert await next_uri(at_berts) == uris[1]
            assert await next_uri(at_annas) == uris[0]
        assert (hers == his) is (make is draft)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_two_tenants_read_the_same_at_once_and_each_gets_its_own(
    team: Team, era: str
) -> None:
    keys = [f"sk_tenant_{n}" for n in range(6)]
    seen = dict[str, list[str]]()

    async def read(key: str) -> None:
        async with team.client(key, era) as client:
            await draft(client, name=f"Campaign of {key[3:]}")  # of the same id as everybody's
            for tool in ("list_campaigns", "list_audiences", "list_agents", "get_account") * 2:
                result = await client.call(tool)
                seen.setdefault(key, []).append(json.dumps(result))

    async with anyio.create_task_group() as tasks:
        for key in keys:
            tasks.start_soon(read, key)
    accounts = {json.loads(texts[3])["organization_id"] for texts in seen.values()}
    assert len(accounts) == len(keys)
    for key in keys:
        told_to = " ".join(seen[key])
        assert f"Campaign of {key[3:]}" in told_to
        assert not [other for other in keys if other != key and f"of {other}" in told_to]


@pytest.mark.slow
async def test_what_one_tenant_does_keeps_no_other_from_the_same(team: Team) -> None:
    """Locks, looking for lost answers and the names of equal campaigns end at the tenant."""

    async def losing(request: httpx2.Request) -> httpx2.Response:
        hers = request.headers["Authorization"].endswith(ANNA)
        if hers and request.method == "POST" and request.url.path.endswith("/campaign"):
            await below.handle_async_request(request)
            raise httpx2.ReadError("lost")
        return await below.handle_async_request(request)

    below = team.bench.wire.below
    async with team.client(ANNA) as anna, team.client(BERT) as bert:
        await draft(anna, name="Same")
        team.bench.wire.below = httpx2.MockTransport(losing)
        await anna.raw("create_campaign", **{**DRAFT, "name": "Lost"})
        for name in ("Same", "Lost"):
            made = await bert.raw("create_campaign", **{**DRAFT, "name": name})
            assert not made.is_error, text_of(made)
        journal = await team.service.runtimes.store().journal.entries(50)
    tenants = [entry.intent.tenant for entry in journal]
    assert (len(tenants), len(set(tenants))) == (4, 2)
    assert all("anna" not in name and "bert" not in name for name in tenants)


@pytest.mark.slow
async def test_two_tenants_start_campaigns_of_one_id_at_once(team: Team) -> None:
    async with team.client(ANNA) as anna, team.client(BERT) as bert:
        campaign = await draft(bert)
        assert await draft(anna) == campaign
        results = dict[str, str]()

        async def start(name: str, client: Caller) -> None:
            results[name] = (await client.call("start_campaign", **campaign))["status"]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(start, "anna", anna)
            tasks.start_soon(start, "bert", bert)
        assert len(results) == 2
        await bert.call("pause_campaign", **campaign)
        assert await its_state(anna, campaign) == "running"
        assert await its_state(bert, campaign) == "paused"
    assert team.bench.wire.changes.count("start") == 2
