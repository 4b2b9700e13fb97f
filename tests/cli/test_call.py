"""The person at the terminal is the one who is asked."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.call import Typed, call_tool
from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.config.settings import Settings
from tests.support.process import environment, killed_at_the_end
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
CTRL_D = "\x04"


async def deleted(folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> tuple[bool, str]:
    """Type this when asked whether to delete a campaign; return whether it was an error."""
    asked: list[str] = []

    def answer() -> str:
        asked.append(typed)
        if typed == CTRL_D:
            raise EOFError
        return typed

    settings = Settings(state=folder)
    made = await call_tool(settings, "create_campaign", DRAFT)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    campaign = {"campaign_id": made.data["campaign_id"]}
    outcome = await call_tool(settings, "delete_campaign", campaign)
    assert len(asked) == 1
    return outcome.is_error, outcome.text


@pytest.mark.parametrize("typed", ["yes", " Yes "])
async def test_yes_at_a_terminal_goes_ahead(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
) -> None:
    is_error, text = await deleted(tmp_path, monkeypatch, typed)
    assert not is_error, text
    assert "The client asked" in text
    out, err = capsys.readouterr()
    assert "[sandbox] Delete campaign" in err
    assert out == ""  # a pipe may follow


@pytest.mark.parametrize("typed", ["", "y", "no", "yes please", CTRL_D])
async def test_anything_but_yes_at_a_terminal_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    is_error, text = await deleted(tmp_path, monkeypatch, typed)
    assert is_error
    assert text.startswith("[sandbox] Nothing was done. The client declined it")


@pytest.mark.parametrize("moment", ["before the question", "as the question shows"])
def test_ctrl_c_that_comes_before_the_answer_is_awaited_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    read: list[str] = []
    monkeypatch.setattr("builtins.input", lambda: read.append("a line") or "yes")

    def shows(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    if moment == "as the question shows":
        monkeypatch.setattr(Terminal, "print", shows)

    async def ask() -> None:
        if moment == "before the question":
            signal.raise_signal(signal.SIGINT)
        await Typed(lambda: 0.0).ask("Start it?", "plan")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(ask())
    assert not read


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_ctrl_c_at_the_question_ends_the_command_and_changes_nothing(tmp_path: Path) -> None:
    import pty  # noqa: PLC0415 - Unix only

    words = [sys.executable, "-m", "atoms_campaigns_mcp", "call"]
    env = environment(tmp_path)
    draft = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    made = subprocess.run(
        [*words, "create_campaign", *draft], env=env, capture_output=True, check=True, timeout=60
    )
    campaign = json.loads(made.stdout)["campaign_id"]
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [*words, "delete_campaign", f"campaign_id={campaign}"],
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    with killed_at_the_end(child):
        shown = b""
        while b"Type yes" not in shown:
            shown += os.read(ours, 4096)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 130
    assert b"Traceback" not in shown
    left = subprocess.run(
        [*words, "get_campaign_status", f"campaign_id={campaign}"],
        env=env,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(left.stdout)["status"] == "draft"
