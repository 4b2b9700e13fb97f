"""Loads and stores what the dialer works on; one instance lives for one step of the world."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from atoms_campaigns_mcp.sandbox.engine.records import (
    CALL_COLUMNS,
    EXECUTION_COLUMNS,
    RUN_COLUMNS,
    Call,
    Contact,
    Execution,
    Run,
    call_row,
    execution_row,
    run_row,
)

LIVE = "next_at IS NOT NULL"
AT_WORK = """
    deleted_at IS NULL AND (
        status IN ('scheduled', 'processing', 'running') OR dialing
        OR pk IN (SELECT campaign_pk FROM call WHERE next_at IS NOT NULL)
    )
"""


def _select(columns: Iterable[str], table: str) -> str:
    return f"SELECT {', '.join(columns)} FROM {table} WHERE "  # noqa: S608 - our own names


def _replace(columns: tuple[str, ...], table: str) -> str:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our own names


SELECT_CALLS = _select(CALL_COLUMNS, "call")
SELECT_RUNS = _select(RUN_COLUMNS, "campaign")
SELECT_EXECUTIONS = _select(EXECUTION_COLUMNS, "execution")
REPLACE_CALL = _replace(CALL_COLUMNS, "call")
REPLACE_EXECUTION = _replace(EXECUTION_COLUMNS, "execution")
UPDATE_RUN = f"UPDATE campaign SET {', '.join(f'{name} = ?' for name in RUN_COLUMNS)} WHERE pk = ?"  # noqa: S608 - our own names


class Roster:
    """Campaigns at work with their calls, and every change that waits to be stored.

    Attributes:
        runs: Campaigns at work by primary key.
        teams: The same by organization.
        live: Calls in progress by organization.
        calls: Calls in progress, in no order.
    """

    def __init__(self, db: sqlite3.Connection, *, organization: int | None = None) -> None:
        self._db = db
        self._scope = "" if organization is None else f" AND org_pk = {organization:d}"
        self._touched: dict[int, Call] = {}
        self._contacts: dict[tuple[int, int], tuple[str, int, int | None]] = {}
        self._events: list[tuple[int, str, int]] = []
        self.runs: dict[int, Run] = {}
        self.teams: defaultdict[int, list[Run]] = defaultdict(list)
        self.live: defaultdict[int, int] = defaultdict(int)
        self.calls: list[Call] = []
        self._load()
        self._next_pk: int = db.execute("SELECT coalesce(max(pk), 0) + 1 FROM call").fetchone()[0]

    def _load(self) -> None:
        for row in self._db.execute(f"{SELECT_RUNS} {AT_WORK} {self._scope} ORDER BY pk"):
            run = Run(*row)
            self.runs[run.pk] = run
            self.teams[run.org_pk].append(run)
        for row in self._db.execute(f"{SELECT_CALLS} {LIVE} {self._scope}"):
            call = Call(**row)
            self.calls.append(call)
            self.live[call.org_pk] += 1
            if call.campaign_pk in self.runs:
                self.runs[call.campaign_pk].live += 1
        queued = f"{SELECT_CALLS} status = 'in_queue' AND campaign_pk = ? ORDER BY created_at, pk"
        current = f"{SELECT_EXECUTIONS} campaign_pk = ? AND number = ?"
        for run in self.runs.values():
            run.queue.extend(Call(**row) for row in self._db.execute(queued, (run.pk,)))
            found = self._db.execute(current, (run.pk, run.executions)).fetchone()
            run.execution = Execution(*found) if found else None

    def next_call_pk(self) -> int:
        """A primary key for a new call; calls are numbered in the order they are made."""
        self._next_pk += 1
        return self._next_pk - 1

    def keep_call(self, call: Call, at: int) -> None:
        """Have `call` stored with what was changed in it at `at`."""
        call.updated_at = at
        self._touched[call.pk] = call

    def keep_contact(
        self, call: Call, state: str, *, attempts: int, due_at: int | None = None
    ) -> None:
        """Have the contact of `call` stored in a new state, after so many dials."""
        self._contacts[call.campaign_pk, call.position] = (state, attempts, due_at)

    def log(self, run: Run, action: str, at: int) -> None:
        """Record an event of the campaign's life."""
        self._events.append((run.pk, action, at))
        run.updated_at = at

    def save(self) -> None:
        """Write every change, in the transaction that is open."""
        run_rows = [(*run_row(run), run.pk) for run in self.runs.values()]
        executions = [execution_row(run.execution) for run in self.runs.values() if run.execution]
        contacts = [(*values, *key) for key, values in self._contacts.items()]
        write = self._db.executemany
        write(UPDATE_RUN, run_rows)
        write(REPLACE_EXECUTION, executions)
        write(REPLACE_CALL, [call_row(call) for call in self._touched.values()])
        write(
            "UPDATE contact SET state = ?, attempts = ?, due_at = ?"
            " WHERE campaign_pk = ? AND position = ?",
            contacts,
        )
        write(
            "INSERT INTO campaign_event (campaign_pk, action, created_at) VALUES (?, ?, ?)",
            self._events,
        )

    def new_contacts(self, run: Run, limit: int) -> list[Contact]:
        """The next contacts to hand to the dialer."""
        rows = self._db.execute(
            "SELECT position, member_pk, phone FROM contact"
            " WHERE campaign_pk = ? AND state = 'new' AND position > ? ORDER BY position LIMIT ?",
            (run.pk, run.cursor, limit),
        )
        return [Contact(*row) for row in rows]

    def due_contacts(
        self, run: Run, after: tuple[int, int], limit: int
    ) -> list[tuple[int, int, Contact]]:
        """Waiting retries beyond `after` (due, position): when due, dials so far, whom."""
        rows = self._db.execute(
            "SELECT due_at, attempts, position, member_pk, phone FROM contact"
            " WHERE campaign_pk = ? AND due_at IS NOT NULL AND (due_at, position) > (?, ?)"
            " ORDER BY due_at, position LIMIT ?",
            (run.pk, *after, limit),
        )
        return [(due_at, attempts, Contact(*rest)) for due_at, attempts, *rest in rows]

    def freeze_contacts(self, run: Run) -> int:
        """Copy the audience's members into a campaign that started by itself (S17)."""
        return freeze_contacts(self._db, run.pk, run.audience_pk)

    def postpone_retries(self, run: Run, *, earliest: int, latest: int) -> None:
        """Move waiting retries into a span of time: during a pause, theirs may have passed."""
        self._db.execute(
            "UPDATE contact SET due_at = max(?, min(due_at, ?))"
            " WHERE campaign_pk = ? AND due_at IS NOT NULL",
            (earliest, latest, run.pk),
        )

    def caller_ids(self, run: Run) -> list[str]:
        """The active numbers a campaign may dial from: its own, else its agent's (D6, S23)."""
        chosen = json.loads(run.phone_pks)
        condition = "agent_pk = ?" if not chosen else f"pk IN ({', '.join('?' * len(chosen))})"
        rows = self._db.execute(
            f"SELECT pk, number FROM phone_number WHERE active AND {condition}",  # noqa: S608 - our own names
            chosen or (run.agent_pk,),
        )
        numbers: dict[int, str] = dict(rows.fetchall())
        return [numbers[pk] for pk in chosen or sorted(numbers) if pk in numbers]

    def agent_archived(self, run: Run) -> bool:
        """Whether the campaign's agent was archived since the campaign was created."""
        row = self._db.execute("SELECT archived_at FROM agent WHERE pk = ?", (run.agent_pk,))
        return row.fetchone()[0] is not None

    def do_not_call(self, run: Run) -> frozenset[str]:
        """Digits that the campaign must not dial: organization-wide entries and its agent's."""
        rows = self._db.execute(
            "SELECT ltrim(number, '+') FROM dnc_entry"
            " WHERE org_pk = ? AND (agent_pk IS NULL OR agent_pk = ?)",
            (run.org_pk, run.agent_pk),
        )
        return frozenset(row[0] for row in rows)


def freeze_contacts(db: sqlite3.Connection, campaign: int, audience: int) -> int:
    """Copy an audience's members into a campaign at its first start; returns how many (S17)."""
    return db.execute(
        "INSERT INTO contact"
        " SELECT ?, row_number() OVER (ORDER BY pk), pk, '+' || digits, 'new', 0, NULL"
        " FROM member WHERE audience_pk = ? AND deleted_at IS NULL",
        (campaign, audience),
    ).rowcount
