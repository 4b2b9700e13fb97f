import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli import main
from atoms_campaigns_mcp.server.catalog import Catalog
from atoms_campaigns_mcp.settings import LOCAL, SETTINGS, Settings, tenant_of_subject
from atoms_campaigns_mcp.state.opening import open_state
from atoms_campaigns_mcp.state.store import Intent
from tests.support.process import INITIALIZE, environment
from tests.support.world import CALLER_NUMBER, DRAFT

ROOT = Path(__file__).parent.parent


def run(*args: str, env: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "atoms_campaigns_mcp", *args],
        env=env,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_call_prints_the_result_that_an_agent_would_read(tmp_path: Path) -> None:
    done = run("call", "list_phone_numbers", env=environment(tmp_path))
    assert done.returncode == 0
    assert CALLER_NUMBER in done.stdout


def test_call_takes_arguments_as_words_and_prints_json_on_request(tmp_path: Path) -> None:
    words = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    done = run("call", "create_campaign", *words, "--json", env=environment(tmp_path))
    assert json.loads(done.stdout)["status"] == "draft"


def test_call_without_a_terminal_is_a_client_that_cannot_be_asked(tmp_path: Path) -> None:
    words = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    env = environment(tmp_path)
    made = json.loads(run("call", "create_campaign", *words, "--json", env=env).stdout)
    done = run("call", "delete_campaign", f"campaign_id={made['campaign_id']}", env=env)
    assert done.returncode == 1
    assert "confirm_token" in done.stderr
    assert done.stdout == ""


def test_call_says_how_arguments_are_written(tmp_path: Path) -> None:
    done = run("call", "list_agents", "limit", env=environment(tmp_path))
    assert done.returncode == 2
    assert "key=value" in done.stderr


def test_tools_lists_what_the_settings_allow(tmp_path: Path) -> None:
    everything = run("tools", env=environment(tmp_path)).stdout
    reading = run("tools", "--read-only", env=environment(tmp_path)).stdout
    assert all(name in everything for name in Catalog.read().entries)
    assert "start_campaign" not in reading
    assert "list_agents" in reading


def test_version_is_printed(tmp_path: Path) -> None:
    assert run("--version", env=environment(tmp_path)).stdout.strip() == __version__


def test_the_demo_does_every_step_whatever_the_environment_says(tmp_path: Path) -> None:
    env = environment(tmp_path, SMALLEST_API_KEY="sk_live_real", ATOMS_API_URL="https://x.invalid")
    done = run("demo", env=env)
    assert done.returncode == 0, done.stdout
    assert "Every step did what it should." in done.stdout
    for tool in ("create_campaign", "start_campaign", "pause_campaign", "delete_campaign"):
        assert tool in done.stdout


def test_the_client_configuration_starts_the_server(tmp_path: Path) -> None:
    (entry,) = json.loads((ROOT / "mcp.json").read_text("utf-8"))["mcpServers"].values()
    command = [entry["command"], *entry["args"]]
    assert command == ["uv", "run", "-q", "atoms-campaigns-mcp"]
    if shutil.which("uv") is None:
        # Without uv, the script that `uv run` would find stands beside this interpreter.
        command = [str(Path(sys.executable).parent / command[-1])]
    line = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    done = subprocess.run(
        command,
        env={**environment(tmp_path), **entry["env"]},
        cwd=ROOT,
        input=json.dumps(line) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "atoms-campaigns"


def test_resetting_the_sandbox_leaves_the_journal_alone(tmp_path: Path) -> None:
    env = environment(tmp_path)
    run("call", "list_agents", env=env)
    assert (tmp_path / "sandbox.sqlite3").exists()
    done = run("sandbox", "reset", env=env)
    assert done.returncode == 0
    assert not (tmp_path / "sandbox.sqlite3").exists()
    assert (tmp_path / "state.sqlite3").exists()


def leave_open(state: Path, tool: str, tenant: str = LOCAL) -> None:
    """Record an intent and no outcome, as a server does that is killed meanwhile."""

    async def begin() -> None:
        store = open_state(Settings(state=state))
        await store.begin(Intent(tenant, tool, "{}", "not needed"), at=1_800_000_000)
        await store.close()

    anyio.run(begin)


def test_the_journal_shows_what_was_changed(tmp_path: Path) -> None:
    env = environment(tmp_path, COLUMNS="200")
    words = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    run("call", "create_campaign", *words, env=env)
    leave_open(tmp_path, "delete_campaign")
    shown = run("journal", env=env).stdout
    assert "create_campaign" in shown
    assert "done" in shown
    open_ones = run("journal", "--unfinished", env=env).stdout
    assert "delete_campaign" in open_ones
    assert "create_campaign" not in open_ones


def test_the_journal_can_be_asked_what_one_subject_did(tmp_path: Path) -> None:
    issuer = "https://id.example.com/realms/sales"
    env = environment(tmp_path, COLUMNS="200", ATOMS_MCP_OAUTH_ISSUER=issuer)
    for subject, tool in (("anna", "start_campaign"), ("bert", "delete_campaign")):
        leave_open(tmp_path, tool, tenant_of_subject(issuer, subject))
    hers = run("journal", "--subject", "anna", env=env).stdout
    assert "start_campaign" in hers
    assert "delete_campaign" not in hers
    nobodys = run("journal", "--subject", "carl", env=env).stdout
    assert "_campaign" not in nobodys


def test_a_subject_cannot_be_named_without_its_issuer(tmp_path: Path) -> None:
    done = run("journal", "--subject", "anna", env=environment(tmp_path))
    assert done.returncode == 2
    assert "ATOMS_MCP_OAUTH_ISSUER" in done.stderr


def test_a_client_that_install_wrote_for_is_found_and_started_by_doctor(tmp_path: Path) -> None:
    env = {**environment(tmp_path / "state"), "HOME": str(tmp_path), "CODEX_HOME": ""}
    assert run("install", "codex", env=env).returncode == 0
    done = run("doctor", "--json", env=env)
    report = json.loads(done.stdout)
    (check,) = (check for check in report["checks"] if check["name"] == "client codex")
    assert f"{len(Catalog.read().entries)} tools" in check["text"]
    assert (report["ok"], done.returncode) == (True, 0)


OWN = {
    "serve": {"--http", "--auth"},
    "call": {"TOOL", "key=value", "--json"},
    "watch": {"ID"},
    "tools": set[str](),
    "doctor": {"--json"},
    "journal": {"--limit", "--unfinished", "--subject", "--state"},
    "install": {"CLIENT", "--print", "--remove", "--server-name", "--with-key"},
    "sandbox": {"reset", "--port", "--db", "--speed", "--seed"},
    "demo": set[str](),
}
FLAGS = {f"--{row.name.replace('_', '-')}": row.secret for row in SETTINGS}


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    """The words of what `--help` prints."""
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return set(re.findall(r"[\w=-]+", capsys.readouterr().out))


@pytest.mark.parametrize("command", OWN)
def test_the_help_of_a_command_names_its_own_arguments(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert OWN[command] <= help_of(capsys, command)


@pytest.mark.parametrize("command", ["serve", "call", "watch", "tools", "doctor"])
def test_a_command_takes_every_setting_as_a_flag_but_no_secret(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = help_of(capsys, command)
    assert {flag: flag not in named for flag in FLAGS} == FLAGS


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert OWN.keys() <= help_of(capsys)
