"""What one tenant takes is its own: pace, requests at once, sessions and streams."""

import gc
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partialmethod
from typing import Any
from weakref import ref

import anyio
import httpx2
import pytest
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from starlette.types import Message, Receive, Scope, Send

from atoms_campaigns_mcp.server import runtime_pool
from atoms_campaigns_mcp.server.http.middleware.rate_limits import STOPS, RateLimits
from atoms_campaigns_mcp.server.mcp import subscriptions
from tests.support.asgi import hanging, nothing, request_of, unheard
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.serving import ERAS
from tests.support.team import (
    ACCEPT,
    ANNA,
    BERT,
    CSV,
    LEGACY,
    Team,
    request,
    routing,
    serving_team,
    told,
)
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
STOP = b'{"method": "tools/call", "params": {"name": "pause_campaign"}}'


@pytest.mark.slow
async def test_a_tenant_beyond_its_rate_waits_and_others_do_not(bench: Bench) -> None:
    bench.configure(client_rate=10)
    async with serving_team(bench) as team:
        hers = [await team.post(ANNA, "tools/list") for _ in range(15)]
        assert [answer.status_code for answer in hers] == [200] * 10 + [429] * 5
        assert hers[-1].headers["retry-after"] == "1"
        assert hers[-1].json()["error"] == "rate_limited"
        assert (await team.post(BERT, "tools/list")).status_code == 200
        async with team.http(ANNA) as http:
            assert (await http.put("/contacts", content=b"phone", headers=CSV)).status_code == 429
            assert (await http.get("/health/live")).status_code == 200
        bench.clock.advance(seconds=1)
        assert (await team.post(ANNA, "tools/list")).status_code == 200


@pytest.mark.slow
async def test_a_tenant_has_so_many_requests_at_once_and_others_do_not_notice(
    bench: Bench,
) -> None:
    bench.configure(client_calls=3)
    held, go = anyio.Semaphore(0), anyio.Event()

    async def holding(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/campaign") and request.headers["Authorization"] in hers:
            held.release()
            await go.wait()
        return await below.handle_async_request(request)

    below, hers = bench.wire.below, {f"Bearer {ANNA}"}
    statuses = Counter[int]()
    async with serving_team(bench) as team:
        bench.wire.below = httpx2.MockTransport(holding)

        async def ask(number: int) -> None:
            call: dict[str, Any] = {
                "name": "list_campaigns",
                "arguments": {"search": f"No. {number}"},
            }
            statuses[(await team.post(ANNA, "tools/call", call)).status_code] += 1

        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(ask, number)
            for _ in range(3):
                await held.acquire()
            refused = await team.post(ANNA, "tools/list")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            call: dict[str, Any] = {"name": "list_campaigns", "arguments": {}}
            assert (await team.post(BERT, "tools/call", call)).status_code == 200
            go.set()
        assert statuses == {200: 3}
        assert (await team.post(ANNA, "tools/list")).status_code == 200


@asynccontextmanager
async def busy(bench: Bench, team: Team, count: int) -> AsyncGenerator[None]:
    """Meanwhile, so many calls of one tenant wait for the API."""
    held, go, below = anyio.Semaphore(0), anyio.Event(), bench.wire.below

    async def holding(request: httpx2.Request) -> httpx2.Response:
        if "search=No" in request.url.query.decode():
            held.release()
            await go.wait()
        return await below.handle_async_request(request)

    async def ask(number: int) -> None:
        await team.post(ANNA, "tools/call", called("list_campaigns", search=f"No{number}"))

    bench.wire.below = httpx2.MockTransport(holding)
    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(ask, number)
        for _ in range(count):
            await held.acquire()
        yield
        go.set()


def called(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"name": tool, "arguments": arguments}


async def running(team: Team) -> str:
    async with team.client(ANNA) as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    return made["campaign_id"]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_the_emergency_stop_gets_through_when_a_tenant_has_nothing_left(
    bench: Bench, era: str
) -> None:
    bench.configure(client_calls=4)
    async with serving_team(bench) as team:
        campaign = await running(team)
        async with team.http(ANNA) as http:
            session = {**ACCEPT, **LEGACY, "Mcp-Session-Id": await team.session(ANNA)}
            async with busy(bench, team, 4):
                assert (await team.post(ANNA, "tools/list")).status_code == 429
                params = called("pause_campaign", campaign_id="all")
                if era == "legacy":
                    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}
                    paused = await http.post("/mcp", json=body, headers=session)
                else:
                    paused = await team.post(ANNA, "tools/call", params)
                assert paused.status_code == 200
        assert told(paused)["result"]["structuredContent"]["campaigns"][0]["id"] == campaign
        async with team.client(ANNA) as client:
            report = await client.call("get_campaign_status", campaign_id=campaign)
        assert report["status"] == "paused"


