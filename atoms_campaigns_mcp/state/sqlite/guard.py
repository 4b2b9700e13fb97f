"""What a guard keeps, in the state file."""

import sqlite3
from collections.abc import Sequence

from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.store import storable


class SqliteGuard:
    """See `store.GuardStore`."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def keep(self, account: str, subject: str, text: str) -> None:
        """See `GuardStore.keep`."""
        await self.keep_each(account, [subject], text)

    async def keep_each(self, account: str, subjects: Sequence[str], text: str) -> None:
        """See `GuardStore.keep_each`."""
        rows = [(account, subject, storable(text)) for subject in subjects]
        sql = "REPLACE INTO guard (account, subject, content) VALUES (?, ?, ?)"

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany(sql, rows)

        await self._file.write(write, leave=True)

    async def drop(self, account: str, subject: str) -> None:
        """See `GuardStore.drop`."""
        sql = "DELETE FROM guard WHERE account = ? AND subject = ?"
        await self._file.write(lambda db: db.execute(sql, (account, subject)))

    async def kept(self, account: str) -> dict[str, str]:
        """See `GuardStore.kept`."""
        sql = "SELECT subject, content FROM guard WHERE account = ?"
        return await self._file.read(lambda db: dict(db.execute(sql, (account,)).fetchall()))
