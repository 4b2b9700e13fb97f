"""A state file of any release becomes one of this release, with all that is in it."""

import sqlite3
import threading
from pathlib import Path

import pytest

from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.state.journal import Intent, Wanted
from atoms_campaigns_mcp.state.sqlite import migrations
from atoms_campaigns_mcp.state.sqlite.migrations import LATEST, MIGRATIONS, migrate
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.state.store import PlanRecord

pytestmark = pytest.mark.anyio
# The tables of 0.1.0 as that version made them, written down once more: what has been released is
# never edited.
RELEASED = """
CREATE TABLE IF NOT EXISTS plans (
    plan_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, tool TEXT NOT NULL, digest TEXT NOT NULL,
    expires_at REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, tenant TEXT NOT NULL,
    tool TEXT NOT NULL, arguments TEXT NOT NULL, confirmed TEXT NOT NULL, digest TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '', reported INTEGER NOT NULL DEFAULT 0,
    key TEXT NOT NULL DEFAULT '', known TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX IF NOT EXISTS journal_creations ON journal (key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS callers (
    tenant TEXT NOT NULL, campaign_id TEXT NOT NULL, phone_ids TEXT NOT NULL,
    PRIMARY KEY (tenant, campaign_id)
) STRICT;
CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, content BLOB NOT NULL,
    expires_at REAL NOT NULL
) STRICT;
INSERT INTO plans VALUES ('plan', 'tenant', 'start_campaign', 'digest', 1000.0, 1);
INSERT INTO journal VALUES (7, 1.5, 'tenant', 'create_campaign', '{"name": "x"}', 'asked',
    'digest', 'unknown', 'lost', 'req', 1, 'key', '["c1"]');
INSERT INTO claims VALUES ('campaign', 'one', 2000.0);
INSERT INTO callers VALUES ('account', 'c1', '["p1"]');
INSERT INTO uploads VALUES ('u1', 'tenant', x'70', 1900.0);
PRAGMA user_version = 1;
"""


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the columns and indexes of every table."""
    db = sqlite3.connect(path)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        f"{pragma} {name}": db.execute(f"PRAGMA {pragma}({name})").fetchall()
        for name in sorted(tables)
        for pragma in ("table_xinfo", "index_list")
    }
    db.close()
    return found


def released(folder: Path) -> Path:
    """Make the file of the first release."""
    folder.mkdir(exist_ok=True)
    path = folder / "state.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(RELEASED)
    db.close()
    return path


async def test_everything_in_a_file_of_the_first_release_is_still_there(tmp_path: Path) -> None:
    released(tmp_path)
    store = SqliteStore.open(tmp_path)
    assert await store.plans.get("plan") == PlanRecord(
        "plan", "tenant", "start_campaign", "digest", 1000
    )
    assert not await store.plans.use("plan")
    assert not await store.locks.acquire("campaign", "two", 2000, 2100)
    assert await store.caller_ids.get("account", "c1") == ("p1",)
    assert await store.uploads.get("tenant", "u1", 1900.0) == b"p"
    (entry,) = await store.journal.unresolved("key")
    assert (entry.id, entry.at, entry.outcome, entry.detail) == (7, 1.5, "unknown", "lost")
    assert entry.intent.known == ("c1",)
    assert entry.intent.answered_after is None
    assert await store.journal.begin(entry.intent, 3) == 8
    await store.close()


async def test_a_file_of_the_first_release_becomes_what_a_new_file_is(tmp_path: Path) -> None:
    old, new = released(tmp_path / "old"), tmp_path / "new" / "state.sqlite3"
    for path in (old, new):
        await SqliteStore.open(path.parent).close()
    assert shape(old) == shape(new)


def test_the_first_migration_makes_what_the_first_release_made(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "made.sqlite3")
    for statement in MIGRATIONS[0]:
        db.execute(statement)
    db.close()
    assert shape(tmp_path / "made.sqlite3") == shape(released(tmp_path))


async def test_entries_of_earlier_versions_tell_their_campaign_and_no_mode(tmp_path: Path) -> None:
    campaign = "696ddd2a04ff172dbd8eddad"
    db = sqlite3.connect(released(tmp_path))
    told = {1: f'{{"campaign_id": "{campaign}"}}', 2: '{"campaign_id": "all"}', 3: "no JSON"}
    for number, arguments in told.items():
        db.execute(
            "INSERT INTO journal (id, at, tenant, tool, arguments, confirmed, digest) "
            "VALUES (?, ?, 'tenant', 'pause_campaign', ?, 'not needed', '')",
            (number, float(number), arguments),
        )
    db.commit()
    db.close()
    store = SqliteStore.open(tmp_path)
    found = await store.journal.entries(9, Wanted(campaign_id=campaign))
    assert [(entry.id, entry.intent.mode, entry.created) for entry in found] == [(1, "", "")]
    assert len(await store.journal.entries(9, Wanted(since=1))) == 4
    await store.close()


async def test_servers_that_start_together_migrate_once(tmp_path: Path) -> None:
    released(tmp_path)
    troubles: list[Exception] = []

    def start() -> None:
        db = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
        try:
            migrate(db)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
            troubles.append(error)
        finally:
            db.close()

    servers = [threading.Thread(target=start) for _ in range(8)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert troubles == []


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*MIGRATIONS, ("ALTER TABLE journal ADD COLUMN later TEXT", "SELECT * FROM nowhere"))
    path = released(tmp_path)
    db = sqlite3.connect(path, isolation_level=None)
    migrate(db)
    before = shape(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(migrations, "LATEST", len(steps))
    with pytest.raises(sqlite3.OperationalError):
        migrate(db)
    assert db.execute("PRAGMA user_version").fetchone() == (LATEST,)
    db.close()
    assert shape(path) == before


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(released(tmp_path), isolation_level=None)
    db.execute(f"PRAGMA user_version = {LATEST + 1}")
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(db)
    db.close()


async def test_a_server_of_the_first_release_goes_on_with_a_file_that_was_migrated(
    tmp_path: Path,
) -> None:
    path = released(tmp_path)
    older = sqlite3.connect(path, isolation_level=None)
    store = SqliteStore.open(tmp_path)
    older.execute(
        "INSERT INTO journal (at, tenant, tool, arguments, confirmed, digest, key, known) "
        "VALUES (9, 'tenant', 'pause_campaign', '{}', 'not needed', '', '', '[]')"
    )
    older.close()
    (latest,) = await store.journal.entries(1)
    assert latest.intent == Intent("tenant", "pause_campaign", "{}", "not needed")
    await store.close()
