"""What `doctor` says of the clients on this machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.cli.doctor.command import Patient
from atoms_campaigns_mcp.cli.install import CLIENT_NAMES
from tests.cli.doctor.examining import Starter, found, patient
from tests.cli.install.installing import file_of, install, put
from tests.support.bench import Bench
from tests.support.machine import PLATFORMS, PYTHON

pytestmark = pytest.mark.anyio
OURS = {"command": "/bin/atoms-campaigns-mcp", "args": ["--no-dial"], "env": {"A": "1"}}


def started(patient: Patient) -> list[Any]:
    assert isinstance(patient.start, Starter)
    return patient.start.given


def configure(patient: Patient, entry: dict[str, Any], name: str = "atoms-campaigns") -> Path:
    return put(patient.machine, "cursor", json.dumps({"mcpServers": {name: entry}}))


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_every_client_that_was_installed_is_found_and_started(
    platform: str, tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench, platform=platform)
    for client in CLIENT_NAMES:
        install(examined.machine, client)
    checks = await found(examined)
    for client in CLIENT_NAMES:
        check = checks[f"client {client}"]
        assert check.status == "ok"
        assert "version 0.1.0, 18 tools" in check.text
        assert str(file_of(examined.machine, client)) in check.text
    assert [words for words, _, _ in started(examined)] == [
        [PYTHON, "-P", "-m", "atoms_campaigns_mcp"]
    ] * len(CLIENT_NAMES)


async def test_it_is_started_as_configured_without_our_own_key_and_away_from_the_state(
    tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench, live=True, PATH="/bin")
    configure(examined, OURS)
    await found(examined)
    ((words, env, folder),) = started(examined)
    assert words == ["/bin/atoms-campaigns-mcp", "--no-dial"]
    assert (env["A"], env["PATH"], folder) == ("1", "/bin", tmp_path)
    assert "SMALLEST_API_KEY" not in env
    assert env["ATOMS_MCP_STATE"] != str(tmp_path / "state")


async def test_a_command_that_does_not_start_fails_and_says_what_to_do(
    tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench)
    configure(examined, OURS)
    assert isinstance(examined.start, Starter)
    examined.start.fails = "it ended without an answer"
    check = (await found(examined))["client cursor"]
    assert check.status == "failed"
    assert "it ended without an answer" in check.text
    assert "install cursor" in check.fix


async def test_other_servers_are_never_started(tmp_path: Path, bench: Bench) -> None:
    examined = patient(tmp_path, bench)
    configure(examined, {"command": "rm", "args": ["-rf", "x"]}, name="other")
    checks = await found(examined)
    assert "1 configurations found, none names this server" in checks["clients"].text
    assert started(examined) == []


async def test_a_projects_own_file_is_not_trusted(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "cloned"
    project.mkdir()
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": {"atoms-campaigns": OURS}}))
    monkeypatch.chdir(project)
    examined = patient(tmp_path, bench)
    await found(examined)
    assert started(examined) == []


async def test_a_server_that_claude_code_has_for_one_project_starts_in_its_folder(
    tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench)
    projects = {"/srv/shop": {"mcpServers": {"calls": OURS}}, "/srv/empty": {}}
    put(examined.machine, "claude-code", json.dumps({"projects": projects}))
    check = (await found(examined))["client claude-code"]
    assert "[calls] for /srv/shop" in check.text
    assert started(examined)[0][2] == Path("/srv/shop")


@pytest.mark.parametrize(
    "entry",
    [
        {**OURS, "env": {"SMALLEST_API_KEY": "${input:key}"}},
        {**OURS, "args": ["--state", "${workspaceFolder}/state"]},
        {"url": "http://127.0.0.1:8080/mcp"},
    ],
)
async def test_what_only_the_client_can_start_is_not_tried(
    entry: dict[str, Any], tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench)
    configure(examined, entry)
    check = (await found(examined))["client cursor"]
    assert (check.status, "not started" in check.text) == ("ok", True)
    assert started(examined) == []


async def test_a_file_that_cannot_be_read_is_a_warning(tmp_path: Path, bench: Bench) -> None:
    examined = patient(tmp_path, bench)
    put(examined.machine, "vscode", '{ // comment\n"servers": {}}')
    check = (await found(examined))["client vscode"]
    assert check.status == "warning"
    assert "comments" in check.text


async def test_a_key_in_a_file_that_others_can_read_is_a_warning_with_its_remedy(
    tmp_path: Path, bench: Bench
) -> None:
    examined = patient(tmp_path, bench)
    path = configure(examined, {**OURS, "env": {"SMALLEST_API_KEY": "sk_live_secret"}})
    check = (await found(examined))["key in cursor"]
    assert (check.status, check.fix) == ("warning", f"chmod 600 {path}")
    path.chmod(0o600)
    assert "key in cursor" not in await found(examined)
