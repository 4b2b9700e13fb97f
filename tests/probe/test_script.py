"""scripts/probe on a terminal: who must agree, and what Ctrl-C does."""

import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError, Refused
from tests.probe.account import CALLER, KEY, PHONES
from tests.probe.main import parsed
from tests.probe.preparing import check
from tests.support.emulated import emulated, fronted
from tests.support.process import environment

ROOT = Path(__file__).parents[2]
ASKED = "Type yes to have these phones called: "
WORDS = ("--agent", "Outreach", "--caller-id", CALLER)
NOON = datetime(2026, 11, 28, 17, tzinfo=UTC)


@dataclass
class Terminal:
    """The script and the terminal on which it runs."""

    process: subprocess.Popen[bytes]
    master: int
    text: str = ""

    def until(self, pattern: str) -> None:
        """Read until it shows; the end of the program ends the reading too."""
        while not re.search(pattern, self.text):
            try:
                piece = os.read(self.master, 4096)
            except OSError:  # the program has closed its side
                piece = b""
            assert piece, self.text
            self.text += piece.decode()

    def type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def ended(self) -> int:
        try:
            while piece := os.read(self.master, 4096):
                self.text += piece.decode()
        except OSError:
            pass
        return self.process.wait(timeout=60)


@contextmanager
def on_a_terminal(folder: Path, url: str, *numbers: str) -> Generator[Terminal]:
    master, slave = pty.openpty()
    extra = {"SMALLEST_API_KEY": KEY, "ATOMS_API_URL": f"{url}/atoms/v1"}
    process = subprocess.Popen(
        [ROOT / "scripts" / "probe", *WORDS, "--report", folder / "report.json", *numbers],
        env=environment(folder, **extra),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


def names_in(url: str) -> list[str]:
    """The campaigns and audiences of the account."""
    headers = {"Authorization": f"Bearer {KEY}"}
    campaigns = httpx2.get(f"{url}/atoms/v1/campaign?offset=50", headers=headers).json()
    audiences = httpx2.get(f"{url}/atoms/v1/audience", headers=headers).json()
    return [one["name"] for one in [*campaigns["data"]["campaigns"], *audiences["data"]]]


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["no", "", "y", "yes please"])
def test_anything_but_yes_sends_nothing_and_leaves_no_file(answer: str, tmp_path: Path) -> None:
    with fronted("http://127.0.0.1:9") as front, on_a_terminal(tmp_path, front.url, *PHONES) as tty:
        tty.until(re.escape(ASKED))
        assert all(number in tty.text for number in PHONES)
        tty.type(answer)
        assert tty.ended() == 1
    assert "Nothing was sent" in tty.text
    assert front.keys == set()
    assert not (tmp_path / "report.json").exists()


@pytest.mark.slow
def test_without_a_terminal_nobody_is_asked_and_nothing_is_sent(tmp_path: Path) -> None:
    with fronted("http://127.0.0.1:9") as front:
        extra = {"SMALLEST_API_KEY": KEY, "ATOMS_API_URL": f"{front.url}/atoms/v1"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.probe.main", *WORDS, PHONES[0]],
            cwd=ROOT,
            env=environment(tmp_path, **extra),
            input="yes\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, front.keys) == (2, set())
    assert "terminal" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_stops_and_deletes(sent: signal.Signals, tmp_path: Path) -> None:
    with emulated(tmp_path, speed="2") as url, on_a_terminal(tmp_path, url, *PHONES[:2]) as tty:
        tty.until(re.escape(ASKED))
        tty.type("yes")
        tty.until("start_while_running")
        tty.process.send_signal(sent)
        tty.until("Stopping")
        tty.process.send_signal(sent)  # impatience changes nothing
        assert tty.ended() == 130, tty.text
        assert [name for name in names_in(url) if name.startswith("probe-")] == []
    file = tmp_path / "report.json"
    report = json.loads(file.read_text())
    assert (report["ended"], report["everything_deleted"]) == ("interrupted", True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "numbers",
    [
        ["+12025550191", "+12025550192", "+12025550193", "+12025550194"],
        ["+12025550191", "+1 202 555 0191"],
        ["2025550191"],
        ["+12025550191", "--do-not-call", "+12025550191"],
        [],
    ],
    ids=["four", "one twice", "no country code", "one on both lists", "none"],
)
def test_numbers_that_are_not_clear_are_refused_without_an_echo(
    numbers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parsed([*WORDS, *numbers])
    assert left.value.code == 2
    assert "0191" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATOMS_MCP_READ_ONLY", "1"),
        ("ATOMS_MCP_NO_DIAL", "1"),
        ("ATOMS_MCP_CALLING_HOURS", "00:00-01:00"),
    ],
)
def test_what_the_operator_forbids_is_refused_before_the_question(name: str, value: str) -> None:
    wish, _ = parsed([*WORDS, *PHONES])
    check(wish, Settings.load({"SMALLEST_API_KEY": KEY}), NOON)
    with pytest.raises(Refused):
        check(wish, Settings.load({"SMALLEST_API_KEY": KEY, name: value}), NOON)


def test_without_a_key_it_says_which_variable_is_missing() -> None:
    wish, _ = parsed([*WORDS, *PHONES])
    with pytest.raises(ConfigurationError, match="SMALLEST_API_KEY"):
        check(wish, Settings.load({}), NOON)
