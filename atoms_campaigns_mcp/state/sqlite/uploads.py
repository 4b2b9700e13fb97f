"""Uploaded contact lists in the state file."""

import sqlite3
from dataclasses import astuple

from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.store import Upload


class SqliteUploads:
    """See `store.UploadStore`."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def keep(self, upload: Upload, now: float, most: int) -> bool:
        """See `UploadStore.keep`."""

        def write(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM uploads WHERE expires_at < ?", (now,))
            kept = db.execute(
                "INSERT INTO uploads (upload_id, tenant, content, expires_at) SELECT ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM uploads WHERE tenant = ?) < ?",
                (*astuple(upload), upload.tenant, most),
            )
            return kept.rowcount == 1

        return await self._file.write(write)

    async def get(self, tenant: str, upload_id: str, now: float) -> bytes | None:
        """See `UploadStore.get`."""
        sql = "SELECT content FROM uploads WHERE upload_id = ? AND tenant = ? AND expires_at >= ?"
        row = await self._file.read(lambda db: db.execute(sql, (upload_id, tenant, now)).fetchone())
        return row[0] if row else None

    async def clear(self, now: float) -> None:
        """See `UploadStore.clear`."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM uploads WHERE expires_at < ?", (now,))
            # What was deleted still stands in the log, until the log is put into the file and cut.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await self._file.write(write)
