"""Due times of pacing in an SQLite file of their own: written often, and of no use tomorrow."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import anyio

from atoms_campaigns_mcp.rate_limit import Slot, booked, held
from atoms_campaigns_mcp.state.sqlite.database import in_thread

PATIENCE = 0.5  # seconds; a request does not wait longer than this for the right to wait


class SqlitePace:
    """See `store.PaceStore`: shared by the processes of one machine."""

    def __init__(self, folder: Path) -> None:
        """Open or create `pace.sqlite3` in `folder`."""
        self._lock = threading.Lock()
        self._threads = anyio.CapacityLimiter(1)  # as for the state file, and apart from it
        path = folder / "pace.sqlite3"
        path.touch(mode=0o600)
        self._db = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        # What a power cut takes away is a second's worth of counting.
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS pace (key TEXT PRIMARY KEY, due REAL NOT NULL)"
        )

    async def book(self, key: str, slot: Slot) -> float:
        """See `PaceStore.book`."""
        return await self._change(key, lambda due: booked(due, slot))

    async def hold(self, key: str, now: float, until: float) -> None:
        """See `PaceStore.hold`."""
        await self._change(key, lambda due: (held(due, now, until), 0.0))

    async def close(self) -> None:
        """Close the file."""

        def close() -> None:
            with self._lock:
                self._db.close()

        await in_thread(close, self._threads)

    async def _change(self, key: str, change: Callable[[float], tuple[float, float]]) -> float:
        def work() -> float:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    row = self._db.execute("SELECT due FROM pace WHERE key = ?", (key,)).fetchone()
                    due, delay = change(row[0] if row else 0.0)
                    self._db.execute("REPLACE INTO pace VALUES (?, ?)", (key, due))
                finally:
                    self._db.execute("COMMIT")
            return delay

        return await in_thread(work, self._threads)
