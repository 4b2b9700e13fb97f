"""M6: uploaded lists stayed in the state file after their 15 minutes, and after deletion."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.http.uploads import LIFETIME
from atoms_campaigns_mcp.state.maintenance import maintain, maintain_once
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.state.store import Upload
from tests.state.test_migrations import released
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio
MARK = b"+12025550143,Ada Lovelace"
LIST = b"phone,name\n" + b"\n".join([MARK] * 20_000)


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def uploaded(folder: Path, clock: FakeClock) -> SqliteStore:
    store = SqliteStore.open(folder)
    now = clock.clocks().seconds()
    assert await store.uploads.keep(Upload("u1", "tenant", LIST, now + LIFETIME), now, 20)
    assert MARK in written(folder)
    return store


@pytest.mark.parametrize("serving", [True, False], ids=["while serving", "after a kill"])
async def test_nothing_of_a_list_is_in_the_folder_once_it_has_expired(
    tmp_path: Path, *, serving: bool
) -> None:
    clock = FakeClock()
    store = await uploaded(tmp_path, clock)
    if not serving:
        await store.close()
    await maintain_once(Settings(state=tmp_path), clock.monotonic())
    assert MARK in written(tmp_path)
    clock.advance(seconds=LIFETIME + 1)
    await maintain_once(Settings(state=tmp_path), clock.monotonic())
    assert MARK not in written(tmp_path)
    if serving:
        await store.close()


async def test_what_was_deleted_to_make_room_is_gone_with_the_next_look(tmp_path: Path) -> None:
    clock = FakeClock()
    store = await uploaded(tmp_path, clock)
    clock.advance(seconds=LIFETIME + 1)
    now = clock.clocks().seconds()
    assert await store.uploads.keep(Upload("u2", "tenant", b"phone", now + LIFETIME), now, 1)
    await maintain_once(Settings(state=tmp_path), clock.monotonic())
    assert MARK not in written(tmp_path)
    assert await store.uploads.get("tenant", "u2", now) == b"phone"
    await store.close()


async def test_a_server_looks_every_minute_whatever_goes_wrong_once(tmp_path: Path) -> None:
    clock = FakeClock()
    store = await uploaded(tmp_path, clock)
    looked: list[bool] = []
    with anyio.CancelScope() as scope:

        async def sleep(seconds: float) -> None:
            clock.advance(seconds=seconds)
            looked.append(MARK in written(tmp_path))
            if len(looked) == 20:
                scope.cancel()
            await anyio.lowlevel.checkpoint()

        await maintain(Settings(state=tmp_path), clock.monotonic, sleep)
    assert looked == [True] * 16 + [False] * 4
    await store.close()


@pytest.mark.slow
async def test_a_reader_in_the_middle_only_puts_it_off(tmp_path: Path) -> None:
    clock = FakeClock()
    store = await uploaded(tmp_path, clock)
    clock.advance(seconds=LIFETIME + 1)
    reader = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM journal").fetchone()
    await maintain_once(Settings(state=tmp_path), clock.monotonic())
    reader.close()
    await maintain_once(Settings(state=tmp_path), clock.monotonic())
    assert MARK not in written(tmp_path)
    await store.close()


def left_by_an_older_server(folder: Path) -> Path:
    """Make a file of the first release, in whose free pages a deleted list still stands."""
    path = released(folder)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("INSERT INTO uploads VALUES ('old', 'tenant', ?, 1.0)", [LIST])
        db.execute("DELETE FROM uploads WHERE upload_id = 'old'")
    assert MARK in written(folder)
    return path


async def test_what_an_older_server_deleted_is_gone_with_the_first_start(tmp_path: Path) -> None:
    left_by_an_older_server(tmp_path)
    store = SqliteStore.open(tmp_path)
    assert MARK not in written(tmp_path)
    assert len(await store.journal.entries(10)) == 1
    await store.close()


@pytest.mark.slow
async def test_a_start_that_cannot_clear_the_file_serves_and_the_next_one_clears_it(
    tmp_path: Path,
) -> None:
    path = left_by_an_older_server(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = WAL")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        store = SqliteStore.open(tmp_path)
        assert len(await store.journal.entries(10)) == 1
        await store.close()
    store = SqliteStore.open(tmp_path)
    assert MARK not in written(tmp_path)
    await store.close()
