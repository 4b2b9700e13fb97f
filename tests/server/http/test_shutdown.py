"""The server is asked to end while clients are connected: in good order, in ten seconds."""

import json
import signal
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest

from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from tests.support.emulated import Front, emulated, fronted
from tests.support.process import INITIALIZE, Child, environment, serving_http
from tests.support.team import ACCEPT, ANNA, LEGACY, bearer, request, routing, told
from tests.support.world import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
MOST = 10  # seconds to end in


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with emulated(tmp_path_factory.mktemp("api"), speed="1") as origin:
        yield origin


@pytest.fixture
def front(api: str) -> Generator[Front]:
    with fronted(api) as front:
        yield front


@pytest.fixture
def server(tmp_path: Path, front: Front) -> Generator[tuple[Child, str]]:
    env = environment(tmp_path, ATOMS_API_URL=f"{front.url}/atoms/v1", ATOMS_MCP_RATE="100")
    with serving_http(env=env) as served:
        yield served


async def begun(http: httpx2.AsyncClient, url: str) -> dict[str, str]:
    """Begin a session of the older era; give the headers of its requests."""
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}
    answer = await http.post(url, json=body)
    return {**LEGACY, "Mcp-Session-Id": answer.raise_for_status().headers["mcp-session-id"]}


def client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers={**bearer(ANNA), **ACCEPT}, timeout=30)


@dataclass
class End:
    """How a server ended, and the rest of its log."""

    code: int | None = None
    log: str = ""

    async def of(self, child: Child) -> None:
        """Wait for it."""
        _, self.log = await anyio.to_thread.run_sync(
            lambda: child.process.communicate(timeout=MOST)
        )
        self.code = child.process.returncode


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_open_streams_end_with_the_server(
    server: tuple[Child, str], told: signal.Signals
) -> None:
    (child, url), end = server, End()
    listen: dict[str, Any] = {"notifications": {"toolsListChanged": True}}
    async with client() as http:
        session = await begun(http, url)
        async with (
            http.stream("GET", url, headers=session) as older,
            http.stream(
                "POST",
                url,
                json=request("subscriptions/listen", listen),
                headers=routing("subscriptions/listen", listen),
            ) as newer,
        ):
            assert (older.status_code, newer.status_code) == (200, 200)
            text = newer.aiter_text()
            assert "acknowledged" in await anext(text)
            child.process.send_signal(told)
            await end.of(child)
            # The end of the newer stream is said in it; the older one just ends.
            rest = "".join([piece async for piece in text])
            assert [piece async for piece in older.aiter_text()] == []
    assert end.code == 0, end.log
    assert '"resultType":"complete"' in rest.replace(" ", "")
    assert "Traceback" not in end.log


async def test_a_change_in_flight_gets_its_answer(
    server: tuple[Child, str], front: Front, tmp_path: Path
) -> None:
    (child, url), end = server, End()
    results = list[dict[str, Any]]()
    front.slow, front.seconds = "POST /atoms/v1/campaign", 3.0

    async def create(http: httpx2.AsyncClient, name: str, headers: dict[str, str]) -> None:
        call: dict[str, Any] = {"name": "create_campaign", "arguments": {**DRAFT, "name": name}}
        newer = routing("tools/call", call)
        answer = await http.post(url, json=request("tools/call", call), headers=headers or newer)
        results.append(told(answer)["result"])

    async with client() as http:
        session = await begun(http, url)
        async with http.stream("GET", url, headers=session), anyio.create_task_group() as tasks:
            tasks.start_soon(create, http, "In flight", dict[str, str]())
            tasks.start_soon(create, http, "In flight in the older era", session)
            assert await anyio.to_thread.run_sync(lambda: front.reached.wait(10))
            child.process.send_signal(signal.SIGTERM)
            await end.of(child)
    assert [result for result in results if result.get("isError")] == []
    assert len(results) == 2
    assert end.code == 0, end.log
    outcomes = [entry.outcome for entry in await SqliteStore.open(tmp_path).journal.entries(10)]
    assert outcomes == ["done", "done"]


async def test_a_change_that_takes_too_long_is_called_unknown_in_time(
    server: tuple[Child, str], front: Front
) -> None:
    (child, url), end = server, End()
    front.slow, front.seconds = "POST /atoms/v1/campaign", 8.0
    call = {"name": "create_campaign", "arguments": DRAFT}
    answers = list[httpx2.Response]()

    async def create(http: httpx2.AsyncClient) -> None:
        body = request("tools/call", call)
        answers.append(await http.post(url, json=body, headers=routing("tools/call", call)))

    async with client() as http, anyio.create_task_group() as tasks:
        tasks.start_soon(create, http)
        assert await anyio.to_thread.run_sync(lambda: front.reached.wait(10))
        child.process.send_signal(signal.SIGTERM)
        await end.of(child)
    result = told(answers[0])["result"]
    assert end.code == 0, end.log
    assert result["structuredContent"]["code"] == "outcome_unknown"


async def test_a_watch_in_flight_does_not_hold_the_end_up(server: tuple[Child, str]) -> None:
    (child, url), end = server, End()
    call = {"name": "create_campaign", "arguments": {**DRAFT, "name": "Watched"}}
    async with client() as http:
        made = told(
            await http.post(
                url, json=request("tools/call", call), headers=routing("tools/call", call)
            )
        )["result"]["structuredContent"]
        watch = {"campaign_id": made["campaign_id"], "wait_seconds": 45}
        call = {"name": "watch_campaign", "arguments": watch}
        body = request("tools/call", call)
        body["params"]["_meta"]["progressToken"] = 1
        headers = routing("tools/call", call)
        async with http.stream("POST", url, json=body, headers=headers) as watching:
            text = watching.aiter_text()
            assert "notifications/progress" in await anext(text)
            child.process.send_signal(signal.SIGTERM)
            await end.of(child)
            rest = "".join([piece async for piece in text])
    assert end.code == 0, end.log
    (report,) = [json.loads(line[6:]) for line in rest.splitlines() if '"result"' in line]
    assert report["result"]["structuredContent"]["reached"] is False
    assert report["result"]["structuredContent"]["since"]
    assert "Traceback" not in end.log
