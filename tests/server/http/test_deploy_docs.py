"""docs/deploy.md cannot lie: its commands run, and its figures are those of the code."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import anyio
import pytest
from mcp.server.streamable_http_manager import DEFAULT_MAX_SESSIONS

from atoms_campaigns_mcp.config.settings import SETTINGS, Settings
from atoms_campaigns_mcp.schemas.fields import CSV_MAX
from atoms_campaigns_mcp.server import runtime_pool
from atoms_campaigns_mcp.server.auth import api_keys
from atoms_campaigns_mcp.server.http import message_limits, serve, uploads
from atoms_campaigns_mcp.server.http.middleware import bodies
from atoms_campaigns_mcp.server.mcp import subscriptions
from tests.support.process import address, environment, spawned
from tests.support.team import ANNA, Team

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parent.parent.parent.parent
DEPLOY = (ROOT / "docs" / "deploy.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)```", DEPLOY, re.DOTALL)
SERVING = [text for text in COMMANDS if " serve " in text and "opentelemetry" not in text]
ASKING = [text for text in COMMANDS if "curl" in text]
DEFAULTS = Settings()


async def said(command: str, team: Team, folder: Path) -> str:
    if shutil.which("curl") is None and os.environ.get("CI") != "true":
        pytest.skip("there is no curl on this machine")
    env = {**os.environ, "MCP_SERVER": team.url, "SMALLEST_API_KEY": ANNA}
    done = await anyio.run_process(["sh", "-ec", command], cwd=folder, env=env)
    return done.stdout.decode()


@pytest.mark.slow
async def test_the_example_of_an_upload_gives_an_id_that_makes_an_audience(
    team: Team, tmp_path: Path
) -> None:
    (tmp_path / "contacts.csv").write_text("phone,name\n+12025550111,Maya\n", "utf-8")
    (command,) = [text for text in ASKING if "/contacts" in text]
    answer = json.loads(await said(command, team, tmp_path))
    assert answer.keys() == {"upload_id", "expires_in", "bytes"}
    async with team.client(ANNA) as client:
        made = await client.call("create_audience", name="Sent", upload_id=answer["upload_id"])
    assert made["contacts"] == 1


async def test_the_example_of_fewer_rights_hides_tools(team: Team, tmp_path: Path) -> None:
    (command,) = [text for text in ASKING if "Atoms-Mcp-Modes" in text]
    tools = json.loads(await said(command, team, tmp_path))["result"]["tools"]
    names = {tool["name"] for tool in tools}
    assert "list_campaigns" in names
    assert not {"start_campaign", "create_campaign", "pause_campaign"} & names


@pytest.mark.slow
def test_every_command_of_the_page_that_serves_begins_to_listen_and_ends_when_told(
    tmp_path: Path,
) -> None:
    assert SERVING
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**environment(tmp_path), "PATH": path}
    for text in SERVING:
        command = re.sub(r"(\w+=\S+ )?(atoms)", r"\1exec \2", text.replace(":8080", ":0"))
        with spawned(command=("/bin/sh", "-c", command), env=env) as child:
            assert address(child).endswith("/mcp")
            child.process.terminate()
            assert child.leave()[0] == 0


def test_every_variable_of_the_page_is_a_setting() -> None:
    named = set(re.findall(r"ATOMS_MCP_[A-Z_]+", DEPLOY))
    assert named
    assert named <= {row.variable for row in SETTINGS}


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("requests of a tenant (", f"{DEFAULTS.client_rate:.0f} a second"),
        ("requests of a tenant at once", f"| {DEFAULTS.client_calls} |"),
        ("requests to the Atoms API", f"{DEFAULTS.rate:.0f} a second"),
        ("a message", f"{bodies.SMALL // 1024} KiB, with a `csv` {bodies.LARGEST:,} bytes"),
        ("an uploaded contact list", f"{CSV_MAX:,} bytes"),
        ("uploaded lists", f"{uploads.LIFETIME // 60} minutes | {uploads.MOST}"),
        ("members, lists and objects", f"{message_limits.PARTS:,}"),
        ("large bodies of a tenant", f"{bodies.EACH:,} bytes"),
        ("large bodies in all", f"{bodies.ALL:,} bytes"),
        ("resources that a stream", f"{subscriptions.ADDRESSES}"),
        ("connections", f"{serve.CONNECTIONS:,}"),
        ("sessions of the older era", f"{DEFAULT_MAX_SESSIONS:,}"),
        (
            "tenants at hand",
            f"{runtime_pool.RESTING:.0f} seconds without a call | {runtime_pool.MOST:,}",
        ),
        ("`subscriptions/listen`", f"| {subscriptions.EACH} |"),
        ("time for a request's body", f"{bodies.SECONDS:.0f} seconds"),
        ("a key is trusted", f"{api_keys.TRUSTED:.0f} seconds"),
    ],
)
def test_the_table_of_limits_tells_the_codes_figures(row: str, figure: str) -> None:
    (line,) = [line for line in DEPLOY.splitlines() if line.startswith(f"| {row}")]
    assert figure in line
