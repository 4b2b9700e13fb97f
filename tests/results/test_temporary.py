"""A temporary database that is closed while somebody reads it."""

import sqlite3
import threading

import anyio
import anyio.to_thread
import pytest

from atoms_campaigns_mcp.results.temporary import TemporaryDatabase
from atoms_campaigns_mcp.workers import Workers

pytestmark = pytest.mark.anyio


async def test_whoever_closes_it_waits_for_what_is_being_read() -> None:
    db = TemporaryDatabase(Workers().worker())
    reading, go_on = threading.Event(), threading.Event()
    order = list[str]()

    def read(connection: sqlite3.Connection) -> None:
        reading.set()
        go_on.wait(10)
        order.append(connection.execute("SELECT 'read'").fetchone()[0])

    closing = threading.Thread(target=lambda: (db.close(), order.append("closed")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(db, read)
        await anyio.to_thread.run_sync(reading.wait, 10)
        closing.start()
        assert order == []
        go_on.set()
    await anyio.to_thread.run_sync(closing.join, 10)
    assert order == ["read", "closed"]


async def test_nothing_is_read_from_one_that_is_closed() -> None:
    db = TemporaryDatabase(Workers().worker())
    db.close()
    db.close()
    with pytest.raises(sqlite3.ProgrammingError):
        await db(lambda connection: connection.execute("SELECT 1"))
