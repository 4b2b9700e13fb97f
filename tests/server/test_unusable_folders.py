"""A state folder of another user, or with a name that is too long, and the real program."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulated import emulated
from tests.support.process import INITIALIZE, OURS, Child, address, environment, spawned
from tests.support.world import DRAFT

# Root may enter every folder, unless it gives that right up first.
PLAIN = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
KINDS = ("of another user", "too long")


def blocked(tmp_path: Path, kind: str) -> Path:
    if kind == "too long":
        return tmp_path / ("n" * 300)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o000)
    return locked / "state"


def run(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PLAIN, *OURS, *words],
        env=environment(state),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def called(child: Child, number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    return child.ask(number, "tools/call", {"name": tool, "arguments": arguments})["result"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_starts_reads_and_stops_and_changes_nothing_else(
    tmp_path: Path, kind: str
) -> None:
    state = blocked(tmp_path, kind)
    (tmp_path / "api").mkdir()
    with emulated(tmp_path / "api") as origin:
        live = {"SMALLEST_API_KEY": "sk_test", "ATOMS_API_URL": f"{origin}/atoms/v1"}
        env = environment(state, **live)
        with spawned("serve", env=env, command=[*PLAIN, *OURS]) as child:
            child.ask(1, "initialize", INITIALIZE)
            listed = called(child, 2, "list_campaigns")["structuredContent"]["campaigns"]
            stopped = called(child, 3, "pause_campaign", campaign_id="all")
            made = called(child, 4, "create_campaign", **DRAFT)
            code, err = child.leave()
    text = made["content"][0]["text"]
    assert (len(listed), stopped.get("isError", False), made["isError"]) == (1, False, True)
    assert "The state folder cannot be used (" in text
    assert "sudo" in text
    assert (code, "Traceback" in err) == (0, False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_over_http_starts_and_says_what_it_cannot_do(tmp_path: Path, kind: str) -> None:
    words = ("serve", "--http", "127.0.0.1:0", "--auth", "none")
    env = environment(blocked(tmp_path, kind))
    with spawned(*words, env=env, command=[*PLAIN, *OURS]) as child:
        assert child.process.stderr is not None
        first = child.process.stderr.readline()
        assert address(child)
        child.process.terminate()
        assert child.process.wait(timeout=60) == 0
    assert "The state folder cannot be used (" in first


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_commands_say_it_in_their_own_words(tmp_path: Path, kind: str) -> None:
    state = blocked(tmp_path, kind)
    doctor = run(state, "doctor")
    for line in ("key", "state", "permissions"):
        assert f"failed   {line}: " in doctor.stdout
    assert (doctor.returncode, doctor.stderr) == (1, "")
    for words in (["sandbox", "reset"], ["sandbox", "--port", "0"], ["journal"]):
        done = run(state, *words)
        assert done.returncode == 2
        assert "cannot be" in done.stderr
        assert "Traceback" not in done.stderr
    assert "The sandbox's database cannot be used (" in run(state, "call", "list_agents").stderr