@pytest.mark.slow
async def test_the_emergency_stop_gets_through_when_a_tenant_has_used_its_rate(
    bench: Bench,
) -> None:
    bench.configure(client_rate=4)
    async with serving_team(bench) as team:
        while (await team.post(ANNA, "tools/list")).status_code == 200:
            pass
        stop = called("pause_campaign", campaign_id="all")
        answers = [(await team.post(ANNA, "tools/call", stop)).status_code for _ in range(6)]
        assert answers == [200] * 4 + [429] * 2  # it has a pace of its own, not none


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        called("get_account"),
        called("pause_campaign", campaign_id="a" * 5000),
        {"name": "get_account", "arguments": {"name": "pause_campaign"}},
    ],
)
async def test_what_only_looks_like_the_emergency_stop_does_not_get_through(
    bench: Bench, params: dict[str, Any]
) -> None:
    bench.configure(client_calls=2)
    async with serving_team(bench) as team, busy(bench, team, 2), team.http(ANNA) as http:
        head = {**routing("tools/call", params), "Mcp-Name": "pause_campaign"}
        answer = await http.post("/mcp", json=request("tools/call", params), headers=head)
        assert answer.status_code == 429


async def test_so_many_emergency_stops_at_once_are_enough() -> None:
    limits = RateLimits(hanging, rate=1e6, in_flight=1, monotonic=FakeClock().monotonic)
    statuses = Counter[int]()

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses[message["status"]] += 1

    async def stop() -> Message:
        return {"type": "http.request", "body": STOP, "more_body": False}

    async with anyio.create_task_group() as tasks:
        for _ in range(STOPS + 4):
            scope = request_of("a", headers={"content-length": str(len(STOP))})
            tasks.start_soon(limits, scope, stop, noting)
        await anyio.wait_all_tasks_blocked()
        assert statuses == {429: 3}
        tasks.cancel_scope.cancel()
    assert limits.tenants <= 1


WAITING: list[tuple[str, dict[str, str]]] = [
    ("GET", {}),
    ("POST", {"mcp-name": "watch_campaign"}),
    ("POST", {"mcp-method": "subscriptions/listen"}),
]


@pytest.mark.parametrize(("method", "headers"), WAITING)
async def test_what_only_waits_leaves_places_to_other_requests(
    method: str, headers: dict[str, str]
) -> None:
    limits = RateLimits(hanging, rate=1e6, in_flight=8, monotonic=FakeClock().monotonic)
    statuses = Counter[int]()

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses[message["status"]] += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(limits, request_of("a", method, headers), nothing, noting)
        await anyio.wait_all_tasks_blocked()
        assert statuses == {429: 2}
        for _ in range(3):
            tasks.start_soon(limits, request_of("a"), nothing, noting)
        await anyio.wait_all_tasks_blocked()
        assert statuses == {429: 3}
        tasks.cancel_scope.cancel()


@pytest.mark.slow
async def test_beyond_the_tenants_at_hand_another_waits_until_one_rests(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_pool, "MOST", 2)
    async with serving_team(bench) as team:

        async def refusal(key: str) -> str:
            call: dict[str, Any] = {"name": "list_campaigns", "arguments": {}}
            result = told(await team.post(key, "tools/call", call))["result"]
            return result["content"][0]["text"] if result["isError"] else ""

        assert [await refusal(key) for key in (ANNA, BERT)] == ["", ""]
        assert "as many accounts as it can" in await refusal("sk_tenant_carl")
        assert await refusal(ANNA) == ""
        bench.clock.advance(seconds=runtime_pool.RESTING + 1)
        assert await refusal("sk_tenant_carl") == ""


@pytest.mark.slow
async def test_beyond_the_sessions_a_new_one_gets_503_until_another_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = partialmethod(Server.streamable_http_app, max_sessions=2)
    monkeypatch.setattr(Server, "streamable_http_app", few)
    async with serving_team(bench) as team:
        sessions = [await team.session(key) for key in (ANNA, BERT)]
        with pytest.raises(httpx2.HTTPStatusError, match="503"):
            await team.session(ANNA)
        assert (await team.post(ANNA, "tools/list")).status_code == 200
        async with team.http(ANNA) as http:
            ended = {**LEGACY, **ACCEPT, "Mcp-Session-Id": sessions[0]}
            assert (await http.delete("/mcp", headers=ended)).status_code == 200
        await team.session(ANNA)


async def test_a_tenant_listens_on_so_many_streams_and_others_on_theirs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "EACH", 2)
    async with (
        serving_team(bench) as team,
        team.client(ANNA) as anna,
        team.client(BERT) as bert,
        AsyncExitStack() as streams,
    ):
        for client in (anna, anna, bert, bert):
            await streams.enter_async_context(client.client.listen(tools_list_changed=True))
        with pytest.raises(MCPError, match="limit"):
            await streams.enter_async_context(anna.client.listen(tools_list_changed=True))


class Name(str):
    """A tenant, of whom can be told whether anybody still holds it."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_limits_remember_nothing_of_tenants_that_are_gone(ends: str) -> None:
    clock = FakeClock()

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        if ends == "badly":
            raise ConnectionResetError

    limits = RateLimits(app, rate=5, in_flight=2, monotonic=clock.monotonic)

    async def ask(number: int) -> ref[Name]:
        tenant = Name(f"tenant {number}")
        with suppress(ConnectionResetError):
            await limits(request_of(tenant), nothing, unheard)
        clock.advance(seconds=1)
        return ref(tenant)

    names = [await ask(number) for number in range(1000)]
    gc.collect()
    assert sum(name() is not None for name in names) <= 1
