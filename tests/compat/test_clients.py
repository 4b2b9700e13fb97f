"""Clients of others, in both eras and on both transports, see the same server."""

import os
import shutil
import subprocess
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp.tool_calls.catalog import ONE_TRANSPORT
from tests.compat.drivers import Target, Transport, connected
from tests.compat.session import Result, session

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
WITHOUT_NODE = not (shutil.which("node") and shutil.which("npm"))
ERAS = ("legacy", "2026-07-28")
WITH_LISTS = {"create_audience", "add_contacts", "get_campaign_results"}
TRANSPORTS: tuple[Transport, ...] = ("stdio", "http")
PYTHON: list[tuple[str, str, Transport]] = [
    ("python", era, transport) for era in ERAS for transport in TRANSPORTS
]
NODE = [
    *(("typescript client", era, transport) for era in ERAS for transport in TRANSPORTS),
    # The first generation knows nothing newer than the handshake.
    *(("typescript sdk", "legacy", transport) for transport in TRANSPORTS),
    *(("inspector", era, "http") for era in ERAS),
]


def went_through(client: str, era: str, transport: Transport, state: Path) -> dict[str, Result]:
    async def run() -> dict[str, Result]:
        with Target.open(state, transport) as target:
            async with connected(client, era, target) as driver:
                seen, named = await session(driver)
        assert named == {era != "legacy"}  # it spoke the era that it was to speak
        return seen

    seen = anyio.run(run)
    for tool in seen["tools"]["tools"]:
        # Lists are files on the server's machine over stdio, and uploads over HTTP.
        given = tool["inputSchema"]["properties"]
        for name in [name for name in given if ONE_TRANSPORT.get(name) is (transport == "http")]:
            assert tool["name"] in WITH_LISTS
            del given[name]
    return seen


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return went_through(*PYTHON[0], tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def clients() -> None:
    if WITHOUT_NODE and os.environ.get("CI") != "true":
        pytest.skip("needs Node.js and npm")
    subprocess.run([ROOT / "scripts" / "clients"], check=True, timeout=300)


def test_the_session_is_what_it_should_be(reference: dict[str, Result]) -> None:
    assert len(reference["tools"]["tools"]) > 15
    states = {
        step: result["structuredContent"].get("status")
        for step, result in reference.items()
        if "structuredContent" in result
    }
    assert states == {
        "caller IDs": None,
        "create": "draft",
        "start": "running",
        "status": "running",
        "pause": "paused",
        "resume": "running",
        "watch": "running",
        "pause again": "paused",
        "delete": "deleted",
    }
    assert not [step for step, result in reference.items() if result.get("isError")]
    questions = [result["question"] for step, result in reference.items() if "asked" in step]
    assert [question.removeprefix("[sandbox] ").split()[0] for question in questions] == [
        "Start",
        "Resume",
        "Delete",
    ]
    assert reference["guide"]["contents"][0]["mimeType"] == "text/markdown"
    assert reference["prompt"]["messages"][0]["role"] == "user"


@pytest.mark.parametrize(("client", "era", "transport"), PYTHON[1:])
def test_a_client_in_python_sees_the_same(
    reference: dict[str, Result], tmp_path: Path, client: str, era: str, transport: Transport
) -> None:
    assert went_through(client, era, transport, tmp_path) == reference


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(("client", "era", "transport"), NODE)
def test_a_client_in_node_sees_the_same(
    reference: dict[str, Result], tmp_path: Path, client: str, era: str, transport: Transport
) -> None:
    assert went_through(client, era, transport, tmp_path) == reference
