"""Locks in the state file.

Their table keeps the name `claims` that 0.1.0 gave it: servers of both versions that run side by
side must keep each other out.
"""

import sqlite3

from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.store import LONGEST_LOCK


class SqliteLocks:
    """See `store.LockStore`."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def acquire(self, key: str, owner: str, now: float, until: float) -> bool:
        """See `LockStore.acquire`."""

        def write(db: sqlite3.Connection) -> bool:
            # One statement, so that of two processes one changes a row and the other none.
            taken = db.execute(
                "INSERT INTO claims (key, owner, until) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until "
                "WHERE claims.until < ? OR claims.until > ?",
                (key, owner, until, now, now + LONGEST_LOCK),
            )
            return taken.rowcount == 1

        return await self._file.write(write)

    async def extend(self, key: str, owner: str, until: float) -> bool:
        """See `LockStore.extend`."""
        sql = "UPDATE claims SET until = ? WHERE key = ? AND owner = ?"
        return await self._file.write(lambda db: db.execute(sql, (until, key, owner)).rowcount == 1)

    async def release(self, key: str, owner: str) -> None:
        """See `LockStore.release`."""
        sql = "DELETE FROM claims WHERE key = ? AND owner = ?"
        await self._file.write(lambda db: db.execute(sql, (key, owner)))
