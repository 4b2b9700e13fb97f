import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.server.catalog import Catalog
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


def test_the_journal_shows_what_was_changed(tmp_path: Path) -> None:
    env = environment(tmp_path)
    words = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    run("call", "create_campaign", *words, env=env)
    shown = run("journal", env={**env, "COLUMNS": "200"}).stdout
    assert "create_campaign" in shown
    assert "done" in shown
    assert "create_campaign" not in run("journal", "--unfinished", env=env).stdout


def test_a_client_that_install_wrote_for_is_found_and_started_by_doctor(tmp_path: Path) -> None:
    env = {**environment(tmp_path / "state"), "HOME": str(tmp_path), "CODEX_HOME": ""}
    assert run("install", "codex", env=env).returncode == 0
    done = run("doctor", "--json", env=env)
    report = json.loads(done.stdout)
    (check,) = (check for check in report["checks"] if check["name"] == "client codex")
    assert f"{len(Catalog.read().entries)} tools" in check["text"]
    assert (report["ok"], done.returncode) == (True, 0)


COMMANDS = ["journal", "demo", "serve", "call", "tools", "sandbox", "watch", "doctor", "install"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = run(command, "--help", env=environment(tmp_path))
    assert done.returncode == 0
    assert command in done.stdout
    assert os.linesep in done.stdout
