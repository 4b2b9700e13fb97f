"""Clients that dawdle, and connections and sessions beyond the bounds."""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest
from anyio.abc import SocketStream
from starlette.types import Message, Receive, Scope, Send

from atoms_campaigns_mcp.server.http.message_limits import SMALL
from atoms_campaigns_mcp.server.http.middleware.bodies import LARGEST, Bodies, Room
from tests.support.asgi import hanging, nothing, request_of, unheard
from tests.support.bench import Bench
from tests.support.process import address, environment, spawned
from tests.support.serving import ERAS
from tests.support.team import (
    ACCEPT,
    ANNA,
    BERT,
    Team,
    routing,
    serving_team,
)
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


SLOW = 200


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


@pytest.mark.slow
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


FEW_CONNECTIONS = """
from atoms_campaigns_mcp.cli.start import main
from atoms_campaigns_mcp.server.http import serve
serve.CONNECTIONS = 5
main(["serve", "--http", "127.0.0.1:0", "--auth", "none"])
"""


@pytest.mark.slow
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


@pytest.mark.parametrize("length", ["10", ""])
async def test_room_for_chunks_does_not_go_by_a_length_beside_them(length: str) -> None:
    held = list[int]()

    class Noting(Room):
        @asynccontextmanager
        async def holding(self, tenant: str, size: int) -> AsyncGenerator[bool]:
            held.append(size)
            async with super().holding(tenant, size) as taken:
                yield taken

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * (SMALL + 1), "more_body": False}

    headers = {"transfer-encoding": "chunked", **({"content-length": length} if length else {})}
    await Bodies(hanging, Noting())(request_of("a", headers=headers), receive, unheard)
    assert held == [LARGEST]
