"""What `install --url` writes, so that a client reaches a team's server; and what it lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.cli.install.installing import data_of, entry_of, file_of, install, put
from tests.support.machine import machine_in

URL = "https://mcp.example.com/team/mcp"
KEY = "sk_made_up"
SENT: dict[str, dict[str, Any]] = {
    "claude-code": {
        "type": "http",
        "url": URL,
        "headers": {"Authorization": "Bearer ${SMALLEST_API_KEY}"},
    },
    "cursor": {"url": URL, "headers": {"Authorization": "Bearer ${env:SMALLEST_API_KEY}"}},
    "vscode": {
        "type": "http",
        "url": URL,
        "headers": {"Authorization": "Bearer ${env:SMALLEST_API_KEY}"},
    },
    "codex": {"url": URL, "bearer_token_env_var": "SMALLEST_API_KEY"},
    "gemini": {"httpUrl": URL, "headers": {"Authorization": "Bearer $SMALLEST_API_KEY"}},
}
every_client = pytest.mark.parametrize("client", SENT)


@every_client
def test_the_entry_holds_the_address_and_the_name_of_the_keys_variable(
    client: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path, SMALLEST_API_KEY=KEY, ATOMS_MCP_CONFIRM="human")
    done = install(machine, client, url=URL)
    assert (done.status, entry_of(machine, client)) == (0, SENT[client])
    assert KEY not in done.out + file_of(machine, client).read_text()
    assert install(machine, client, url=URL).out.startswith("Nothing changed")


@every_client
@pytest.mark.parametrize("auth", ["oauth", "none"])
def test_where_no_key_is_asked_for_none_is_sent(client: str, auth: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    install(machine, client, url=URL, auth=auth)
    sent = ("headers", "http_headers", "bearer_token_env_var")
    assert entry_of(machine, client) == {k: v for k, v in SENT[client].items() if k not in sent}


@every_client
def test_a_key_is_written_only_when_asked_and_into_a_private_file(
    client: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path, SMALLEST_API_KEY=KEY)
    path = put(machine, client, "" if CLIENTS[client].toml else "{}")
    done = install(machine, client, url=URL, with_key=True)
    headers = "http_headers" if client == "codex" else "headers"
    assert entry_of(machine, client)[headers] == {"Authorization": f"Bearer {KEY}"}
    assert path.stat().st_mode & 0o077 == 0
    assert KEY not in done.out + done.err


@every_client
def test_a_command_gives_way_to_an_address_and_back_and_what_the_user_added_stays(
    client: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path)
    table = CLIENTS[client].table
    install(machine, client)
    local = entry_of(machine, client)
    if client != "codex":
        file = {table: {"atoms-campaigns": {**local, "disabled": True}}}
        put(machine, client, json.dumps(file))
    install(machine, client, url=URL)
    there = entry_of(machine, client)
    assert {k: v for k, v in there.items() if k != "disabled"} == SENT[client]
    install(machine, client)
    back = entry_of(machine, client)
    assert {k: v for k, v in back.items() if k != "disabled"} == local
    assert there.get("disabled") == back.get("disabled") == (None if client == "codex" else True)


@every_client
def test_an_address_is_removed_like_a_command(client: str, tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    install(machine, client, url=URL)
    assert install(machine, client, remove=True).status == 0
    assert not data_of(machine, client).get(CLIENTS[client].table)


def test_claude_desktop_is_sent_to_its_connectors_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Connectors"):
        install(machine_in(tmp_path), "claude-desktop", url=URL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "mcp.example.com/mcp",
        "ftp://mcp.example.com/mcp",
        "https:///mcp",
        "https://mcp.example.com:x/mcp",
        "https://mcp.example.com/mcp?key=sk_secret",
        "https://me:sk_secret@mcp.example.com/mcp",
        "http://mcp.example.com/mcp",
        "https://mcp.example.com/",
    ],
)
def test_an_address_to_which_no_key_should_go_is_refused_and_not_repeated(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="--url") as refused:
        install(machine_in(tmp_path), "cursor", url=url)
    assert "secret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_this_machine_may_be_reached_in_the_clear(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    for url in ("http://127.0.0.1:8080/mcp", "http://localhost:8080/mcp", "http://[::1]:8080/mcp"):
        assert install(machine, "cursor", url=url).status == 0
        assert entry_of(machine, "cursor")["url"] == url


def test_without_a_client_the_clients_are_listed_with_what_was_found(tmp_path: Path) -> None:
    machine = machine_in(tmp_path)
    install(machine, "cursor")
    install(machine, "vscode", url=URL)
    put(machine, "gemini", "{}")
    put(machine, "claude-code", "{ // mine\n}")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    done = install(machine, "")
    states = {line.split()[0]: line for line in done.out.splitlines()[: len(CLIENTS)]}
    assert list(states) == list(CLIENTS)
    assert " installed " in states["cursor"]
    assert " installed " in states["vscode"]
    assert " found " in states["gemini"]
    assert " not found " in states["codex"]
    assert "cannot be read" in states["claude-code"]
    assert all(str(file_of(machine, name)) in line for name, line in states.items())
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
