import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli.tools import run as explain
from atoms_campaigns_mcp.config.identity import LOCAL, tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.open import open_state
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.process import ENVELOPE, INITIALIZE, Child, environment, spawned
from tests.support.world import CALLER_NUMBER, DRAFT

ROOT = Path(__file__).parent.parent.parent
DRAFT_WORDS = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]


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


@pytest.mark.slow
def test_call_gives_a_pipe_the_data_that_an_agent_would_read(tmp_path: Path) -> None:
    done = run("call", "list_phone_numbers", env=environment(tmp_path))
    assert done.returncode == 0
    numbers = json.loads(done.stdout)["phone_numbers"]
    assert CALLER_NUMBER in [row["number"] for row in numbers]


@pytest.mark.slow
def test_call_takes_arguments_as_words_and_prints_json_on_request(tmp_path: Path) -> None:
    done = run("call", "create_campaign", *DRAFT_WORDS, "--json", env=environment(tmp_path))
    assert json.loads(done.stdout)["status"] == "draft"


@pytest.mark.slow
def test_call_without_a_terminal_is_a_client_that_cannot_be_asked(tmp_path: Path) -> None:
    env = environment(tmp_path)
    made = json.loads(run("call", "create_campaign", *DRAFT_WORDS, "--json", env=env).stdout)
    words = ("call", "delete_campaign", f"campaign_id={made['campaign_id']}")
    done = run(*words, env=env)
    assert done.returncode == 1
    error = json.loads(done.stderr)
    assert error["message"].startswith("Nothing was done.")
    assert error["confirm_token"]
    assert done.stdout == ""
    logged = run(*words, env={**env, "ATOMS_MCP_LOG": "json"}).stderr
    line = json.loads(logged.splitlines()[0])
    assert (line["tool"], line["outcome"]) == ("delete_campaign", "not_confirmed")


@pytest.mark.slow
def test_call_says_how_arguments_are_written(tmp_path: Path) -> None:
    done = run("call", "list_agents", "limit", env=environment(tmp_path))
    assert done.returncode == 2
    assert "key=value" in done.stderr


@pytest.mark.slow
def test_what_is_wrong_beyond_the_call_itself_is_logged_in_words(tmp_path: Path) -> None:
    state = tmp_path / "no folder"
    state.write_text("", "utf-8")
    done = run("call", "list_agents", env=environment(state, ATOMS_MCP_SANDBOX_DB=":memory:"))
    assert done.returncode == 0
    assert " error The state folder" in done.stderr
    assert "Only reading and pause_campaign work." in done.stderr


@pytest.mark.slow
def test_tools_lists_what_the_settings_allow(tmp_path: Path) -> None:
    everything = run("tools", env=environment(tmp_path)).stdout
    reading = run("tools", "--read-only", env=environment(tmp_path)).stdout
    names = [text.split("\t")[0] for text in everything.splitlines()]
    assert names == list(Catalog.read().entries)
    assert "start_campaign" not in reading
    assert "list_agents" in reading


@pytest.mark.slow
def test_tools_explains_the_arguments_of_one(tmp_path: Path) -> None:
    done = run("tools", "create_campaign", env=environment(tmp_path))
    assert "dials with scheduled_at" in done.stdout
    assert "max_retries (optional)" in done.stdout
    assert "integer, 0 to 10" in done.stdout
    assert "JSON list of 1 to 20" in done.stdout
    hidden = run("tools", "create_campaign", "--no-dial", env=environment(tmp_path)).stdout
    assert "scheduled_at" not in hidden.split("name ")[1]
    unknown = run("tools", "dial_everybody", env=environment(tmp_path))
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "dial_everybody" not in unknown.stderr


@pytest.mark.parametrize("name", list(Catalog.read().entries))
def test_every_tool_can_be_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(Settings(), name) == 0
    shown = capsys.readouterr().out
    for argument in Catalog.read().entries[name].tool["inputSchema"]["properties"]:
        assert f"\n{argument} " in shown


PRINTING = [
    ["call", "list_agents"],
    ["call", "--help"],
    ["tools"],
    ["tools", "create_campaign"],
    ["journal"],
    ["journal", "--json"],
    ["doctor"],
    ["install", "cursor", "--print"],
    ["watch", "696ddd2a04ff172dbd8eddad"],
    ["demo"],
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no broken pipes of this kind")
@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_who_reads_no_further_ends_a_command_quietly(words: list[str], tmp_path: Path) -> None:
    env = {**environment(tmp_path / "state"), "HOME": str(tmp_path)}
    run("call", "create_campaign", *DRAFT_WORDS, env=env)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "atoms_campaigns_mcp", *words],
        env=env,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert not [text for text in ("Traceback", "Exception", "roken") if text in done.stderr]
    assert done.returncode == 1 or "--help" in words  # argparse may take no notice


def test_version_is_printed(tmp_path: Path) -> None:
    assert run("--version", env=environment(tmp_path)).stdout.strip() == __version__


@pytest.mark.slow
def test_the_demo_does_every_step_whatever_the_environment_says(tmp_path: Path) -> None:
    env = environment(tmp_path, SMALLEST_API_KEY="sk_live_real", ATOMS_API_URL="https://x.invalid")
    done = run("demo", env=env)
    assert done.returncode == 0, done.stdout
    assert "Every step did what it should." in done.stdout
    for tool in ("create_campaign", "start_campaign", "pause_campaign", "delete_campaign"):
        assert tool in done.stdout


