"""The state file: one connection, used by one thread at a time, and one error for all troubles."""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.to_thread

from atoms_campaigns_mcp.errors import NotRecorded, said_of
from atoms_campaigns_mcp.state.sqlite.migrations import migrate

T = TypeVar("T")
BUSY_SECONDS = 2.0  # how long a write waits for another server's write


class StateFile:
    """`state.sqlite3`; work on it runs in a thread that nothing else takes."""

    def __init__(self, folder: Path) -> None:
        """Open or create it, and bring its tables to the latest version.

        Raises:
            OSError: The file cannot be made.
            sqlite3.Error: It is no database, or cannot be written.
            ConfigurationError: A newer version of this server made it.
        """
        self._path = folder / "state.sqlite3"
        self._path.touch(mode=0o600)
        self._connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA secure_delete = ON")
        migrate(self._connection)
        self._opened = self._path.stat()
        self._lock = threading.Lock()
        # Not from the pool that everybody shares: a stop must not wait there for its record.
        self._threads = anyio.CapacityLimiter(1)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` finds; whoever is cancelled leaves it.

        Raises:
            NotRecorded: The file cannot be read, or is not there any more.
        """
        return await in_thread(self._alone(work), self._threads, leave=True, what="read")

    async def write(self, work: Callable[[sqlite3.Connection], T], *, leave: bool = False) -> T:
        """Carry out `work`; whoever is cancelled waits for its end, or may `leave` it.

        Raises:
            NotRecorded: The file cannot be written, or is not there any more.
        """
        return await in_thread(self._alone(work), self._threads, leave=leave)

    async def close(self) -> None:
        """Close the file."""

        def close() -> None:
            with self._lock:  # work that was left may still use it
                self._connection.close()

        await in_thread(close, self._threads)

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> Callable[[], T]:
        def alone() -> T:
            with self._lock:
                self._require_file()
                return work(self._connection)

        return alone

    def _require_file(self) -> None:
        """Look whether other servers would still open the same file."""
        try:
            there = os.path.samestat(self._path.stat(), self._opened)
        except OSError:
            there = False
        if not there:
            raise NotRecorded(
                "The state file was moved or replaced while this server was running.",
                next_step="The operator must put it back, or restart this server.",
            )


async def in_thread(
    work: Callable[[], T],
    threads: anyio.CapacityLimiter,
    *,
    leave: bool = False,
    what: Literal["read", "written"] = "written",
) -> T:
    """Run `work` in one of `threads`; whoever is cancelled waits for its end, or may `leave` it.

    Raises:
        NotRecorded: SQLite failed.
    """
    try:
        return await anyio.to_thread.run_sync(work, limiter=threads, abandon_on_cancel=leave)
    except sqlite3.Error as error:
        raise NotRecorded(
            f"The server's own record could not be {what} ({said_of(error)}).",
            next_step="The operator must free the state folder (full disk, locked file).",
        ) from error
