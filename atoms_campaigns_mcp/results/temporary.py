"""A temporary database of SQLite: any size, little memory, and gone with its last user.

SQLite deletes its file as soon as it is open, so contacts do not outlive a killed server.
"""

import sqlite3
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar

from atoms_campaigns_mcp.workers import Worker

T = TypeVar("T")
TEMPORARY = ""  # of the only connection to it, on disk only if it grows


class TemporaryDatabase:
    """Work on it runs in the threads of one account; `close()` deletes it."""

    def __init__(self, work: Worker) -> None:
        """Make an empty one."""
        self._work = work
        self._db = sqlite3.connect(TEMPORARY, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self.close = weakref.finalize(self, _close, self._db, self._lock)

    async def __call__(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` finds.

        Raises:
            sqlite3.ProgrammingError: It is closed.
        """
        return await self._work(self._alone, work)

    def _alone(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            return work(self._db)


def _close(db: sqlite3.Connection, lock: threading.Lock) -> None:
    # A connection that is closed while another thread uses it takes the process down.
    db.interrupt()
    with lock:
        db.close()