@pytest.mark.slow
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


def campaigns(child: Child, number: int) -> list[str]:
    """Ask a server for its campaigns, in a request of that number."""
    call = {"name": "list_campaigns", "arguments": {}, **ENVELOPE}
    result = child.ask(number, "tools/call", call)["result"]
    return [row["name"] for row in result["structuredContent"]["campaigns"]]


@pytest.mark.slow
def test_a_running_server_is_in_the_fresh_world_after_a_reset_as_every_other_one(
    tmp_path: Path,
) -> None:
    env = environment(tmp_path)
    with spawned(env=env) as server:
        before = campaigns(server, 1)
        run("call", "create_campaign", *DRAFT_WORDS, env=env)
        assert campaigns(server, 2) == [DRAFT["name"], *before]
        done = run("sandbox", "reset", env=env)
        assert (done.returncode, campaigns(server, 3)) == (0, before)
        run("call", "create_campaign", *DRAFT_WORDS, env=env)
        assert campaigns(server, 4) == [DRAFT["name"], *before]
    assert run("journal", env=env).stdout.count("create_campaign") == 2


@pytest.mark.slow
def test_the_sandbox_that_the_environment_names_is_the_one_that_is_reset(tmp_path: Path) -> None:
    env = environment(tmp_path, ATOMS_MCP_SANDBOX_DB=str(tmp_path / "elsewhere.sqlite3"))
    run("call", "create_campaign", *DRAFT_WORDS, env=env)
    run("sandbox", "reset", env=env)
    assert DRAFT["name"] not in run("call", "list_campaigns", env=env).stdout
    assert not (tmp_path / "sandbox.sqlite3").exists()


@pytest.mark.slow
def test_a_file_that_is_not_the_sandboxs_is_neither_reset_nor_served(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("precious " * 100, "utf-8")
    for words in (["reset"], ["--port", "0"]):
        done = run("sandbox", *words, "--db", str(notes), env=environment(tmp_path))
        assert done.returncode == 2
        assert done.stderr.startswith(f"atoms-campaigns-mcp: {notes} ")
        assert len(done.stderr.splitlines()) == 1
    assert notes.read_text("utf-8") == "precious " * 100


def leave_open(state: Path, tool: str, tenant: str = LOCAL) -> None:
    """Record an intent and no outcome, as a server does that is killed meanwhile."""

    async def begin() -> None:
        store = open_state(Settings(state=state))
        await store.journal.begin(Intent(tenant, tool, "{}", "not needed"), at=1_800_000_000)
        await store.close()

    anyio.run(begin)


@pytest.mark.slow
def test_the_journal_shows_what_was_changed(tmp_path: Path) -> None:
    env = environment(tmp_path)
    run("call", "create_campaign", *DRAFT_WORDS, env=env)
    _, shown = run("journal", env=env).stdout.splitlines()
    assert {"create_campaign", "not needed", "done"} <= set(shown.split("\t"))
    assert json.loads(run("journal", "--json", env=env).stdout)["tool"] == "create_campaign"
    leave_open(tmp_path, "delete_campaign")
    open_ones = run("journal", "--unfinished", env=env).stdout
    assert "delete_campaign" in open_ones
    assert "create_campaign" not in open_ones


@pytest.mark.slow
def test_the_journal_needs_nothing_of_a_servers_environment_but_the_state(tmp_path: Path) -> None:
    leave_open(tmp_path, "delete_campaign")
    env = environment(
        tmp_path,
        ATOMS_API_URL="https://api.example.com/atoms/v1",
        ATOMS_MCP_LIVE="1",
        ATOMS_MCP_OAUTH_ISSUER="https://id.example.com",
        ATOMS_MCP_FILES="/nowhere/at/all",
    )
    done = run("journal", "--csv", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    head, entry = done.stdout.splitlines()
    assert head.startswith("id,time,tenant,tool,campaign,")
    assert "delete_campaign" in entry


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_subject_cannot_be_named_without_its_issuer(tmp_path: Path) -> None:
    done = run("journal", "--subject", "anna", env=environment(tmp_path))
    assert done.returncode == 2
    assert "ATOMS_MCP_OAUTH_ISSUER" in done.stderr


@pytest.mark.slow
def test_a_client_that_install_wrote_for_is_found_and_started_by_doctor(tmp_path: Path) -> None:
    env = {**environment(tmp_path / "state"), "HOME": str(tmp_path), "CODEX_HOME": ""}
    installed = run("install", "codex", env=env)
    assert installed.returncode == 0
    named = shlex.split(installed.stdout.splitlines()[0].rpartition("then: ")[2])
    assert named == [sys.executable, "-m", "atoms_campaigns_mcp", "doctor"]
    done = run("doctor", "--json", env=env)
    report = json.loads(done.stdout)
    (check,) = (check for check in report["checks"] if check["name"] == "client codex")
    assert f"{len(Catalog.read().entries)} tools" in check["text"]
    assert (report["ok"], done.returncode) == (True, 0)
