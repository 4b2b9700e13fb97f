"""What `install` takes from the environment, which clients pass on only in part."""

import os
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.cli.install.installing import entry_of, install, put
from tests.support.machine import machine_in

LIMITS = {"ATOMS_MCP_READ_ONLY": "1", "ATOMS_MCP_MAX_CONTACTS": "50", "ATOMS_MCP_CONFIRM": "human"}


@pytest.mark.parametrize("client", CLIENTS)
def test_settings_that_are_set_are_written_into_the_entry_and_named(
    client: str, tmp_path: Path
) -> None:
    machine = machine_in(tmp_path, **LIMITS, SMALLEST_API_KEY="sk_live_secret", PATH="/bin")
    done = install(machine, client)
    assert entry_of(machine, client)["env"] == {"SMALLEST_API_KEY": "", **LIMITS}
    for name in LIMITS:
        assert name in done.out
    assert install(machine, client).out.startswith("Nothing changed")


def test_printing_shows_them_too(tmp_path: Path) -> None:
    done = install(machine_in(tmp_path, **LIMITS), "cursor", only_print=True)
    assert '"ATOMS_MCP_MAX_CONTACTS": "50"' in done.out


def test_what_is_set_now_replaces_what_the_entry_had_and_the_rest_stays(tmp_path: Path) -> None:
    install(machine_in(tmp_path, **LIMITS), "gemini")
    machine = machine_in(tmp_path, ATOMS_MCP_MAX_CONTACTS="20", ATOMS_MCP_CONFIRM="")
    install(machine, "gemini")
    held = {**LIMITS, "ATOMS_MCP_MAX_CONTACTS": "20"}
    assert entry_of(machine, "gemini")["env"] == {"SMALLEST_API_KEY": "", **held}


def test_secrets_are_not_written_and_named(tmp_path: Path) -> None:
    machine = machine_in(
        tmp_path, ATOMS_MCP_SECRET="hidden" * 9, ATOMS_MCP_STATE="redis://:hidden@host/0"
    )
    done = install(machine, "codex")
    assert entry_of(machine, "codex")["env"] == {"SMALLEST_API_KEY": ""}
    assert "Not written, as secrets: ATOMS_MCP_STATE, ATOMS_MCP_SECRET." in done.out
    assert "hidden" not in done.out + done.err


def test_paths_mean_the_same_wherever_the_client_starts_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    machine = machine_in(
        tmp_path,
        ATOMS_MCP_STATE="state",
        ATOMS_MCP_FILES=os.pathsep.join(["in", str(tmp_path)]),
        ATOMS_MCP_SANDBOX_DB="a/b.db",
    )
    install(machine, "cursor")
    env = entry_of(machine, "cursor")["env"]
    assert env["ATOMS_MCP_STATE"] == str(tmp_path / "state")
    assert env["ATOMS_MCP_FILES"] == os.pathsep.join([str(tmp_path / "in"), str(tmp_path)])
    assert env["ATOMS_MCP_SANDBOX_DB"] == str(tmp_path / "a" / "b.db")


def test_a_state_folder_that_xdg_moves_is_written_since_a_client_may_drop_that(
    tmp_path: Path,
) -> None:
    machine = machine_in(tmp_path, XDG_STATE_HOME="/moved")
    done = install(machine, "codex")
    state = {"ATOMS_MCP_STATE": "/moved/atoms-campaigns-mcp"}
    assert entry_of(machine, "codex")["env"] == {"SMALLEST_API_KEY": "", **state}
    assert "ATOMS_MCP_STATE" in done.out
    own = machine_in(tmp_path, XDG_STATE_HOME="/moved", ATOMS_MCP_STATE="redis://host/0")
    install(own, "codex")
    assert entry_of(own, "codex")["env"]["ATOMS_MCP_STATE"] == "redis://host/0"


def test_an_entry_that_insists_on_a_key_does_not_say_that_it_uses_the_sandbox(
    tmp_path: Path,
) -> None:
    done = install(machine_in(tmp_path, ATOMS_MCP_LIVE="1"), "cursor")
    assert "does not start without a key" in done.out
    assert "sandbox" not in done.out


@pytest.mark.parametrize(
    "wrong", [{"ATOMS_MCP_READONLY": "1"}, {"ATOMS_MCP_MAX_CONTACTS": "many"}], ids=str
)
def test_what_would_stop_the_start_is_refused_and_removing_goes_on(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    machine = machine_in(tmp_path, **wrong)
    with pytest.raises(ConfigurationError, match="ATOMS_MCP_"):
        install(machine, "cursor")
    put(machine, "cursor", "{}")
    assert install(machine, "cursor", remove=True).status == 0
