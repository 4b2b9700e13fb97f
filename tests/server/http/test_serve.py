"""The real server over a real socket."""

import signal
import socket
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult

from atoms_campaigns_mcp.sockets import listening
from tests.support.process import address, environment, spawned
from tests.support.serving import ERAS
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
SERVE = ("serve", "--http", "127.0.0.1:0", "--auth", "none")


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_campaign_starts_after_a_question_over_http(tmp_path: Path, era: str) -> None:
    questions: list[str] = []

    async def elicit(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    with spawned(*SERVE, env=environment(tmp_path, ATOMS_MCP_SANDBOX_SPEED="300")) as child:
        async with Client(address(child), mode=era, elicitation_callback=elicit) as client:
            made = await client.call_tool("create_campaign", {**DRAFT, "max_retries": 0})
            assert made.structured_content is not None
            campaign = {"campaign_id": made.structured_content["campaign_id"]}
            started = await client.call_tool("start_campaign", campaign)
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(timeout=60) == 0
    assert not started.is_error
    assert len(questions) == 1


@pytest.mark.slow
async def test_what_else_is_installed_changes_nothing(tmp_path: Path) -> None:
    """The packages of `uvicorn[standard]` are there, and whoever takes them falls over."""
    others = tmp_path / "others"
    for package in ("httptools", "uvloop", "websockets"):
        (others / package).mkdir(parents=True)
        (others / package / "__init__.py").write_text("", "utf-8")
    env = environment(tmp_path, PYTHONPATH=str(others))
    with spawned(*SERVE, env=env) as child:
        async with Client(address(child)) as client:
            assert (await client.list_tools()).tools


def test_the_bodies_of_replies_do_not_wait_for_the_clients_acknowledgement() -> None:
    with (
        listening("127.0.0.1", 0, flag="--port ") as server,
        socket.create_connection(server.getsockname()),
        server.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.slow
async def test_another_website_cannot_reach_the_server(tmp_path: Path) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with spawned(*SERVE, env=environment(tmp_path)) as child:
        url = address(child)
        async with httpx2.AsyncClient() as http:
            wrong_host = await http.post(url, json=body, headers={"Host": "evil.example"})
            wrong_origin = await http.post(
                url, json=body, headers={"Origin": "https://evil.example"}
            )
    assert (wrong_host.status_code, wrong_origin.status_code) == (421, 403)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("serve", "--http", "0.0.0.0:0", "--auth", "none"), "on this machine only"),
        (("serve", "--http", "8080", "--auth", "none"), "wants HOST:PORT"),
        (("serve", "--http", "127.0.0.1:99999", "--auth", "none"), "wants HOST:PORT"),
    ],
)
def test_an_address_that_is_not_safe_or_not_one_is_refused(
    tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    with spawned(*args, env=environment(tmp_path)) as child:
        code, err = child.leave()
    assert code == 2
    assert words in err
