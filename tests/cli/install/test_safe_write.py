"""What happens to a file that cannot, or must not, be changed."""

import json
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.install import safe_write
from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.cli.install.installing import data_of, entry_of, files_beside, install, parsed, put
from tests.support.clock import FakeClock
from tests.support.machine import PYTHON, machine_in

SOON = FakeClock().moment
COMMENTED = '{\n  // my servers\n  "servers": {"other": {"command": "x"}}\n}\n'


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("vscode", COMMENTED),
        ("gemini", '{"theme": "dark", /* bright hurts */ "mcpServers": {}}'),
        ("cursor", '{"mcpServers": {"other": {"command": "x"},}}'),
        ("cursor", '{"mcpServers": {}, "mcpServers": {"lost": {}}}'),
        ("cursor", "{"),
        ("cursor", "[]"),
        ("cursor", '{"mcpServers": []}'),
        ("codex", "model = \n"),
        ("codex", "mcp_servers = 3\n"),
        ("codex", 'mcp_servers = {other = {command = "x"}}\n'),
    ],
)
def test_what_cannot_be_changed_without_loss_is_left_with_the_entry_to_paste(
    client: str, text: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, client, text)
    done = install(machine, client)
    assert done.status == 1
    assert "Nothing was changed" in done.err
    assert path.read_text() == text
    assert files_beside(path) == {path.name}
    pasted = parsed(client, done.err.partition(f"To paste into {path}:\n")[2])
    assert pasted[CLIENTS[client].table]["atoms-campaigns"]["command"] == PYTHON


def test_comments_are_named_as_the_reason(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    put(machine, "vscode", COMMENTED)
    assert "comments" in install(machine, "vscode").err


def test_what_is_no_utf_8_is_left(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, "cursor", "{}")
    path.write_bytes(b"\xff\xfe{\x00}\x00")
    assert "UTF-8" in install(machine, "cursor").err
    assert path.read_bytes() == b"\xff\xfe{\x00}\x00"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_filled(text: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    put(machine, "cursor", text)
    assert install(machine, "cursor").status == 0
    assert entry_of(machine, "cursor")["command"] == PYTHON


def test_indentation_line_ends_order_and_byte_order_mark_stay(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    text = '\ufeff{\r\n\t"z": "é",\r\n\t"mcpServers": {},\r\n\t"a": 1.50\r\n}\r\n'
    path = put(machine, "cursor", text)
    install(machine, "cursor")
    lines = path.read_bytes().decode().split("\r\n")
    assert lines[:3] == ["\ufeff{", '\t"z": "é",', '\t"mcpServers": {']
    assert not any("\n" in line for line in lines)
    assert list(json.loads(path.read_text("utf-8-sig"))) == ["z", "mcpServers", "a"]


def test_a_file_keeps_its_permissions_when_no_key_is_in_it(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    path = put(machine, "cursor", "{}", mode=0o640)
    install(machine, "cursor")
    assert path.stat().st_mode & 0o777 == 0o640


def test_with_key_writes_the_key_of_the_environment_and_makes_the_file_private(
    tmp_path: Path,
) -> None:
    machine = machine_in(tmp_path, ATOMS_API_KEY="sk_live_secret")
    path = put(machine, "codex", '[mcp_servers.other]\ncommand = "x"\n', mode=0o644)
    done = install(machine, "codex", with_key=True)
    assert entry_of(machine, "codex")["env"] == {"SMALLEST_API_KEY": "sk_live_secret"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert "sk_" not in done.out + done.err


def test_with_key_takes_the_address_along_that_the_key_is_for(tmp_path: Path) -> None:
    url = "https://api.india.example/atoms/v1"
    machine = machine_in(tmp_path, SMALLEST_API_KEY="sk_india", ATOMS_API_URL=url)
    install(machine, "cursor", with_key=True)
    env = entry_of(machine, "cursor")["env"]
    assert env == {"SMALLEST_API_KEY": "sk_india", "ATOMS_API_URL": url}


def test_with_key_replaces_another_key(tmp_path: Path) -> None:
    machine = machine_in(tmp_path, SMALLEST_API_KEY="sk_new")
    entry = {"command": "atoms-campaigns-mcp", "env": {"ATOMS_API_KEY": "sk_old", "A": "1"}}
    put(machine, "cursor", json.dumps({"mcpServers": {"atoms-campaigns": entry}}))
    install(machine, "cursor", with_key=True)
    assert entry_of(machine, "cursor")["env"] == {"A": "1", "SMALLEST_API_KEY": "sk_new"}


def test_a_key_that_is_there_already_stays_and_its_file_becomes_private(tmp_path: Path) -> None:
    machine = machine_in(tmp_path, SMALLEST_API_KEY="sk_mine")
    path = put(machine, "gemini", "{}")
    install(machine, "gemini", with_key=True)
    path.chmod(0o644)
    install(machine, "gemini")
    assert path.stat().st_mode & 0o777 == 0o600
    assert entry_of(machine, "gemini")["env"] == {"SMALLEST_API_KEY": "sk_mine"}


def test_with_key_needs_a_key_in_the_environment(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is none"):
        install(machine_in(tmp_path), "cursor", with_key=True)
    assert list(tmp_path.iterdir()) == []


def test_windows_gets_no_key_because_its_files_cannot_be_made_private(tmp_path: Path) -> None:
    machine = machine_in(tmp_path, "win32", SMALLEST_API_KEY="sk_live_secret")
    with pytest.raises(ConfigurationError, match="Windows"):
        install(machine, "cursor", with_key=True)
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_printed(tmp_path: Path) -> None:
    machine = machine_in(tmp_path, SMALLEST_API_KEY="sk_live_secret")
    with pytest.raises(ConfigurationError, match="never shows a key"):
        install(machine, "cursor", with_key=True, only_print=True)


def test_no_key_is_written_where_permissions_do_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def like_vfat(path: Path) -> bool:  # noqa: ARG001
        return True

    monkeypatch.setattr(safe_write, "open_to_others", like_vfat)
    path = tmp_path / "mcp.json"
    with pytest.raises(ConfigurationError, match="cannot keep a file private"):
        safe_write.replace(path, None, "sk_live_secret", at=SOON, private=True)
    assert list(tmp_path.iterdir()) == []


def test_a_change_by_another_program_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".claude.json"
    path.write_text("newer")
    with pytest.raises(ConfigurationError, match="another program"):
        safe_write.replace(path, "older", "ours", at=SOON, private=False)
    assert path.read_text() == "newer"
    assert files_beside(path) == {path.name}


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    (tmp_path / ".cursor").write_text("a file")
    done = install(machine, "cursor")
    assert done.status == 1
    assert "Nothing was changed" in done.err


def test_removing_does_not_touch_servers_of_one_project(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    project = {"/p": {"mcpServers": {"atoms-campaigns": {"command": "atoms-campaigns-mcp"}}}}
    put(machine, "claude-code", json.dumps({"projects": project}))
    install(machine, "claude-code")
    install(machine, "claude-code", remove=True)
    assert data_of(machine, "claude-code")["projects"] == project
