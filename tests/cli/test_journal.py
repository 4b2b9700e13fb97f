"""The command `journal`, read by people, by pipes and by programs."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from atoms_campaigns_mcp.cli.journal import FIELDS, JournalOptions, draw, line, run
from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.state.store import Entry, Intent

CAMPAIGN = "696ddd2a04ff172dbd8eddad"
REQUEST = "86aaf734-a52d-4e48-8af2-7a50ca89e3be"
NOON = 1799064000.0  # 2027-01-04, 12:00 UTC
ISSUER = "https://issuer.example"
ARGUMENTS = json.dumps({"campaign_id": CAMPAIGN, "name": "[red]January[/] renewals " * 4})


def entry(tool: str, arguments: str = ARGUMENTS, outcome: str = "done", detail: str = "") -> Entry:
    intent = Intent("local", tool, arguments, "not needed")
    return Entry(7, NOON, outcome, detail, REQUEST, intent)


def drawn(*found: Entry) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    draw(list(found), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("tool", ["create_campaign", "delete_audience"])
@pytest.mark.parametrize("outcome", ["done", "refused", "unknown"])
def test_80_columns_hold_tool_campaign_confirmation_and_outcome_whole(
    tool: str, outcome: str
) -> None:
    head, first, *below = drawn(entry(tool, outcome=outcome))
    assert first.split("  ")[0] == "2027-01-04 12:00"
    for word, column in zip(
        (tool, CAMPAIGN, "not needed", outcome),
        ("tool", "campaign", "confirmed", "outcome"),
        strict=True,
    ):
        assert first[head.index(column) :].startswith(word)
    assert max(map(len, [head, first, *below])) <= 80
    assert "#7  tenant local" in below[0]
    assert REQUEST in below[0]


def test_how_long_a_question_took_is_told_in_every_form() -> None:
    asked = Intent("local", "start_campaign", ARGUMENTS, "asked", answered_after=0.0)
    told = Entry(7, NOON, "done", "", REQUEST, asked)
    assert "answered after 0.0 s" in " ".join(drawn(told))
    assert line(told).split("\t")[FIELDS.index("answered_after")] == "0.0"
    assert "answered after" not in " ".join(drawn(entry("start_campaign")))
    assert line(entry("start_campaign")).split("\t")[FIELDS.index("answered_after")] == ""


def test_a_name_from_outside_is_drawn_as_it_is_on_lines_of_its_own() -> None:
    _, _, *below = drawn(entry("start_campaign"))
    assert "[red]January[/] renewals " * 4 in " ".join(text.strip() for text in below)
    assert all(text.startswith("  ") for text in below)


def test_what_has_no_outcome_stands_out() -> None:
    assert drawn(entry("start_campaign", outcome=""))[1].endswith("OPEN")
    assert line(entry("start_campaign", outcome="")).split("\t")[FIELDS.index("outcome")] == "OPEN"


def test_a_line_holds_one_entry_whatever_its_texts_hold() -> None:
    words = line(entry("start_campaign", detail="two\nlines\tand \u202ea tab")).split("\t")
    assert len(words) == len(FIELDS) + 1
    row = dict(zip(FIELDS, words, strict=False))
    assert row["detail"] == "two lines and a tab"
    assert row["time"] == "2027-01-04T12:00:00+00:00"
    assert (row["campaign"], row["request"]) == (CAMPAIGN, REQUEST)
    assert json.loads(words[-1])["campaign_id"] == CAMPAIGN


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A journal of sixty changes; the first has no outcome, and is of another tenant."""

    async def write() -> None:
        store = SqliteStore.open(tmp_path)
        for number in range(60):
            tenant = "local" if number else tenant_of_subject(ISSUER, "anna")
            intent = Intent(tenant, "pause_campaign", json.dumps({"n": number}), "not needed")
            made = await store.journal.begin(intent, NOON + number)
            if number:
                await store.journal.finish(made, "done", "", REQUEST)
        await store.close()

    anyio.run(write)
    return Settings(state=tmp_path, oauth_issuer=ISSUER)


def numbers(
    settings: Settings, wish: JournalOptions, capsys: pytest.CaptureFixture[str]
) -> Sequence[int]:
    assert run(settings, wish) == 0
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(text)["arguments"]["n"] for text in lines]


@pytest.mark.parametrize(
    "wish", [JournalOptions(50, unfinished=True), JournalOptions(2, subject="anna")]
)
def test_what_is_asked_for_is_found_however_long_ago_it_was(
    settings: Settings, wish: JournalOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = JournalOptions(wish.limit, wish.unfinished, wish.subject, as_json=True)
    assert numbers(settings, asked, capsys) == [0]


def test_the_limit_counts_what_is_shown_the_latest_first(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert numbers(settings, JournalOptions(2, as_json=True), capsys) == [59, 58]


def test_json_says_null_where_there_is_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings, JournalOptions(50, unfinished=True, as_json=True))
    (text,) = capsys.readouterr().out.splitlines()
    row = json.loads(text)
    assert (row["outcome"], row["campaign"]) == (None, None)
    assert set(row) == {*FIELDS, "arguments"}


def test_a_subject_without_an_issuer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ATOMS_MCP_OAUTH_ISSUER"):
        run(Settings(state=tmp_path), JournalOptions(50, subject="anna"))
