"""The state of one machine: what is SQLite's own, and when the disk does not help."""

import os
import sqlite3
import stat
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.sqlite import database
from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.sqlite.plans import KEEP_PLANS
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.state.store import PlanRecord

pytestmark = pytest.mark.anyio
RECORD = PlanRecord("plan", "tenant", "start_campaign", "digest", 1000.0, "audience")
RECORD_REST = ("tenant", "start_campaign", "digest")
INTENT = Intent("tenant", "start_campaign", '{"campaign_id": "x"}', "asked", "digest")


@asynccontextmanager
async def stores(folder: Path, count: int = 1) -> AsyncGenerator[list[SqliteStore]]:
    opened = [SqliteStore.open(folder) for _ in range(count)]
    try:
        yield opened
    finally:
        for store in opened:
            await store.close()


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Another program holds the file, and never lets go."""
    other = sqlite3.connect(folder / "state.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def full(folder: Path) -> Generator[None]:
    """No file of this process can grow beyond the size that the state has now."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in folder.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_old_plans_go_and_fresh_ones_stay(tmp_path: Path) -> None:
    async with stores(tmp_path) as (store,):
        await store.plans.keep(RECORD)
        later = RECORD.expires_at + KEEP_PLANS
        await store.plans.keep(PlanRecord("edge", *RECORD_REST, later))
        assert await store.plans.get("plan") is not None
        await store.plans.keep(PlanRecord("late", *RECORD_REST, later + 1))
        assert await store.plans.get("plan") is None
        assert await store.plans.get("edge") is not None


CALLS: dict[str, Callable[[SqliteStore], Awaitable[object]]] = {
    "plans.keep": lambda store: store.plans.keep(RECORD),
    "plans.use": lambda store: store.plans.use("plan"),
    "locks.acquire": lambda store: store.locks.acquire("campaign", "one", 1, 2),
    "locks.release": lambda store: store.locks.release("campaign", "one"),
    "caller_ids.keep": lambda store: store.caller_ids.keep("a", "c", ()),
    "journal.begin": lambda store: store.journal.begin(INTENT, 1),
    "journal.finish": lambda store: store.journal.finish(1, "done"),
}


@pytest.mark.parametrize("call", CALLS)
async def test_what_cannot_be_written_is_said_in_words_and_never_passed_over(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.001)
    async with stores(tmp_path) as (store,):
        with locked(tmp_path), pytest.raises(NotRecorded) as caught:
            await CALLS[call](store)
        assert "operator" in caught.value.next_step
        assert str(tmp_path) not in str(caught.value)
        await CALLS[call](store)


async def test_a_full_disk_is_said_in_words_too(tmp_path: Path) -> None:
    async with stores(tmp_path) as (store,):
        large = Intent("tenant", "start_campaign", "x" * 200_000, "asked")
        with full(tmp_path), pytest.raises(NotRecorded):
            await store.journal.begin(large, 1)
        assert await store.journal.entries(10) == []
        await store.journal.begin(large, 1)


async def test_a_server_that_starts_while_the_file_is_locked_still_opens_it(
    tmp_path: Path,
) -> None:
    async with stores(tmp_path) as (first,):
        await first.journal.begin(INTENT, 1)
        with locked(tmp_path):
            async with stores(tmp_path) as (second,):
                assert len(await second.journal.entries(10)) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no modes there")
async def test_whoever_closes_it_waits_for_a_write_that_was_left(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    writing, go_on, order = threading.Event(), threading.Event(), list[str]()

    def write(connection: sqlite3.Connection) -> None:
        writing.set()
        go_on.wait(10)
        order.append(connection.execute("SELECT 'written'").fetchone()[0])

    async def close() -> None:
        await file.close()
        order.append("closed")

    async with anyio.create_task_group() as left:
        left.start_soon(lambda: file.write(write, leave=True))
        await anyio.to_thread.run_sync(writing.wait, 10)
        left.cancel_scope.cancel()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(close)
        await anyio.wait_all_tasks_blocked()
        assert order == []
        go_on.set()
    assert order == ["written", "closed"]


async def test_whoever_reads_need_not_wait_for_a_write_that_hangs(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    writing, go_on = threading.Event(), threading.Event()

    def write(_: sqlite3.Connection) -> None:
        writing.set()
        go_on.wait(10)

    async with anyio.create_task_group() as left:
        left.start_soon(lambda: file.write(write, leave=True))
        await anyio.to_thread.run_sync(writing.wait, 10)
        left.cancel_scope.cancel()
    with anyio.move_on_after(0.01) as reading:
        await file.read(lambda db: db.execute("SELECT 1").fetchone())
    hung = not go_on.is_set()
    go_on.set()
    await file.close()
    assert hung
    assert reading.cancelled_caught


async def test_only_their_owner_can_read_what_the_folder_holds(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    before = os.umask(0o022)
    try:
        async with stores(folder) as (store,):
            await store.journal.begin(INTENT, 1)
            mode = stat.S_IMODE(folder.stat().st_mode)
    finally:
        os.umask(before)
    assert mode == 0o700


@pytest.mark.parametrize("what", ["a file is in its place", "the file is no database"])
async def test_a_folder_that_cannot_be_used_is_said_at_once(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "state"
    if what == "a file is in its place":
        folder.write_text("")
    else:
        folder.mkdir()
        (folder / "state.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigurationError, match="state folder cannot be used") as caught:
        SqliteStore.open(folder)
    assert "ATOMS_MCP_STATE" in caught.value.next_step
