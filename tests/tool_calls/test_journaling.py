"""What the journal holds of each change, and what happens when it cannot be written."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.state.journal import Entry
from atoms_campaigns_mcp.state.open import journal_entries
from atoms_campaigns_mcp.state.sqlite import database
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from atoms_campaigns_mcp.toolkit.registry import load, names
from atoms_campaigns_mcp.toolkit.tool import Effect
from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller
from tests.support.tampering import fail
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
WAVES = {**DRAFT, "name": "Waves", "date": "2027-01-11"}


async def journal(bench: Bench) -> list[Entry]:
    """Every entry, the earliest first."""
    return (await journal_entries(bench.settings, 100))[::-1]


async def audience(client: Caller) -> str:
    made = await client.call("create_audience", name="Mine", csv="phone\n+12025550111")
    return made["audience_id"]


async def draft(client: Caller) -> str:
    return (await client.call("create_campaign", **DRAFT))["campaign_id"]


async def _create_audience(client: Caller) -> None:
    await audience(client)


async def _add_contacts(client: Caller) -> None:
    await client.call("add_contacts", audience_id=await audience(client), csv="phone\n+12025550112")


async def _delete_audience(client: Caller) -> None:
    await client.call("delete_audience", audience_id=await audience(client))


async def _create_campaign(client: Caller) -> None:
    await draft(client)


async def _start_campaign(client: Caller) -> None:
    await client.call("start_campaign", campaign_id=await draft(client))


async def _pause_campaign(client: Caller) -> None:
    campaign = {"campaign_id": await draft(client)}
    await client.call("start_campaign", **campaign)
    await client.call("pause_campaign", **campaign)


async def _delete_campaign(client: Caller) -> None:
    await client.call("delete_campaign", campaign_id=await draft(client))


async def _schedule_waves(client: Caller) -> None:
    await client.call("schedule_waves", **{**WAVES, "audience_id": await audience(client)})


CHANGES = {
    "add_contacts": _add_contacts,
    "create_audience": _create_audience,
    "create_campaign": _create_campaign,
    "delete_audience": _delete_audience,
    "delete_campaign": _delete_campaign,
    "pause_campaign": _pause_campaign,
    "schedule_waves": _schedule_waves,
    "start_campaign": _start_campaign,
}
ASKED = {"delete_audience", "delete_campaign", "schedule_waves", "start_campaign"}


def test_every_tool_that_changes_anything_is_tried_here() -> None:
    assert set(CHANGES) == {name for name in names() if load(name).effect is not Effect.READS}


@pytest.mark.slow
@pytest.mark.parametrize("tool", CHANGES)
async def test_a_change_is_recorded_with_all_that_an_operator_asks_afterwards(
    bench: Bench, tool: str
) -> None:
    async with bench.client() as client:
        await CHANGES[tool](client)
    entry = (await journal(bench))[-1]
    assert entry.intent.tool == tool
    assert entry.intent.tenant == "local"
    assert 0 <= bench.clock.now().timestamp() - entry.at < 60
    assert isinstance(json.loads(entry.intent.arguments), dict)
    assert entry.intent.confirmed == ("asked" if tool in ASKED else "not needed")
    assert len(entry.intent.digest) == (64 if tool in ASKED else 0)
    assert (entry.outcome, entry.detail) == ("done", "")
    assert len(entry.request_id) == 36


async def test_the_intent_is_written_before_the_request_leaves(bench: Bench) -> None:
    below, seen = bench.wire.below, list[Entry]()

    async def look(request: httpx2.Request) -> httpx2.Response:
        if request.method != "GET":
            seen.append((await journal_entries(bench.settings, 1))[0])
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(look)
    async with bench.client() as client:
        await CHANGES["start_campaign"](client)
    assert [(entry.intent.tool, entry.outcome) for entry in seen] == [
        ("create_campaign", ""),
        ("start_campaign", ""),
    ]


@pytest.mark.parametrize(
    ("confirm", "how"), [("ask", "token"), ("token", "token"), ("never", "never")]
)
async def test_the_journal_says_how_a_start_was_agreed_to(
    bench: Bench, confirm: Any, how: str
) -> None:
    bench.configure(confirm=confirm)
    async with bench.client(answer=None) as client:
        campaign: dict[str, Any] = {"campaign_id": await draft(client)}
        if how == "token":
            campaign["confirm_token"] = await client.token("start_campaign", **campaign)
        await client.call("start_campaign", **campaign)
    entry = (await journal(bench))[-1]
    assert (entry.intent.tool, entry.intent.confirmed) == ("start_campaign", how)
    assert "confirm_token" not in entry.intent.arguments


@pytest.mark.slow
async def test_the_same_plan_has_the_same_digest_and_another_one_another(bench: Bench) -> None:
    bench.configure(confirm="never")
    async with bench.client() as client:
        for name in ("One", "One", "Two"):
            made = await client.call("create_campaign", **DRAFT | {"name": name}, scheduled_at=WHEN)
            await client.call("delete_campaign", campaign_id=made["campaign_id"])
    intents = [entry.intent for entry in await journal(bench)]
    first, second, third = [i.digest for i in intents if i.tool == "create_campaign"]
    assert first == second != third


async def test_nothing_is_recorded_of_what_only_reads_or_was_not_agreed_to(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        made = await bench.api("GET", "/campaign")
        campaign = {"campaign_id": made["campaigns"][0]["_id"]}
        await client.call("list_agents")
        await client.raw("preview_campaign", **campaign)
        await client.refused("delete_campaign", **campaign)
    assert await journal(bench) == []


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "refused"), (401, "refused"), (500, "unknown")]
)
async def test_the_outcome_tells_a_refusal_from_an_unknown_end(
    bench: Bench, status: int, outcome: str
) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": await draft(client)}
        fail(bench, "POST /campaign/*/start", status=status)
        await client.refused("start_campaign", **campaign)
    entry = (await journal(bench))[-1]
    assert (entry.intent.tool, entry.outcome) == ("start_campaign", outcome)
    assert (str(status) in entry.detail) == (status != 401)


async def test_no_number_and_no_list_of_contacts_is_kept(bench: Bench) -> None:
    csv = "phone,name\n+12025550111,Ada\n+12025550112,Bob"
    async with bench.client() as client:
        made = await client.call("create_audience", name="Call +1 202 555 0113", csv=csv)
        await client.call("add_contacts", audience_id=made["audience_id"], csv=csv)
    kept = [entry.intent.arguments for entry in await journal(bench)]
    assert len(kept) == 2
    for text in kept:
        assert not any(digits in text for digits in ("555", "Ada"))
    assert json.loads(kept[0])["csv"] == f"{len(csv)} characters"


@pytest.mark.parametrize("before", [" ", ":", "\u2003("])
async def test_a_number_in_a_note_is_not_kept_either(bench: Bench, before: str) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT, description=f"Call{before}12025550111")
    assert "12025550111" not in (await journal(bench))[-1].intent.arguments


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Another program holds the state file, and never lets go."""
    other = sqlite3.connect(folder / "state.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("confirm", ["ask", "never"])
async def test_while_the_journal_is_locked_nothing_dials(
    bench: Bench, tmp_path: Path, era: str, confirm: str
) -> None:
    bench.configure(confirm=confirm)
    async with bench.client(era) as client:
        campaign = {"campaign_id": await draft(client)}
        with locked(tmp_path):
            text = await client.refused("start_campaign", **campaign)
            later = await client.refused("create_campaign", **DRAFT, scheduled_at=WHEN)
        assert bench.wire.changes == ["campaign"]
        await client.call("start_campaign", **campaign)
    assert "Nothing was sent" in text
    assert "The operator must free the state folder" in text
    assert "Nothing was sent" in later
    assert bench.wire.changes == ["campaign", "start"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("tool", sorted(set(CHANGES) - {"pause_campaign", "start_campaign"}))
async def test_while_the_journal_is_locked_nothing_else_is_changed_either(
    bench: Bench, tmp_path: Path, tool: str
) -> None:
    bench.configure(confirm="never")
    async with bench.client() as client:
        made, campaign = await audience(client), await draft(client)
        before = list(bench.wire.changes)
        arguments: dict[str, dict[str, Any]] = {
            "add_contacts": {"audience_id": made, "csv": "phone\n+12025550112"},
            "create_audience": {"name": "Other", "csv": "phone\n+12025550112"},
            "create_campaign": DRAFT,
            "delete_audience": {"audience_id": made},
            "delete_campaign": {"campaign_id": campaign},
            "schedule_waves": {**WAVES, "audience_id": made},
        }
        with locked(tmp_path):
            text = await client.refused(tool, **arguments[tool])
    assert "Nothing was sent" in text
    assert bench.wire.changes == before


async def test_on_a_full_disk_nothing_dials_even_after_a_yes(bench: Bench, tmp_path: Path) -> None:
    """Plans and locks still fit; the journal does not."""
    async with bench.client() as client:
        campaign = {"campaign_id": await draft(client)}
        with sqlite3.connect(tmp_path / "state.sqlite3") as db:
            db.execute(
                "CREATE TRIGGER full BEFORE INSERT ON journal "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        db.close()
        text = await client.refused("start_campaign", **campaign)
    assert len(bench.questions) == 1
    assert "Nothing was sent" in text
    assert bench.wire.changes == ["campaign"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("which", ["one", "all"])
async def test_the_emergency_stop_goes_ahead_and_says_that_it_was_not_recorded(
    bench: Bench, tmp_path: Path, which: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", campaign_id=campaign)
        with locked(tmp_path):
            result = await client.raw(
                "pause_campaign", campaign_id=campaign if which == "one" else "all"
            )
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["status"] == "paused"
    assert "is not recorded" in result.structured_content["next_step"]
    assert "is not recorded" in getattr(result.content[0], "text", "")
    assert bench.wire.changes == ["campaign", "start", "pause"]
    assert [entry.intent.tool for entry in await journal(bench)] == [
        "create_campaign",
        "start_campaign",
    ]


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_opens_its_state_while_it_is_locked_can_still_pause(
    bench: Bench, tmp_path: Path
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", campaign_id=campaign)
    with locked(tmp_path):
        async with bench.client() as client:
            paused = await client.call("pause_campaign", campaign_id=campaign)
    assert paused["status"] == "paused"


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["start", "schedule", "draft"])
async def test_trouble_after_the_request_has_left_is_not_reported_as_nothing_was_sent(
    bench: Bench, tmp_path: Path, how: str
) -> None:
    """The file is locked once the API has answered, so the outcome cannot be recorded."""
    below = bench.wire.below
    locks = locked(tmp_path)
    paths = {"start": "/start", "schedule": "/campaign", "draft": "/campaign"}

    async def lock_after(request: httpx2.Request) -> httpx2.Response:
        answer = await below.handle_async_request(request)
        if request.method == "POST" and request.url.path.endswith(paths[how]):
            locks.__enter__()
        return answer

    async with bench.client() as client:
        campaign = await draft(client)
        bench.wire.below = httpx2.MockTransport(lock_after)
        try:
            if how == "start":
                result = await client.raw("start_campaign", campaign_id=campaign)
            else:
                when = {"scheduled_at": WHEN} if how == "schedule" else {}
                other = {**DRAFT, "name": "Another"}
                result = await client.raw("create_campaign", **other, **when)
        finally:
            locks.__exit__(None, None, None)
    assert not result.is_error, result.content
    entry = (await journal(bench))[-1]
    assert entry.outcome == ""


async def test_an_intent_that_stays_open_is_there_for_the_next_server(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": await draft(client)}

        async def crash(*_: object) -> None:
            raise ValueError("the server is gone")

        monkeypatch.setattr(SqliteJournal, "finish", crash)
        await client.call("start_campaign", **campaign)
        monkeypatch.undo()
    (entry,) = [e for e in await journal(bench) if e.outcome == ""]
    assert entry.intent.tool == "start_campaign"
