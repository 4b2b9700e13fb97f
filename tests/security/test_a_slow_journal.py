"""An emergency stop does not wait for a journal that does not answer."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.tool_calls import journaling
from atoms_campaigns_mcp.tool_calls.journaling import JOURNAL
from atoms_campaigns_mcp.toolkit.stopping import AT_ONCE
from tests.support.far_away import ROUND_TRIP, FarAway, simulated, started
from tests.support.lifetime import list_of
from tests.support.previews import US_NUMBER
from tests.support.world import AGENT


def test_a_stop_leaves_without_its_entry_when_the_journal_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object, **__: object) -> int:
        await anyio.sleep_forever()
        raise AssertionError

    async def live(far: FarAway) -> None:
        campaign = await started(far, "N")
        monkeypatch.setattr(SqliteJournal, "begin", hangs)
        paused, taken = await far.taken("pause_campaign", **campaign)
        assert paused["status"] == "paused"
        assert "not recorded" in paused["next_step"]
        first = taken.requests[0]
        assert (first.method, first.at) == ("POST", pytest.approx(JOURNAL))

    simulated(tmp_path, live)


@pytest.mark.slow
def test_a_stop_of_everything_waits_once_for_a_slow_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SqliteJournal.begin

    async def slow(journal: SqliteJournal, intent: Intent, now: float, **how: bool) -> int:
        await anyio.sleep(JOURNAL * 0.6)
        return await begin(journal, intent, now, **how)

    async def live(far: FarAway) -> None:
        for number in range(AT_ONCE * 2):
            await started(far, f"N{number}")
        monkeypatch.setattr(SqliteJournal, "begin", slow)
        paused, taken = await far.taken("pause_campaign", campaign_id="all")
        assert {row["status"] for row in paused["campaigns"]} == {"paused"}
        stops = [sent for sent in taken.requests if sent.method == "POST"]
        assert len({stop.path for stop in stops}) == AT_ONCE * 2
        assert max(stop.at for stop in stops) <= JOURNAL * 1.2 + 2 * ROUND_TRIP
        assert "not recorded" in paused["next_step"]  # each alone would have been in time

    simulated(tmp_path, live)


@pytest.mark.slow
def test_however_many_entries_a_journal_writes_quickly_all_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, written = SqliteJournal.begin, list[str]()

    async def quick(journal: SqliteJournal, intent: Intent, now: float, **how: bool) -> int:
        await anyio.sleep(journaling.QUICK * 0.8)
        written.append(intent.tool)
        return await begin(journal, intent, now, **how)

    async def live(far: FarAway) -> None:
        audience, _ = await far.taken("create_audience", name="A", csv=list_of(60))
        made, _ = await far.taken(
            "create_campaign",
            name="C",
            agent_id=AGENT,
            audience_id=audience["audience_id"],
            phone_ids=[US_NUMBER],
        )
        campaign = {"campaign_id": made["campaign_id"]}
        await far.taken("start_campaign", **campaign)
        await anyio.sleep(10)
        monkeypatch.setattr(SqliteJournal, "begin", quick)
        monkeypatch.setattr(journaling, "JOURNAL", journaling.QUICK * 10)
        stopped, _ = await far.taken("pause_campaign", hang_up=True, campaign_id="all")
        assert stopped["hung_up"] > 15
        assert len(written) > stopped["hung_up"]
        assert "not recorded" not in stopped["next_step"]

    simulated(tmp_path, live)


@pytest.mark.slow
def test_no_pause_waits_for_the_outcomes_of_others_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object, **__: object) -> None:
        await anyio.sleep_forever()

    async def live(far: FarAway) -> None:
        for number in range(AT_ONCE * 2):
            await started(far, f"N{number}")
        monkeypatch.setattr(SqliteJournal, "finish", hangs)
        paused, taken = await far.taken("pause_campaign", campaign_id="all")
        assert {row["status"] for row in paused["campaigns"]} == {"paused"}
        stops = [sent for sent in taken.requests if sent.method == "POST"]
        assert len({stop.path for stop in stops}) == AT_ONCE * 2
        assert max(stop.at for stop in stops) <= JOURNAL * 1.2 + 2 * ROUND_TRIP

    simulated(tmp_path, live)


@pytest.mark.anyio
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
