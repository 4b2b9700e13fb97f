"""The person at the terminal is the one who is asked."""

import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.call import call_tool
from atoms_campaigns_mcp.config.settings import Settings
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def deleted(folder: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> tuple[bool, str]:
    """Type this when asked whether to delete a campaign; return whether it was an error."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
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
    assert "[sandbox] Delete campaign" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["", "y", "no", "yes please"])
async def test_anything_but_yes_at_a_terminal_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    is_error, text = await deleted(tmp_path, monkeypatch, typed)
    assert is_error
    assert text.startswith("[sandbox] Nothing was done. The client declined it")
