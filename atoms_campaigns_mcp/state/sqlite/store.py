"""The state store of one machine: SQLite files that several servers share."""

import sqlite3
from pathlib import Path

from atoms_campaigns_mcp.errors import ConfigurationError, said_of
from atoms_campaigns_mcp.state.folder import NOT_USABLE, make_private
from atoms_campaigns_mcp.state.sqlite.caller_ids import SqliteCallerIds
from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.sqlite.guard import SqliteGuard
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from atoms_campaigns_mcp.state.sqlite.locks import SqliteLocks
from atoms_campaigns_mcp.state.sqlite.pace import SqlitePace
from atoms_campaigns_mcp.state.sqlite.plans import SqlitePlans
from atoms_campaigns_mcp.state.sqlite.uploads import SqliteUploads


class SqliteStore:
    """See `store.Store`."""

    shared_state = None

    def __init__(self, file: StateFile, pace: SqlitePace) -> None:
        self._file = file
        self.plans = SqlitePlans(file)
        self.locks = SqliteLocks(file)
        self.journal = SqliteJournal(file)
        self.uploads = SqliteUploads(file)
        self.caller_ids = SqliteCallerIds(file)
        self.guard = SqliteGuard(file)
        self.pace = pace

    @classmethod
    def open(cls, folder: Path) -> "SqliteStore":
        """Open or create the files in `folder`, which only its owner can read.

        Raises:
            ConfigurationError: The folder or file cannot be used, or a newer version made it.
        """
        try:
            make_private(folder)
            return cls(StateFile(folder), SqlitePace(folder))
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"The state folder cannot be used ({said_of(error)}).",
                next_step=NOT_USABLE,
            ) from error

    async def close(self) -> None:
        """See `Store.close`."""
        await self._file.close()
        await self.pace.close()
