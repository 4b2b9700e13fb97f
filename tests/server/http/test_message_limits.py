"""Over HTTP, what is no message is a 400, and what HTTP lets one write differently is served."""

import json
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.lost import Sandbox, trouble
from tests.support.process import INITIALIZE
from tests.support.team import ACCEPT, ANNA, LEGACY, Team, request, routing, told

pytestmark = pytest.mark.anyio
AGENTS: dict[str, Any] = {"name": "list_agents", "arguments": {}}
ASKED = request("tools/list")
PATIENCE = 15  # seconds
HALF = json.dumps({**ASKED, "method": "X"}).replace('"X"', '"\\ud83d"')
NO_MESSAGE: list[str | bytes] = [
    json.dumps({**ASKED, "id": None}),
    json.dumps({**ASKED, "id": 1.5}),
    json.dumps({**ASKED, "params": ["all"]}),
    json.dumps({"id": 1, "method": "tools/list"}),
    json.dumps([ASKED]),
    HALF,
    b'{"jsonrpc": "2.0", "id": "\xe9"}',
    "{",
    "",
]


async def send(
    team: Team, content: str | bytes, path: str = "/mcp", **headers: str
) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    base = {**routing("tools/list"), "Content-Type": "application/json"}
    async with team.http(ANNA) as http:
        return await http.post(path, content=content, headers={**base, **named})


async def in_session(team: Team, content: str | bytes) -> httpx2.Response:
    session = {**ACCEPT, **LEGACY, "Mcp-Session-Id": await team.session(ANNA)}
    async with team.http(ANNA) as http:
        typed = {"Content-Type": "application/json"}
        return await http.post("/mcp", content=content, headers={**session, **typed})


@pytest.mark.slow
@pytest.mark.parametrize("content", NO_MESSAGE)
async def test_what_is_no_message_is_refused_in_both_eras(team: Team, content: str | bytes) -> None:
    for answer in (await send(team, content), await in_session(team, content)):
        assert answer.status_code == 400
        error = answer.json()
        assert error["error"]["code"] < -32000
        assert "all" not in error["error"]["message"].split()
        assert error["id"] in {None, 1}


@pytest.mark.slow
async def test_a_byte_order_mark_is_no_part_of_a_message(team: Team) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(ASKED).encode()
    assert (await send(team, content)).status_code == 200
    plain = {"jsonrpc": "2.0", "id": 5, "method": "tools/list"}
    answer = await in_session(team, b"\xef\xbb\xbf" + json.dumps(plain).encode())
    assert told(answer)["id"] == 5


async def test_an_initialize_of_the_stateless_era_is_a_method_that_does_not_exist(
    team: Team,
) -> None:
    removed = json.dumps(request("initialize", INITIALIZE))
    answer = await send(team, removed, Mcp_Method="initialize")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "Application/JSON; charset=UTF-8"},
        {"Host": "LOCALHOST:80"},
        {"Last_Event_ID": "1"},
    ],
)
async def test_capitals_in_headers_are_served(team: Team, headers: dict[str, str]) -> None:
    assert (await send(team, json.dumps(ASKED), **headers)).status_code == 200
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with team.http(ANNA) as http:
        kind = {"Content-Type": "application/json"}
        opened = await http.post(
            "/mcp", content=json.dumps(body), headers={**ACCEPT, **kind, **named}
        )
    assert opened.status_code == 200


async def test_a_slash_behind_the_path_is_served(team: Team) -> None:
    assert (await send(team, json.dumps(ASKED), "/mcp/")).status_code == 200
    assert (await send(team, json.dumps(ASKED), "/mcp//")).status_code == 404


@pytest.mark.slow
async def test_a_stream_that_would_be_resumed_begins_anew(team: Team) -> None:
    session = {**LEGACY, "Mcp-Session-Id": await team.session(ANNA), "Last-Event-ID": "4"}
    async with (
        team.http(ANNA) as http,
        http.stream("GET", "/mcp", headers={**session, "Accept": "text/event-stream"}) as stream,
    ):
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")


@pytest.mark.slow
@pytest.mark.parametrize("again", [5, "5"])
async def test_an_id_that_the_session_waits_for_is_refused_and_the_first_is_answered(
    team: Team, again: int | str
) -> None:
    reached, release = anyio.Event(), anyio.Event()

    async def held(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
        reached.set()
        await release.wait()
        return await sandbox(request)

    session = {**ACCEPT, **LEGACY, "Mcp-Session-Id": await team.session(ANNA)}
    trouble(team.bench, "GET", held)
    body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": AGENTS}
    answers: list[httpx2.Response] = []
    async with team.http(ANNA) as http:

        async def ask(number: int | str) -> None:
            answers.append(await http.post("/mcp", json={**body, "id": number}, headers=session))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, 5)
            await reached.wait()
            try:
                with anyio.fail_after(PATIENCE):  # one that is served waits for the release
                    await ask(again)
            finally:
                release.set()
        await ask(5)
    refused, *answered = answers
    assert (refused.status_code, refused.json()["id"]) == (400, again)
    assert all(told(answer)["result"]["structuredContent"]["agents"] for answer in answered)


@pytest.mark.slow
async def test_clients_without_sessions_may_use_the_same_ids_at_once(team: Team) -> None:
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await team.post(ANNA, "tools/call", AGENTS)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
    assert statuses == [200] * 3
