"""The journal in the state file."""

import json
import sqlite3
import threading
from dataclasses import astuple
from typing import Any

import anyio

from atoms_campaigns_mcp.state.journal import (
    EVERY,
    NOTHING,
    UNDER_WAY,
    Created,
    Entry,
    Intent,
    Wanted,
)
from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.store import storable

_INTENT = (
    "tenant, tool, arguments, confirmed, digest, key, known, answered_after, account, "
    "campaign_id, dials, mode"
)
_ENTRY = f"id, at, outcome, detail, request_id, created, {_INTENT}"
# Earlier changes of the campaign, now that a later one is done.
_SEEN = (
    "UPDATE journal SET seen = 1 FROM journal AS later WHERE later.id = ? "
    "AND later.outcome = 'done' AND later.campaign_id <> '' "
    "AND journal.dials AND NOT journal.seen AND journal.id < later.id "
    "AND journal.account = later.account "
    "AND journal.campaign_id = later.campaign_id"
)


class SqliteJournal:
    """See `store.JournalStore`."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def begin(self, intent: Intent, at: float, *, lasting: bool = True) -> int:  # noqa: ARG002
        """See `JournalStore.begin`; what is written here always is on the disk."""
        *texts, known, answered_after, account, campaign_id, dials, mode = astuple(intent)
        row = at, *map(storable, texts), json.dumps(known), answered_after
        row = *row, account, campaign_id, int(dials), mode
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO journal (at, {_INTENT}) VALUES ({marks})"  # noqa: S608
        given_up = threading.Event()

        def write(db: sqlite3.Connection) -> int:
            entry = 0 if given_up.is_set() else db.execute(sql, row).lastrowid or 0
            if given_up.is_set():  # what would stay is an intent whose outcome nobody records
                db.execute("DELETE FROM journal WHERE id = ?", (entry,))
            return entry

        try:
            return await self._file.write(write, leave=True)
        except anyio.get_cancelled_exc_class():
            given_up.set()
            raise

    async def finish(
        self,
        entry_id: int,
        outcome: str,
        detail: str = "",
        request_id: str = "",
        created: Created = NOTHING,
    ) -> None:
        """See `JournalStore.finish`."""
        told = outcome, storable(detail), storable(request_id)
        row = *told, created.id, created.campaign_id, entry_id
        sql = (
            "UPDATE journal SET outcome = ?, detail = ?, request_id = ?, created = ?, "
            "campaign_id = coalesce(nullif(?, ''), campaign_id) WHERE id = ?"
        )

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.execute(sql, row)
                db.execute(_SEEN, (entry_id,))

        await self._file.write(write, leave=True)

    async def unresolved(self, key: str) -> list[Entry]:
        """See `JournalStore.unresolved`."""
        # The index leaves out changes without a key.
        where = "WHERE key = ? AND key <> '' AND outcome IN ('', 'unknown')"
        return await self._entries(where, key)

    async def begun(self, account: str, since: float) -> list[Entry]:
        """See `JournalStore.begun`."""
        where = (
            "WHERE dials AND NOT seen AND account = ? AND at >= ? "
            "AND outcome NOT IN ('refused', 'absent')"
        )
        return await self._entries(where, account, since)

    async def saw(self, account: str, campaign_id: str) -> None:
        """See `JournalStore.saw`."""
        sql = (
            "UPDATE journal SET seen = 1 "
            "WHERE dials AND NOT seen AND account = ? AND campaign_id = ?"
        )
        await self._file.write(lambda db: db.execute(sql, (account, campaign_id)))

    async def entries(self, limit: int, wanted: Wanted = EVERY) -> list[Entry]:
        """See `JournalStore.entries`."""
        conditions: dict[str, str | float] = {
            "tenant = ?": wanted.tenant,
            "campaign_id = ?": wanted.campaign_id,
            "mode = ?": wanted.mode,
            "at >= ?": wanted.since,
        }
        asked = {condition: value for condition, value in conditions.items() if value}
        words = [*asked, *(["outcome = ''"] if wanted.unfinished else [])]
        where = f"WHERE {' AND '.join(words)} " if words else ""
        return await self._entries(f"{where}ORDER BY id DESC LIMIT ?", *asked.values(), limit)

    async def prune(self, before: float) -> int:
        """See `JournalStore.prune`."""
        sql = "DELETE FROM journal WHERE at < ? AND outcome NOT IN ('', 'unknown')"
        return await self._file.write(lambda db: db.execute(sql, (before,)).rowcount)

    async def unfinished(self, now: float) -> list[Entry]:
        """See `JournalStore.unfinished`."""
        sql = (
            "UPDATE journal SET reported = 1 WHERE outcome = '' AND reported = 0 "  # noqa: S608
            f"AND abs(at - ?) >= ? RETURNING {_ENTRY}"
        )
        rows = await self._file.write(lambda db: db.execute(sql, (now, UNDER_WAY)).fetchall())
        return [_entry(row) for row in rows]

    async def _entries(self, which: str, *values: str | float) -> list[Entry]:
        sql = f"SELECT {_ENTRY} FROM journal {which}"  # noqa: S608 - fixed texts only
        rows = await self._file.read(lambda db: db.execute(sql, values).fetchall())
        return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    head, created, intent_row = row[:5], row[5], row[6:]
    *texts, known, answered_after, account, campaign_id, dials, mode = intent_row
    intent = Intent(
        *texts,
        known=tuple(json.loads(known)),
        answered_after=answered_after,
        account=account,
        campaign_id=campaign_id,
        dials=bool(dials),
        mode=mode,
    )
    return Entry(*head, intent=intent, created=created)
