"""The state store of one machine: an SQLite file that several servers share."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio
import anyio.to_thread

from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded, said_of
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.folder import NOT_USABLE, make_private
from atoms_campaigns_mcp.state.sqlite.migrations import migrate
from atoms_campaigns_mcp.state.sqlite.pace import SqlitePace
from atoms_campaigns_mcp.state.store import (
    LONGEST_CLAIM,
    UNDER_WAY,
    Entry,
    Intent,
    PlanRecord,
    Upload,
    storable,
)

T = TypeVar("T")
BUSY_SECONDS = 2.0  # how long a write waits for another server's write
KEEP_PLANS = 24 * 3600  # seconds after which a plan's record is of no use to anyone

_PLAN = "plan_id, tenant, tool, digest, expires_at, audience_id, shown"
_INTENT = (
    "tenant, tool, arguments, confirmed, digest, key, known, answered_after, account, "
    "campaign_id, dials"
)
_ENTRY = f"id, at, outcome, detail, request_id, {_INTENT}"


class SqliteStore:
    """See `store.Store`. Every call runs in a thread that nothing else takes, one at a time."""

    shared_state = None

    def __init__(self, connection: sqlite3.Connection, path: Path, pace: SqlitePace) -> None:
        self._connection = connection
        self._path, self._file = path, path.stat()
        self._lock = threading.Lock()
        self._pace = pace
        # Not from the pool that everybody shares: a stop must not wait there for its record.
        self._records, self._paces = anyio.CapacityLimiter(1), anyio.CapacityLimiter(1)

    @classmethod
    def open(cls, folder: Path) -> "SqliteStore":
        """Open or create `state.sqlite3` in `folder`, which only its owner can read.

        Raises:
            ConfigurationError: The folder or file cannot be used, or a newer version made it.
        """
        try:
            make_private(folder)
            path = folder / "state.sqlite3"
            path.touch(mode=0o600)
            connection = sqlite3.connect(
                path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA secure_delete = ON")
            migrate(connection)
            return cls(connection, path, SqlitePace(folder))
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"The state folder cannot be used ({said_of(error)}).",
                next_step=NOT_USABLE,
            ) from error

    async def keep_plan(self, record: PlanRecord) -> None:
        """See `Store.keep_plan`."""
        *facts, shown = astuple(record)

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                f"INSERT INTO plans ({_PLAN}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*facts, json.dumps(shown)),
            )
            db.execute("DELETE FROM plans WHERE expires_at < ?", (record.expires_at - KEEP_PLANS,))

        await self._do(write)

    async def plan(self, plan_id: str) -> PlanRecord | None:
        """See `Store.plan`."""

        def read(db: sqlite3.Connection) -> PlanRecord | None:
            sql = f"SELECT {_PLAN} FROM plans WHERE plan_id = ?"  # noqa: S608
            row = db.execute(sql, (plan_id,)).fetchone()
            return PlanRecord(*row[:-1], shown=tuple(json.loads(row[-1]))) if row else None

        return await self._do(read, "read")

    async def use_plan(self, plan_id: str) -> bool:
        """See `Store.use_plan`."""

        def write(db: sqlite3.Connection) -> bool:
            spent = db.execute(
                "UPDATE plans SET used = 1 WHERE plan_id = ? AND used = 0", (plan_id,)
            )
            return spent.rowcount == 1

        return await self._do(write)

    async def claim(self, key: str, owner: str, now: float, until: float) -> bool:
        """See `Store.claim`."""

        def write(db: sqlite3.Connection) -> bool:
            # One statement, so that of two processes one changes a row and the other none.
            taken = db.execute(
                "INSERT INTO claims (key, owner, until) VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, until = excluded.until "
                "WHERE claims.until < ? OR claims.until > ?",
                (key, owner, until, now, now + LONGEST_CLAIM),
            )
            return taken.rowcount == 1

        return await self._do(write)

    async def extend_lock(self, key: str, owner: str, until: float) -> bool:
        """See `Store.extend_lock`."""
        sql = "UPDATE claims SET until = ? WHERE key = ? AND owner = ?"
        return await self._do(lambda db: db.execute(sql, (until, key, owner)).rowcount == 1)

    async def release(self, key: str, owner: str) -> None:
        """See `Store.release`."""
        sql = "DELETE FROM claims WHERE key = ? AND owner = ?"
        await self._do(lambda db: db.execute(sql, (key, owner)))

    async def keep_callers(self, tenant: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """See `Store.keep_callers`."""
        row = (tenant, campaign_id, json.dumps(phone_ids))
        sql = "REPLACE INTO callers (tenant, campaign_id, phone_ids) VALUES (?, ?, ?)"
        await self._do(lambda db: db.execute(sql, row))

    async def callers(self, tenant: str, campaign_id: str) -> tuple[str, ...] | None:
        """See `Store.callers`."""
        sql = "SELECT phone_ids FROM callers WHERE tenant = ? AND campaign_id = ?"
        row = await self._do(lambda db: db.execute(sql, (tenant, campaign_id)).fetchone(), "read")
        return tuple(json.loads(row[0])) if row else None

    async def keep_upload(self, upload: Upload, now: float, most: int) -> bool:
        """See `Store.keep_upload`."""

        def write(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM uploads WHERE expires_at < ?", (now,))
            kept = db.execute(
                "INSERT INTO uploads (upload_id, tenant, content, expires_at) SELECT ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM uploads WHERE tenant = ?) < ?",
                (*astuple(upload), upload.tenant, most),
            )
            return kept.rowcount == 1

        return await self._do(write)

    async def upload(self, tenant: str, upload_id: str, now: float) -> bytes | None:
        """See `Store.upload`."""
        sql = "SELECT content FROM uploads WHERE upload_id = ? AND tenant = ? AND expires_at >= ?"
        row = await self._do(
            lambda db: db.execute(sql, (upload_id, tenant, now)).fetchone(), "read"
        )
        return row[0] if row else None

    async def clear_uploads(self, now: float) -> None:
        """See `Store.clear_uploads`."""

        def clear(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM uploads WHERE expires_at < ?", (now,))
            # What was deleted still stands in the log, until the log is put into the file and cut.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await self._do(clear)

    async def begin(self, intent: Intent, at: float) -> int:
        """See `Store.begin`."""
        *texts, known, answered_after, account, campaign_id, dials = astuple(intent)
        row = at, *map(storable, texts), json.dumps(known), answered_after
        row = *row, account, campaign_id, int(dials)
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO journal (at, {_INTENT}) VALUES ({marks})"  # noqa: S608
        given_up = threading.Event()

        def write(db: sqlite3.Connection) -> int:
            entry = 0 if given_up.is_set() else db.execute(sql, row).lastrowid or 0
            if given_up.is_set():  # what would stay is an intent whose outcome nobody records
                db.execute("DELETE FROM journal WHERE id = ?", (entry,))
            return entry

        try:
            return await _in_thread(self._locked(write), self._records, leave=True)
        except anyio.get_cancelled_exc_class():
            given_up.set()
            raise

    async def finish(
        self,
        entry_id: int,
        outcome: str,
        detail: str = "",
        request_id: str = "",
        campaign_id: str = "",
    ) -> None:
        """See `Store.finish`."""
        row = outcome, storable(detail), storable(request_id), campaign_id, entry_id

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.execute(
                    "UPDATE journal SET outcome = ?, detail = ?, request_id = ?, "
                    "campaign_id = coalesce(nullif(?, ''), campaign_id) WHERE id = ?",
                    row,
                )
                db.execute(
                    "UPDATE journal SET seen = 1 FROM journal AS later WHERE later.id = ? "
                    "AND later.outcome = 'done' AND later.campaign_id <> '' "
                    "AND journal.dials AND NOT journal.seen AND journal.id < later.id "
                    "AND journal.account = later.account "
                    "AND journal.campaign_id = later.campaign_id",
                    (entry_id,),
                )

        await self._do(write)

    async def unresolved(self, key: str) -> list[Entry]:
        """See `Store.unresolved`."""
        # The index leaves out changes without a key.
        where = "WHERE key = ? AND key <> '' AND outcome IN ('', 'unknown')"
        return await self._entries(where, key)

    async def begun(self, account: str, since: float) -> list[Entry]:
        """See `Store.begun`."""
        where = (
            "WHERE dials AND NOT seen AND account = ? AND at >= ? "
            "AND outcome NOT IN ('refused', 'absent')"
        )
        return await self._entries(where, account, since)

    async def saw(self, account: str, campaign_id: str) -> None:
        """See `Store.saw`."""
        sql = (
            "UPDATE journal SET seen = 1 "
            "WHERE dials AND NOT seen AND account = ? AND campaign_id = ?"
        )
        await self._do(lambda db: db.execute(sql, (account, campaign_id)))

    async def entries(self, limit: int) -> list[Entry]:
        """See `Store.entries`."""
        return await self._entries("ORDER BY id DESC LIMIT ?", limit)

    async def unfinished(self, now: float) -> list[Entry]:
        """See `Store.unfinished`."""

        def take(db: sqlite3.Connection) -> list[Entry]:
            rows = db.execute(
                "UPDATE journal SET reported = 1 WHERE outcome = '' AND reported = 0 "  # noqa: S608
                f"AND abs(at - ?) >= ? RETURNING {_ENTRY}",
                (now, UNDER_WAY),
            ).fetchall()
            return [_entry(row) for row in rows]

        return await self._do(take)

    async def _entries(self, which: str, *values: str | float) -> list[Entry]:
        sql = f"SELECT {_ENTRY} FROM journal {which}"  # noqa: S608 - fixed texts only
        rows = await self._do(lambda db: db.execute(sql, values).fetchall(), "read")
        return [_entry(row) for row in rows]

    async def pace(self, key: str, slot: Slot) -> float:
        """See `Store.pace`."""
        return await _in_thread(lambda: self._pace.book(key, slot), self._paces)

    async def hold(self, key: str, now: float, until: float) -> None:
        """See `Store.hold`."""
        await _in_thread(lambda: self._pace.hold(key, now, until), self._paces)

    async def close(self) -> None:
        """See `Store.close`."""
        await _in_thread(self._connection.close, self._records)
        self._pace.close()

    async def _do(
        self, work: Callable[[sqlite3.Connection], T], what: Literal["read", "written"] = "written"
    ) -> T:
        return await _in_thread(self._locked(work), self._records, what=what)

    def _locked(self, work: Callable[[sqlite3.Connection], T]) -> Callable[[], T]:
        def locked() -> T:
            with self._lock:
                self._require_file()
                return work(self._connection)

        return locked

    def _require_file(self) -> None:
        """Look whether other servers would still open the same file."""
        try:
            there = os.path.samestat(self._path.stat(), self._file)
        except OSError:
            there = False
        if not there:
            raise NotRecorded(
                "The state file was moved or replaced while this server was running, so nothing "
                "was sent.",
                next_step="The operator must put it back, or restart this server.",
            )


async def _in_thread(
    work: Callable[[], T],
    threads: anyio.CapacityLimiter,
    *,
    leave: bool = False,
    what: Literal["read", "written"] = "written",
) -> T:
    """Run `work` in one of `threads`; whoever is cancelled waits for its end, or may `leave` it."""
    try:
        return await anyio.to_thread.run_sync(work, limiter=threads, abandon_on_cancel=leave)
    except sqlite3.Error as error:
        raise NotRecorded(
            f"The server's own record could not be {what} ({said_of(error)}), so nothing was sent.",
            next_step="The operator must free the state folder (full disk, locked file).",
        ) from error


def _entry(row: tuple[Any, ...]) -> Entry:
    head, (*texts, known, answered_after, account, campaign_id, dials) = row[:5], row[5:]
    intent = Intent(
        *texts,
        known=tuple(json.loads(known)),
        answered_after=answered_after,
        account=account,
        campaign_id=campaign_id,
        dials=bool(dials),
    )
    return Entry(*head, intent=intent)
