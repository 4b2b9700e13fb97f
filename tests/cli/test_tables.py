"""What `call` prints for a person: tables in whole words, and no advice that is an agent's."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from atoms_campaigns_mcp.cli.call import call_tool, given, show
from atoms_campaigns_mcp.cli.tables import draw
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from atoms_campaigns_mcp.tool_calls.outcome import Outcome
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
ID = "696ddd2a04ff172dbd8eddad"


def drawn(data: dict[str, Any], width: int = 80, **more: Any) -> str:
    paper = io.StringIO()
    draw(Outcome("", data, **more), Console(file=paper, width=width))
    return paper.getvalue()


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


async def printed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, *words: str, **how: Any
) -> tuple[int, str, str]:
    """Call a tool at a terminal; give the exit status and what is seen of stdout and stderr."""
    settings = Settings(state=folder, **how)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    monkeypatch.setenv("TERM", "dumb")  # 80 columns, no colours
    outcome = await call_tool(settings, name, given(settings, name, words))
    out, err = Terminal(), Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = show(name, outcome, as_json=False)
    return code, out.getvalue(), err.getvalue()


async def test_a_list_is_a_table_without_what_agents_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = await printed(monkeypatch, tmp_path, "list_agents")
    assert (code, err) == (0, "")
    assert "simulated calls, in simulated time" in out
    head = next(line for line in out.splitlines() if "id " in line)
    row = next(line for line in out.splitlines() if "Outreach" in line)
    assert head.split()[:3] == ["id", "name", "description"]
    assert row.index("Outreach") == head.index("name")
    assert "create_campaign" not in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["get_account", "list_agents", "list_audiences", "list_campaigns", "list_calls"]
)
async def test_no_result_is_wider_than_the_terminal_or_loses_a_part_of_an_id(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["campaign_id=Spring renewals, first round"] if name == "list_calls" else []
    code, out, _ = await printed(monkeypatch, tmp_path, name, *words)
    outcome = await call_tool(Settings(state=tmp_path), name, dict(w.split("=", 1) for w in words))
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    ids = re.findall(r'"id": "([^"]+)"', json.dumps(outcome.data))
    assert ids or name == "get_account"
    assert not [one for one in ids if one not in out]
    assert outcome.data["next_step"] not in " ".join(out.split())


async def test_an_error_says_what_is_wrong_and_what_a_person_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = await printed(monkeypatch, tmp_path, "list_agents", "limit=many")
    assert (code, out) == (2, "")
    assert "limit: must be a whole number from 1 to 100" in " ".join(err.split())
    assert "tools list_agents" in err
    assert "ask them" not in err
    code, out, err = await printed(
        monkeypatch, tmp_path, "get_campaign_status", "campaign_id=Renewals"
    )
    assert (code, out) == (1, "")
    assert '"Spring renewals, first round"' in " ".join(err.split())
    assert "ask the user" not in err


async def test_what_was_not_understood_is_told_with_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = await printed(monkeypatch, tmp_path, "list_agents", "limt=3")
    assert "did you mean limit?" in out


async def test_a_stop_says_on_a_terminal_too_what_it_did_not_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call_tool(
        Settings(state=tmp_path, confirm="never"),
        "create_campaign",
        {**DRAFT, "audience_id": "Spring renewals", "scheduled_at": "2099-01-01T10:00:00Z"},
    )
    settings = Settings(state=tmp_path)
    outcome = await call_tool(settings, "pause_campaign", {"campaign_id": "all"})
    _, out, _ = await printed(monkeypatch, tmp_path, "pause_campaign", "campaign_id=all")
    assert outcome.data["next_step"] in " ".join(out.split())


async def test_a_tool_that_the_settings_hide_is_not_suggested(tmp_path: Path) -> None:
    hidden = Settings(state=tmp_path, read_only=True)
    assert "start_campaign" not in Catalog.read(hidden.permitted).entries
    with pytest.raises(Exception, match="no such tool") as refused:
        given(hidden, "start_campain", [])
    assert "start_campaign" not in str(refused.value)


def test_times_are_in_one_zone_that_is_named_and_shares_have_their_sign() -> None:
    text = drawn({"at": "2026-11-28T23:30:00+02:00", "called_percent": 33.3, "changed": False})
    assert "2026-11-28 21:30:00 UTC" in text
    assert "33.3%" in text
    assert "changed" in text.split()
    assert "no" in text.split()


def test_what_does_not_fit_into_columns_is_a_block_for_each_row() -> None:
    rows = [
        {"id": f"{number:024}", "kind": "same", **{f"field_{n}": "word" * 4 for n in range(6)}}
        for number in range(2)
    ]
    rows[1] |= {f"field_{n}": "other" for n in range(6)}
    text = drawn({"rows": rows})
    assert "kind same" in text
    assert text.count("field 3") == 2
    wide = drawn({"rows": rows}, width=200)
    assert wide.count("field 3") == 1


def test_long_text_is_broken_between_words() -> None:
    words = "The contact asked to be called back tomorrow afternoon about the renewal. " * 4
    lines = drawn({"transcript": [{"role": "agent", "content": words}]}).splitlines()
    known = set(words.split()) | {"transcript", "role", "content", "agent"}
    assert {word for line in lines for word in line.split() if "─" not in word} <= known


def test_markup_from_outside_is_shown_as_it_is() -> None:
    assert "[red]x[/] [link=http://x.invalid]" in drawn(
        {"name": "[red]x[/] [link=http://x.invalid]"}
    )


def test_a_page_says_how_the_next_one_is_asked_for() -> None:
    data = {"page": 2, "total": 47, "has_more": True, "calls": [{"id": ID}]}
    assert "Page 2, 47 in all; the next one: page=3." in drawn(data)


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_pipe_and_json_get_exactly_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    outcome = await call_tool(Settings(state=tmp_path), "get_account", {})
    assert show("get_account", outcome, as_json=as_json) == 0
    assert json.loads(capsys.readouterr().out) == outcome.data
