"""A record that cannot be read is not said to be unwritable."""

import sqlite3
from pathlib import Path

import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio


async def test_a_failed_read_and_a_failed_write_are_told_apart(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    (file,) = [path for path in tmp_path.glob("*.sqlite3") if "pace" not in path.name]
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE plans")
    with pytest.raises(NotRecorded, match=r"could not be read .*nothing was sent"):
        await store.plans.get("p")
    with pytest.raises(NotRecorded, match=r"could not be written .*nothing was sent"):
        await store.plans.use("p")
    await store.close()
