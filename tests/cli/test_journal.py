"""The command `journal`, read by people, by pipes and by programs."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from atoms_campaigns_mcp.cli.journal import FIELDS, JournalOptions, draw, moment, run, words
from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.state.journal import Entry, Intent
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore

CAMPAIGN = "696ddd2a04ff172dbd8eddad"
MADE = "696ddd287f45bf7b27344e7c"
REQUEST = "86aaf734-a52d-4e48-8af2-7a50ca89e3be"
DAY = 24 * 3600.0
NOON = 1799064000.0  # 2027-01-04, 12:00 UTC
ISSUER = "https://issuer.example"
ARGUMENTS = json.dumps({"campaign_id": CAMPAIGN, "name": "[red]January[/] renewals " * 4})


def entry(tool: str, arguments: str = ARGUMENTS, outcome: str = "done", detail: str = "") -> Entry:
    intent = Intent("local", tool, arguments, "not needed", campaign_id=CAMPAIGN, mode="live")
    return Entry(7, NOON, outcome, detail, REQUEST, intent, created=MADE)


def row(found: Entry) -> dict[str, str]:
    return dict(zip(FIELDS, words(found), strict=True))


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
    assert "#7  live  tenant local" in below[0]
    assert f"created {MADE}" in " ".join(below)
    assert REQUEST in " ".join(below)


def test_how_long_a_question_took_is_told_in_every_form() -> None:
    asked = Intent("local", "start_campaign", ARGUMENTS, "asked", answered_after=0.0)
    told = Entry(7, NOON, "done", "", REQUEST, asked)
    assert "answered after 0.0 s" in " ".join(drawn(told))
    assert row(told)["answered_after"] == "0.0"
    assert "answered after" not in " ".join(drawn(entry("start_campaign")))
    assert row(entry("start_campaign"))["answered_after"] == ""


def test_a_name_from_outside_is_drawn_as_it_is_on_lines_of_its_own() -> None:
    _, _, *below = drawn(entry("start_campaign"))
    assert "[red]January[/] renewals " * 4 in " ".join(text.strip() for text in below)
    assert all(text.startswith("  ") for text in below)


def test_what_has_no_outcome_stands_out() -> None:
    assert drawn(entry("start_campaign", outcome=""))[1].endswith("OPEN")
    assert row(entry("start_campaign", outcome=""))["outcome"] == "OPEN"


def test_a_row_holds_one_entry_whatever_its_texts_hold() -> None:
    told = row(entry("start_campaign", detail="two\nlines\tand \u202ea tab"))
    assert told["detail"] == "two lines and a tab"
    assert told["time"] == "2027-01-04T12:00:00+00:00"
    assert (told["campaign"], told["request"]) == (CAMPAIGN, REQUEST)
    assert (told["mode"], told["created"]) == ("live", MADE)
    assert json.loads(told["arguments"])["campaign_id"] == CAMPAIGN


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A journal of sixty changes; the first has no outcome, and is of another tenant."""

    async def write() -> None:
        store = SqliteStore.open(tmp_path)
        for number in range(60):
            tenant = "local" if number else tenant_of_subject(ISSUER, "anna")
            mode = "sandbox" if number == 1 else "live"
            campaign = CAMPAIGN if number == 2 else ""
            intent = Intent(
                *(tenant, "pause_campaign", json.dumps({"n": number}), "not needed"),
                campaign_id=campaign,
                mode=mode,
            )
            made = await store.journal.begin(intent, NOON + number)
            if number:
                await store.journal.finish(made, "done", "", REQUEST)
        await store.close()

    anyio.run(write)
    return Settings(state=tmp_path, oauth_issuer=ISSUER)


def numbers(
    settings: Settings, wish: JournalOptions, capsys: pytest.CaptureFixture[str]
) -> Sequence[int]:
    assert run(settings, wish, lambda: NOON + 68) == 0
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(text)["arguments"]["n"] for text in lines]


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (JournalOptions(50, unfinished=True), [0]),
        (JournalOptions(2, subject="anna"), [0]),
        (JournalOptions(2, mode="sandbox"), [1]),
        (JournalOptions(2, campaign_id=CAMPAIGN), [2]),
        (JournalOptions(50, mode="live", campaign_id=CAMPAIGN, unfinished=True), []),
        (JournalOptions(50, since="2027-01-04T12:00:58Z"), [59, 58]),
        (JournalOptions(50, since="10s"), [59, 58]),
    ],
)
def test_what_is_asked_for_is_found_however_long_ago_it_was(
    settings: Settings,
    wish: JournalOptions,
    found: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert numbers(settings, replace(wish, form="json"), capsys) == found


def test_the_limit_counts_what_is_shown_the_latest_first(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert numbers(settings, JournalOptions(2, form="json"), capsys) == [59, 58]


def test_json_says_null_where_there_is_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings, JournalOptions(50, unfinished=True, form="json"))
    (text,) = capsys.readouterr().out.splitlines()
    told = json.loads(text)
    assert (told["outcome"], told["campaign"], told["created"]) == (None, None, None)
    assert set(told) == set(FIELDS)


def test_csv_and_pipes_begin_with_the_names_of_the_columns(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings, JournalOptions(2, form="csv"))
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    run(settings, JournalOptions(2))
    head, *lines = capsys.readouterr().out.splitlines()
    assert list(read[0]) == head.split("\t") == list(FIELDS)
    assert [list(one.values()) for one in read] == [text.split("\t") for text in lines]
    assert [json.loads(one["arguments"]) for one in read] == [{"n": 59}, {"n": 58}]


def test_no_cell_of_the_csv_is_a_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def write() -> None:
        store = SqliteStore.open(tmp_path)
        made = await store.journal.begin(Intent("local", "pause_campaign", "{}", "asked"), NOON)
        await store.journal.finish(made, "refused", "=HYPERLINK(1)")
        await store.close()

    anyio.run(write)
    run(Settings(state=tmp_path), JournalOptions(1, form="csv"))
    (told,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert told["detail"] == "'=HYPERLINK(1)"


def test_old_entries_are_deleted_but_for_those_whose_outcome_is_not_known(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, JournalOptions(50, prune=2), lambda: NOON + 2 * DAY + 30) == 0
    assert capsys.readouterr().out.startswith("29 entries older than 2 days")
    left = numbers(settings, JournalOptions(50, form="json"), capsys)
    assert left == [*range(59, 29, -1), 0]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("90s", NOON - 90),
        ("2w", NOON - 14 * DAY),
        ("2027-01-04", NOON - DAY / 2),
        ("2027-01-04T12:00", NOON),
        ("2027-01-04T17:30+05:30", NOON),
    ],
)
def test_a_time_is_how_long_ago_or_a_date(text: str, when: float) -> None:
    assert moment(text, NOON) == when


@pytest.mark.parametrize("text", ["yesterday", "7", "-1d", "2027-13-01", "9999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--since"):
        moment(text, NOON)


def test_a_subject_without_an_issuer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ATOMS_MCP_OAUTH_ISSUER"):
        run(Settings(state=tmp_path), JournalOptions(50, subject="anna"))
