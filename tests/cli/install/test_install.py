"""What `install` writes, for every client on every platform, and what it leaves as it was."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.cli.install.installing import (
    STAMP,
    data_of,
    entry_of,
    file_of,
    files_beside,
    install,
    parsed,
    put,
)
from tests.support.machine import PLATFORMS, PYTHON, machine_in
from tests.support.process import INITIALIZE, environment

OTHERS = {
    "codex": '# mine\nmodel = "o9" # fast\n\n[mcp_servers.other]\ncommand = "x" # needed\n',
    **{
        name: json.dumps({"theme": "dark", client.table: {"other": {"command": "x", "b": 1}}})
        for name, client in CLIENTS.items()
        if not client.toml
    },
}
every_client = pytest.mark.parametrize("client", CLIENTS)
every_platform = pytest.mark.parametrize("platform", PLATFORMS)


@every_client
@every_platform
def test_a_fresh_machine_gets_a_file_with_an_absolute_command_and_no_key(
    client: str, platform: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path, platform, SMALLEST_API_KEY="sk_live_secret")
    done = install(machine, client)
    entry = entry_of(machine, client)
    typed = {"type": "stdio"} if client in {"claude-code", "vscode"} else {}
    assert entry == {
        **typed,
        "command": PYTHON,
        "args": ["-P", "-m", "atoms_campaigns_mcp"],
        "env": {"SMALLEST_API_KEY": ""},
    }
    assert done.status == 0
    assert "no key was written" in done.out
    assert "sk_" not in done.out + file_of(machine, client).read_text()


@every_client
def test_a_new_file_is_its_owners_alone(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    install(machine, client)
    assert file_of(machine, client).stat().st_mode & 0o777 == 0o600


@every_client
def test_everything_else_in_the_file_stays(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    put(machine, client, OTHERS[client])
    before = parsed(client, OTHERS[client])
    install(machine, client)
    after = data_of(machine, client)
    del after[CLIENTS[client].table]["atoms-campaigns"]
    assert after == before


def test_comments_of_a_toml_file_stay(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, "codex", OTHERS["codex"])
    install(machine, "codex")
    assert path.read_text().startswith(OTHERS["codex"])


@every_client
def test_the_old_text_is_kept_beside_it_under_a_name_with_the_time(
    client: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, client, OTHERS[client])
    done = install(machine, client)
    backup = path.with_name(f"{path.name}.{STAMP}.bak")
    assert backup.read_text() == OTHERS[client]
    assert backup.stat().st_mode & 0o777 == 0o600
    assert str(backup) in done.out


def test_two_changes_in_one_second_have_two_backups(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, "cursor", OTHERS["cursor"])
    install(machine, "cursor")
    install(machine, "cursor", remove=True)
    assert files_beside(path) == {
        path.name,
        f"{path.name}.{STAMP}.bak",
        f"{path.name}.{STAMP}-1.bak",
    }


@every_client
def test_a_second_run_changes_nothing(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, client, OTHERS[client])
    install(machine, client)
    before, beside = path.read_bytes(), files_beside(path)
    done = install(machine, client)
    assert done.out.startswith("Nothing changed")
    assert (path.read_bytes(), files_beside(path)) == (before, beside)


@every_client
def test_removing_leaves_the_file_as_it_was_before(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    put(machine, client, OTHERS[client])
    install(machine, client)
    done = install(machine, client, remove=True)
    assert done.status == 0
    assert data_of(machine, client) == parsed(client, OTHERS[client])


@every_client
def test_there_may_be_nothing_to_remove(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    assert install(machine, client, remove=True).out.startswith("Nothing to remove")
    assert not file_of(machine, client).exists()
    put(machine, client, OTHERS[client])
    assert install(machine, client, remove=True).out.startswith("Nothing to remove")
    assert file_of(machine, client).read_text() == OTHERS[client]


@every_client
def test_printing_writes_nothing_and_prints_a_whole_file(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    done = install(machine, client, only_print=True)
    servers = parsed(client, done.out)[CLIENTS[client].table]
    assert servers["atoms-campaigns"]["command"] == PYTHON
    assert str(file_of(machine, client)) in done.err
    assert list(tmp_path.iterdir()) == []


def test_another_name_makes_a_second_entry(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    install(machine, "cursor")
    install(machine, "cursor", server_name="atoms-live")
    assert entry_of(machine, "cursor", "atoms-live") == entry_of(machine, "cursor")


@pytest.mark.parametrize("name", ["", "a b", "a.b", 'a"]', "é", "x" * 65])
def test_a_name_that_some_client_would_refuse_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--server-name"):
        install(machine_in(tmp_path), "codex", server_name=name)


@pytest.mark.parametrize("remove", [False, True])
def test_another_server_of_the_same_name_is_left_alone(remove: bool, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    text = '{"mcpServers": {"atoms-campaigns": {"command": "npx", "args": ["other"]}}}'
    path = put(machine, "cursor", text)
    done = install(machine, "cursor", remove=remove)
    assert done.status == 1
    assert "--server-name" in done.err
    assert (path.read_text(), files_beside(path)) == (text, {path.name})


def test_what_the_user_added_to_the_entry_stays(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    old = {
        "command": "uv",
        "args": [
            "run",
            "--directory",
            "/x/atoms-campaigns-mcp",
            "atoms-campaigns-mcp",
            "--no-dial",
        ],
        "env": {"ATOMS_MCP_CONFIRM": "human", "SMALLEST_API_KEY": ""},
        "disabled": True,
    }
    put(machine, "cursor", json.dumps({"mcpServers": {"atoms-campaigns": old}}))
    install(machine, "cursor")
    assert entry_of(machine, "cursor") == {
        "command": PYTHON,
        "args": ["-P", "-m", "atoms_campaigns_mcp", "--no-dial"],
        "env": old["env"],
        "disabled": True,
    }


@pytest.mark.parametrize(
    "words",
    [
        ["atoms-campaigns-mcp", "--read-only"],
        [r"C:\tools\atoms-campaigns-mcp.exe", "--read-only"],
        ["uvx", "atoms-campaigns-mcp@latest", "--read-only"],
        ["python3", "-m", "atoms_campaigns_mcp", "--read-only"],
        [
            "uv",
            "run",
            "--directory",
            "/x/atoms-campaigns-mcp",
            "atoms-campaigns-mcp",
            "--read-only",
        ],
    ],
)
def test_a_flag_that_holds_the_agent_back_is_never_lost(words: list[str], tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    old = {"command": words[0], "args": words[1:]}
    put(machine, "cursor", json.dumps({"mcpServers": {"atoms-campaigns": old}}))
    install(machine, "cursor")
    assert entry_of(machine, "cursor")["args"] == ["-P", "-m", "atoms_campaigns_mcp", "--read-only"]


def test_comments_within_our_entry_of_a_toml_file_stay(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    text = (
        '[mcp_servers.atoms-campaigns]\ncommand = "atoms-campaigns-mcp"\n'
        "tool_timeout_sec = 90 # watching takes long\n"
        '[mcp_servers.atoms-campaigns.env]\nATOMS_MCP_READ_ONLY = "1" # for now\n'
    )
    path = put(machine, "codex", text)
    install(machine, "codex")
    assert "# watching takes long" in path.read_text()
    assert "# for now" in path.read_text()
    assert entry_of(machine, "codex")["env"]["ATOMS_MCP_READ_ONLY"] == "1"


def test_an_environment_that_uv_will_delete_is_refused(tmp_path: Path) -> None:
    machine = replace(machine_in(tmp_path), executable="/h/.cache/uv/archive-v0/x/bin/python")
    with pytest.raises(ConfigurationError, match="uv tool install"):
        install(machine, "cursor")
    assert list(tmp_path.iterdir()) == []


def test_the_command_starts_the_server_in_a_folder_with_modules_of_the_same_names(
    tmp_path: Path,
) -> None:
    machine = replace(machine_in(tmp_path), executable=sys.executable)
    install(machine, "cursor")
    entry = entry_of(machine, "cursor")
    for name in ("atoms_campaigns_mcp", "anyio", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')")
    line = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    done = subprocess.run(
        [entry["command"], *entry["args"]],
        cwd=tmp_path,
        env={**environment(tmp_path / "state"), **entry["env"], "PYTHONSAFEPATH": ""},
        input=json.dumps(line) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["serverInfo"]["name"] == "atoms-campaigns"


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    real = tmp_path / "dotfiles.json"
    real.write_text(OTHERS["cursor"])
    path = file_of(machine, "cursor")
    path.parent.mkdir()
    path.symlink_to(real)
    install(machine, "cursor")
    assert path.is_symlink()
    assert "atoms-campaigns" in real.read_text()
    assert path.readlink() == real
