"""The real server while the SDK is still being imported, which a test holds up."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.process import ENVELOPE, INITIALIZE, Child, environment, spawned
from tests.support.world import DRAFT

PATIENCE = 30  # seconds
HELD_UP = """\
import sys

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[2]:
            open(sys.argv[1]).read()

sys.meta_path.insert(0, Gate())
from atoms_campaigns_mcp.cli.start import main
main([])
"""


@contextmanager
def held_up(folder: Path, module: str = "mcp") -> Generator[tuple[Child, Path]]:
    """A server that imports the SDK, or another module, once the gate has been opened.

    The gate is a named pipe: who opens it waits until the module is asked for.
    """
    gate = folder / "gate"
    os.mkfifo(gate)
    command = [sys.executable, "-c", HELD_UP, str(gate), module]
    with spawned(env=environment(folder), command=command) as child:
        yield child, gate


def heard(child: Child) -> dict[str, Any]:
    assert child.process.stdout is not None
    return json.loads(child.process.stdout.readline())


def open_gate(gate: Path) -> None:
    gate.write_text("")


@pytest.mark.slow
def test_the_handshake_and_the_tools_are_answered_without_the_sdk(tmp_path: Path) -> None:
    with held_up(tmp_path) as (child, gate):
        hello = child.ask(1, "initialize", INITIALIZE)["result"]
        child.send("notifications/initialized")
        assert child.ask(2, "ping")["result"] == {}
        early = child.ask(3, "tools/list")["result"]
        child.send("tools/call", {"name": "list_agents", "arguments": {}}, 4)
        open_gate(gate)
        assert child.ask(5, "tools/list")["result"] == early
        code, _ = child.leave()
    assert hello["serverInfo"]["name"] == "atoms-campaigns"
    assert code == 0


@pytest.mark.slow
def test_the_stateless_era_is_answered_without_the_sdk(tmp_path: Path) -> None:
    with held_up(tmp_path) as (child, gate):
        found = child.ask(1, "server/discover", ENVELOPE)["result"]
        early = child.ask(2, "tools/list", ENVELOPE)["result"]
        open_gate(gate)
        call = {"name": "list_agents", "arguments": {}, **ENVELOPE}
        assert child.ask(3, "tools/call", call)["result"]["structuredContent"]["agents"]
        assert child.ask(4, "tools/list", ENVELOPE)["result"] == early
        code, _ = child.leave()
    assert "2026-07-28" in found["supportedVersions"]
    assert code == 0


@pytest.mark.slow
def test_the_session_knows_what_the_client_said_before_it_began(tmp_path: Path) -> None:
    able: dict[str, Any] = {**INITIALIZE, "capabilities": {"elicitation": {}}}
    with held_up(tmp_path) as (child, gate):
        child.ask(1, "initialize", able)
        child.send("notifications/initialized")
        child.send("tools/call", {"name": "create_campaign", "arguments": DRAFT}, 2)
        open_gate(gate)
        made = heard(child)["result"]["structuredContent"]
        arguments = {"campaign_id": made["campaign_id"]}
        child.send("tools/call", {"name": "delete_campaign", "arguments": arguments}, 3)
        assert heard(child)["method"] == "elicitation/create"
        child.process.kill()


def test_a_client_that_leaves_after_the_list_does_not_wait_for_the_sdk(tmp_path: Path) -> None:
    with held_up(tmp_path) as (child, _):
        child.ask(1, "initialize", INITIALIZE)
        child.send("notifications/initialized")
        child.ask(2, "tools/list")
        assert child.leave()[0] == 0


def ended_by(child: Child, number: signal.Signals) -> int:
    """Send it again if it came just before the main thread began to wait for the gate."""
    for _ in range(10):
        child.process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            return child.process.wait(timeout=2)
    raise AssertionError("no signal ended it")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_has_not_begun_ends_at_once_when_told_to(
    tmp_path: Path, number: signal.Signals
) -> None:
    with held_up(tmp_path) as (child, _):
        child.ask(1, "initialize", INITIALIZE)
        assert ended_by(child, number) == 0


def test_a_client_that_reads_no_more_ends_a_server_that_has_not_begun(tmp_path: Path) -> None:
    with held_up(tmp_path) as (child, _):
        child.ask(1, "initialize", INITIALIZE)
        assert child.process.stdout is not None
        child.process.stdout.close()
        child.send("ping", number=2)
        assert child.process.wait(timeout=60) == 1
        assert child.process.stderr is not None
        (line,) = child.process.stderr.read().splitlines()
    assert json.loads(line)["level"] == "error"


@pytest.mark.slow
@pytest.mark.parametrize("module", ["runtime", "tool_calls.outcome", "sandbox.http.app"])
def test_what_a_first_call_needs_is_imported_before_it_comes(tmp_path: Path, module: str) -> None:
    with held_up(tmp_path, f"atoms_campaigns_mcp.{module}") as (child, gate):
        child.ask(1, "initialize", INITIALIZE)
        opener = Thread(target=open_gate, args=[gate], daemon=True)
        opener.start()
        opener.join(PATIENCE)
        assert not opener.is_alive()
