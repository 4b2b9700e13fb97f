"""What one tenant takes is its own: pace, requests at once, and clients that dawdle."""

import gc
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from functools import partialmethod
from pathlib import Path
from typing import Any
from weakref import ref

import anyio
import anyio.lowlevel
import httpx2
import pytest
from anyio.abc import SocketStream
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from atoms_campaigns_mcp.server import runtime_pool
from atoms_campaigns_mcp.server.auth.principal import SCOPE, Principal
from atoms_campaigns_mcp.server.http.middleware.bodies import Bodies
from atoms_campaigns_mcp.server.http.middleware.rate_limits import STOPS, RateLimits
from atoms_campaigns_mcp.server.mcp import subscriptions
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.process import address, environment, spawned
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
SLOW = 200
STOP = b'{"method": "tools/call", "params": {"name": "pause_campaign"}}'


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


async def hanging(_: Scope, __: Receive, ___: Send) -> None:
    await anyio.sleep_forever()


async def served(team: Team, key: str) -> None:
    """A whole small job, in both eras, while something else goes on."""
    for era in ERAS:
        async with team.client(key, era) as client:
            made = await client.call("create_campaign", **{**DRAFT, "name": f"In {era}"})
            campaign = {"campaign_id": made["campaign_id"]}
            await client.call("start_campaign", **campaign)
            assert (await client.call("get_campaign_status", **campaign))["status"] == "running"


def half_a_head(team: Team) -> bytes:
    return team.head("POST", "/mcp", ANNA, Content_Length="100")[:60]


def half_a_message(team: Team) -> bytes:
    head = team.head("POST", "/mcp", ANNA, Content_Length="1000", **routed())
    return head + b'{"jsonrpc": "2.0", '


def half_a_list(team: Team) -> bytes:
    head = team.head("PUT", "/contacts", ANNA, Content_Length="1000", Content_Type="text/csv")
    return head + b"phone,name\n"


def a_strangers_half_message(team: Team) -> bytes:
    return team.head("POST", "/mcp", "", Content_Length="1000", **routed()) + b"{"


def routed() -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in routing("tools/list").items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "begun", [half_a_head, half_a_message, half_a_list, a_strangers_half_message]
)
async def test_two_hundred_requests_that_never_end_keep_nobody_waiting(
    bench: Bench, begun: Callable[[Team], bytes]
) -> None:
    bench.configure(client_calls=64)
    async with serving_team(bench) as team, AsyncExitStack() as open_ones:
        for _ in range(SLOW):
            stream = await open_ones.enter_async_context(await team.connection())
            await stream.send(begun(team))
        await served(team, BERT)
        await served(team, "sk_tenant_newcomer")


async def test_an_open_stream_that_nobody_reads_keeps_nobody_waiting(bench: Bench) -> None:
    bench.configure(client_calls=64)
    async with serving_team(bench) as team, AsyncExitStack() as open_ones:
        session = await team.session(ANNA)
        head = team.head("GET", "/mcp", ANNA, Accept=ACCEPT["Accept"], Mcp_Session_Id=session)
        streams = list[SocketStream]()
        for _ in range(SLOW):
            stream = await open_ones.enter_async_context(await team.connection())
            await stream.send(head)
            streams.append(stream)
        await served(team, BERT)


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


FEW_CONNECTIONS = """
from atoms_campaigns_mcp.cli.main import main
from atoms_campaigns_mcp.server.http import serve
serve.CONNECTIONS = 5
main(["serve", "--http", "127.0.0.1:0", "--auth", "none"])
"""


def test_a_connection_too_many_gets_503_until_another_is_closed(tmp_path: Path) -> None:
    serving = (sys.executable, "-c", FEW_CONNECTIONS)
    with spawned(command=serving, env=environment(tmp_path)) as child, ExitStack() as clients:
        origin = address(child).removesuffix("/mcp")

        def connect() -> tuple[httpx2.Client, int]:
            client = clients.enter_context(httpx2.Client(base_url=origin))
            return client, client.get("/health/live").status_code

        kept = [connect() for _ in range(4)]
        assert [status for _, status in kept] == [200] * 4
        assert connect()[1] == 503
        kept[0][0].close()
        assert connect()[1] == 200


def request_of(tenant: str, method: str = "POST", headers: dict[str, str] | None = None) -> Scope:
    raw = Headers(headers or {}).raw
    scope: Scope = {"type": "http", "method": method, "path": "/mcp", "headers": raw}
    return {**scope, SCOPE: Principal(tenant)}


async def nothing() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def unheard(_: Message) -> None:
    pass


async def test_a_body_that_does_not_arrive_in_time_ends_its_request() -> None:
    said = list[Message]()

    async def noting(message: Message) -> None:
        said.append(message)

    await Bodies(hanging, seconds=0)(request_of("a"), nothing, noting)
    assert said[0]["status"] == 408


async def test_once_a_body_is_whole_its_answer_may_take_as_long_as_it_takes() -> None:
    heard = list[str]()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        for _number in range(2):
            heard.append((await receive())["type"])

    async def receive() -> Message:
        if not heard:
            return {"type": "http.request", "body": b"", "more_body": False}
        await anyio.lowlevel.checkpoint()  # where a wait that is over would be cut off
        return {"type": "later"}

    await Bodies(app, seconds=0)(request_of("a"), receive, unheard)
    assert heard == ["http.request", "later"]


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
