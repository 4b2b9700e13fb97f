"""An emergency stop does not wait for a journal that does not answer."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp.concurrency import IN_FLIGHT
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.tool_calls import journaling
from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_a_stop_leaves_without_its_entry_when_the_journal_hangs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> int:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(journaling, "JOURNAL", 0.01)
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        monkeypatch.setattr(SqliteJournal, "begin", hangs)
        with anyio.fail_after(30):
            paused = await client.call("pause_campaign", **campaign)
    assert paused["status"] == "paused"
    assert "not recorded" in paused["next_step"]
    assert bench.wire.changes[-1] == "pause"


async def test_a_stop_of_everything_waits_once_for_a_slow_journal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SqliteJournal.begin

    async def slow(journal: SqliteJournal, intent: Intent, now: float) -> int:
        await anyio.sleep(journaling.JOURNAL * 0.4)
        return await begin(journal, intent, now)

    async with bench.client() as client:
        for number in range(IN_FLIGHT * 3):
            made = await client.call("create_campaign", **{**DRAFT, "name": f"N{number}"})
            await client.call("start_campaign", campaign_id=made["campaign_id"])
        monkeypatch.setattr(journaling, "JOURNAL", 0.2)
        monkeypatch.setattr(SqliteJournal, "begin", slow)
        paused = await client.call("pause_campaign", campaign_id="all")
    assert {row["status"] for row in paused["campaigns"]} == {"paused"}
    assert bench.wire.changes.count("pause") == IN_FLIGHT * 3
    assert "not recorded" in paused["next_step"]  # each alone would have been in time


async def test_an_intent_that_nobody_waited_for_leaves_no_entry(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    intent = Intent(tenant="t", tool="pause_campaign", arguments="{}", confirmed="not needed")
    with closing(sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with anyio.move_on_after(0.05) as waiting:
            await store.journal.begin(intent, 1.0)
        other.execute("COMMIT")
    assert waiting.cancelled_caught
    assert await store.journal.entries(10) == []  # it waits for the thread that was left
    await store.close()
