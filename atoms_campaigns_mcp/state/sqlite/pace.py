"""Due times of pacing in an SQLite file of their own: written often, and of no use tomorrow."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from atoms_campaigns_mcp.rate_limit import Slot, booked, held

PATIENCE = 0.5  # seconds; a request does not wait longer than this for the right to wait


class SqlitePace:
    """The due time of each key, shared by the processes of one machine. Methods block briefly."""

    def __init__(self, folder: Path) -> None:
        """Open or create `pace.sqlite3` in `folder`."""
        self._lock = threading.Lock()
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

    def book(self, key: str, slot: Slot) -> float:
        """See `Store.pace`."""
        return self._change(key, lambda due: booked(due, slot))

    def hold(self, key: str, now: float, until: float) -> None:
        """See `Store.hold`."""
        self._change(key, lambda due: (held(due, now, until), 0.0))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _change(self, key: str, change: Callable[[float], tuple[float, float]]) -> float:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                row = self._db.execute("SELECT due FROM pace WHERE key = ?", (key,)).fetchone()
                due, delay = change(row[0] if row else 0.0)
                self._db.execute("REPLACE INTO pace VALUES (?, ?)", (key, due))
            finally:
                self._db.execute("COMMIT")
        return delay
