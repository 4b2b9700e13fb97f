"""How the program meets the process that starts it: its streams, its terminal, its signals."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import INITIALIZE, OURS, environment, serving_http, spawned

PING = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})


def started_in_a_shell(redirected: str, state: Path, command: str = "") -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m atoms_campaigns_mcp {command} {redirected}'],
        input=PING + "\n",
        env=environment(state),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirected", "named"),
    [("<&-", "closed: stdin."), (">&-", "closed: stdout."), ("<&- >&-", "closed: stdin, stdout.")],
)
def test_a_closed_stream_is_one_line_and_no_traceback(
    tmp_path: Path, redirected: str, named: str
) -> None:
    code, err = started_in_a_shell(redirected, tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert named in err


@pytest.mark.slow
def test_stdout_on_a_full_disk_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    code, err = started_in_a_shell(">/dev/full", tmp_path)
    assert code == 1
    assert "Traceback" not in err
    assert "No space left on device" in err


@pytest.mark.slow
@pytest.mark.parametrize("redirected", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["tools", "journal", "call get_account"])
def test_commands_work_with_closed_streams(tmp_path: Path, command: str, redirected: str) -> None:
    assert started_in_a_shell(redirected, tmp_path, command) == (0, "")


@pytest.mark.slow
def test_a_hangup_ends_a_server_as_sigterm_does(tmp_path: Path) -> None:
    with spawned(env=environment(tmp_path)) as child:
        child.ask(1, "initialize", INITIALIZE)
        child.process.send_signal(signal.SIGHUP)
        assert child.process.wait(timeout=60) == 0
    with serving_http("--auth", "none", env=environment(tmp_path)) as (child, _):
        child.process.send_signal(signal.SIGHUP)
        assert child.process.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_hangup_that_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    nohup = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *OURS]
    with spawned(env=environment(tmp_path), command=nohup) as child:
        child.ask(1, "initialize", INITIALIZE)
        child.process.send_signal(signal.SIGHUP)
        assert child.ask(2, "ping")["result"] == {}
        assert child.leave()[0] == 0


@pytest.mark.slow
def test_a_person_on_a_terminal_is_told_what_this_is_and_what_is_for_people(
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        OURS,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    )
    os.close(theirs)
    os.write(ours, b"\x04")  # the end of input, as Ctrl-D types it
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert (process.returncode, out) == (0, "")
    assert "serves MCP" in err
    for words in (" demo", " doctor", " --help", " install "):
        assert words in err


@pytest.mark.slow
def test_nothing_is_said_to_a_client(tmp_path: Path) -> None:
    with spawned(env=environment(tmp_path)) as child:
        assert child.leave() == (0, "")


@pytest.mark.slow
def test_authentication_without_http_is_refused(tmp_path: Path) -> None:
    for way in ("key", "oauth", "none"):
        with spawned("serve", "--auth", way, env=environment(tmp_path)) as child:
            code, err = child.leave()
        assert code == 2
        assert "--http HOST:PORT" in err
