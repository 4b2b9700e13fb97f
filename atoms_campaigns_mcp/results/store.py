"""Results of campaigns, each in a temporary database: streamed in, counted, and read in pages."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import anyio
import ijson
import stamina
from pydantic import ValidationError

from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.contacts.zone_names import zones_in
from atoms_campaigns_mcp.errors import Garbled, Unavailable, UnexpectedResponse
from atoms_campaigns_mcp.results import endings
from atoms_campaigns_mcp.results.temporary import TemporaryDatabase
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.schemas.results import Exported
from atoms_campaigns_mcp.workers import Worker

T = TypeVar("T")
BATCH = 500  # contacts stored at once
FED = 65_536  # bytes parsed at once
KEPT = 8  # campaigns whose results stay at hand
# Attempts that rang nobody, or not yet: as in contacts_called, they count in no rate.
UNDIALLED = (LIVE - {"active"}) | {"blocked", "cancelled"}
SCHEMA = Path(__file__).with_name("results.sql")

# Fixed texts, so that no name from outside becomes SQL.
GROUPS = {
    "attempt": "number + 1",
    "caller_id": "caller",
    "country": "country",
    "local_hour": "hour",
}
_LIVE = ", ".join(f"'{status}'" for status in sorted(LIVE))
NOT_REACHED = (
    "attempts > 0 AND NOT reached AND final_status <> 'completed' "
    f"AND final_status NOT IN ('blocked', {_LIVE})"
)
"""Who was called and not reached, as a condition on `contact`: also with a status never seen."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One contact as it is stored."""

    phone: str
    data: dict[str, Any]
    attempts: int
    final_status: str
    seconds: float
    cost: float
    cause: str = ""
    found: str = "{}"


class Results:
    """The results of one campaign at one moment; they go with their last user."""

    def __init__(self, db: TemporaryDatabase) -> None:
        # The cache only lets go of it: another call may still be reading.
        self._do, self.close = db, db.close
        self.endings = endings.Endings(db)
        self.completing = anyio.Lock()
        self.whole: bool | None = None  # whether the ends of all calls are known

    async def outcomes(self) -> dict[str, int]:
        """Count contacts by final status, the most frequent first."""
        sql = "SELECT final_status, count(*) FROM contact GROUP BY 1 ORDER BY 2 DESC, 1"
        return await self._do(lambda db: dict(db.execute(sql).fetchall()))

    async def totals(self) -> tuple[int, int, float, float]:
        """Return contacts, contacts dialled, seconds talked and cost."""
        sql = (
            "SELECT count(*), (SELECT count(DISTINCT position) FROM attempt), "
            "coalesce(sum(seconds), 0), coalesce(sum(cost), 0) FROM contact"
        )
        return await self._do(lambda db: db.execute(sql).fetchone())

    async def rates(self, by: str) -> list[str]:
        """Report how many calls connected, by attempt, caller_id, country or local_hour."""
        column = GROUPS[by]
        sql = (
            f"SELECT {column}, count(*), sum(connected) FROM attempt "  # noqa: S608 - see GROUPS
            f"WHERE {column} IS NOT NULL AND {column} <> '' GROUP BY 1 ORDER BY 1"
        )
        rows = await self._do(lambda db: db.execute(sql).fetchall())
        return [
            f"{word(str(group))}: {connected} of {calls} ({100 * connected / calls:.1f}%)"
            for group, calls, connected in rows
        ]

    async def page(self, outcome: str | None, page: int, limit: int) -> tuple[list[Stored], int]:
        """Return a page of contacts in the order of the audience, and how many there are."""
        where, values = _where([outcome] if outcome else [])

        def read(db: sqlite3.Connection) -> tuple[list[Stored], int]:
            (total,) = db.execute(f"SELECT count(*) FROM contact {where}", values).fetchone()  # noqa: S608
            rows = db.execute(
                f"{_CONTACT} {where} ORDER BY position LIMIT ? OFFSET ?",
                [*values, limit, (page - 1) * limit],
            )
            return [_stored(row) for row in rows], total

        return await self._do(read)

    async def contacts(self, outcomes: Sequence[str] = ()) -> list[Stored]:
        """Return every contact with one of these outcomes; without any, all."""
        where, values = _where(outcomes)
        sql = f"{_CONTACT} {where} ORDER BY position"
        return await self._do(lambda db: [_stored(row) for row in db.execute(sql, values)])

    async def columns(self, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the columns of the contacts with these numbers, by their digits."""
        wanted = sorted({number.lstrip("+") for number in numbers})
        sql = (
            "SELECT ltrim(phone, '+'), data FROM contact "  # noqa: S608 - only question marks
            f"WHERE ltrim(phone, '+') IN ({', '.join('?' * len(wanted))})"
        )
        rows = await self._do(lambda db: db.execute(sql, wanted).fetchall())
        return {number: json.loads(data) for number, data in rows}

    async def not_reached(self) -> dict[str, int]:
        """Count those called and not reached by the cause of their last call."""
        return await self.endings.last_causes(NOT_REACHED)

    async def over(self, max_retries: int) -> frozenset[str]:
        """Return the numbers that are not called again: reached, or out of retries."""
        sql = (
            "SELECT phone FROM contact JOIN attempt USING (position) "
            "GROUP BY position HAVING reached OR count(*) > ?"
        )
        return await self._do(
            lambda db: frozenset(phone for (phone,) in db.execute(sql, (max_retries,)))
        )

    async def finished(self) -> int:
        """Count contacts with a call whose last one is over; a retry of them may be due."""
        sql = (
            "SELECT count(*) FROM contact WHERE attempts > 0 "  # noqa: S608 - our own words
            f"AND final_status NOT IN ({_LIVE})"
        )
        (count,) = await self._do(lambda db: db.execute(sql).fetchone())
        return count

    async def retries_due(self, max_retries: int, retry_delay: int, now: datetime | None) -> int:
        """Count contacts whose next attempt is still to come.

        `retry_delay` is in minutes. With `now`, a retry that is overdue by more than its delay and
        five minutes is not awaited any more: of a campaign that is called over, the API does not
        say that it gave a contact up.
        """
        sql = (
            "SELECT count(*) FROM contact JOIN attempt ON attempt.position = contact.position "
            "AND attempt.number = contact.attempts - 1 "
            "WHERE contact.attempts BETWEEN 1 AND ? AND attempt.retried AND contact.reached = 0 "
            "AND attempt.ended_at > ?"
        )
        oldest = now.timestamp() - (2 * retry_delay + 5) * 60 if now else 0.0
        (count,) = await self._do(lambda db: db.execute(sql, (max_retries, oldest)).fetchone())
        return count


Export = Callable[[str], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Gives the results of a campaign as the API streams them."""

DEADLINE = 40.0  # seconds for an export, repetitions included; hosts give a tool call 60
# Repeated in the first half only, so that the last attempt has time for a large one.
_reading = stamina.AsyncRetryingCaller(attempts=3, timeout=DEADLINE / 2, wait_initial=0.5).on(
    (Garbled, Unavailable)
)


class ResultsCache:
    """Keeps the results of the campaigns asked about last, each in the version given."""

    def __init__(self, directory: Directory, work: Worker) -> None:
        self._directory = directory
        self._work = work
        self._kept: dict[str, tuple[str, Results]] = {}
        self._filling = anyio.Lock()

    async def get(
        self,
        campaign_id: str,
        version: str,
        export: Export,
    ) -> Results:
        """Return the results in that version, from `export` if they are not at hand.

        Raises:
            UnexpectedResponse: The export is not what the API documents.
            Unavailable: It was not there, or not whole, in time.
        """
        with anyio.move_on_after(DEADLINE):
            async with self._filling:
                return await self._get(campaign_id, version, export)
        raise Unavailable(
            "The Atoms API did not give all results in time.",
            next_step="Read them page by page with list_calls, or try again in a minute.",
        )

    async def _get(self, campaign_id: str, version: str, export: Export) -> Results:
        kept = self._kept.pop(campaign_id, None)
        if kept is None or kept[0] != version:
            kept = version, await _reading(self._read_export, campaign_id, export)
        self._kept[campaign_id] = kept  # the latest comes last
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        return kept[1]

    async def _read_export(self, campaign_id: str, export: Export) -> Results:
        async with export(campaign_id) as pieces:
            return await self._fill(pieces)

    async def _fill(self, pieces: AsyncIterator[bytes]) -> Results:
        db = TemporaryDatabase(self._work)
        await db(lambda empty: empty.executescript(SCHEMA.read_text("utf-8")))
        await self._read(pieces, db)
        return Results(db)

    async def _read(self, pieces: AsyncIterator[bytes], db: TemporaryDatabase) -> None:
        # Fed by hand: a call that is cancelled inside ijson's own reader leaves the pieces open.
        rows: list[Any] = ijson.sendable_list()
        parser = ijson.items_coro(rows, "data.item", use_float=True)
        try:
            async for piece in pieces:
                for start in range(0, len(piece), FED):
                    parser.send(piece[start : start + FED])
                    if len(rows) >= BATCH:
                        await self._store(db, rows)
            parser.close()
            await self._store(db, rows)
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise Garbled(
                "The Atoms API gave results that are cut off or no JSON.",
                next_step="Try again in a minute; if it stays so, use list_calls instead.",
            ) from error
        except ValidationError as error:
            raise UnexpectedResponse(
                "The Atoms API gave results in a shape that this server does not know.",
                next_step="Use list_calls instead, and report it to the operator.",
            ) from error

    async def _store(self, db: TemporaryDatabase, batch: list[Any]) -> None:
        rows, batch[:] = batch[:], []

        def write(db: sqlite3.Connection) -> None:
            contacts = [Exported.model_validate(row) for row in rows]
            (first,) = db.execute("SELECT count(*) FROM contact").fetchone()
            db.execute("BEGIN")
            db.executemany(
                "INSERT INTO contact VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_contact(first + n, contact) for n, contact in enumerate(contacts)],
            )
            db.executemany(
                "INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [r for n, contact in enumerate(contacts) for r in self._tries(first + n, contact)],
            )
            db.executemany(
                endings.INSERT,
                [r for n, contact in enumerate(contacts) for r in _endings(first + n, contact)],
            )
            db.execute("COMMIT")

        await db(write)

    def _tries(self, position: int, contact: Exported) -> Iterator[tuple[Any, ...]]:
        country = self._directory.country(contact.phone)
        zones = zones_in(contact.data) or self._directory.zones(contact.phone)
        for number, call in enumerate(contact.calls()):
            if call.status in UNDIALLED:
                continue
            started = _moment(call.created_at)
            yield (
                position,
                number,
                call.from_number,
                call.status == "completed",
                call.status in {"failed", "no_answer", "busy"},
                country,
                _hour(started, zones),
                started.timestamp() + call.duration if started else None,
            )

    def close(self) -> None:
        """Delete all results."""
        for _, results in self._kept.values():
            results.close()


_CONTACT = """
    SELECT phone, data, attempts, final_status, seconds, cost,
        CASE WHEN reached THEN '' ELSE coalesce((SELECT cause FROM ending
            WHERE ending.position = contact.position ORDER BY number DESC LIMIT 1), '') END,
        coalesce((SELECT found FROM ending WHERE connected
            AND ending.position = contact.position ORDER BY number DESC LIMIT 1), '{}')
    FROM contact
"""


def _where(outcomes: Sequence[str]) -> tuple[str, list[str]]:
    """Return the condition for contacts with one of these outcomes, and its values."""
    statuses = [outcome for outcome in outcomes if outcome != "not_reached"]
    either = [NOT_REACHED] if len(statuses) < len(outcomes) else []
    if statuses:
        either.append(f"final_status IN ({', '.join('?' * len(statuses))})")
    return (f"WHERE ({') OR ('.join(either)})" if either else "", statuses)


def _endings(position: int, contact: Exported) -> Iterator[tuple[Any, ...]]:
    for number, call in enumerate(contact.calls()):
        if call.status not in LIVE:
            yield endings.row_of(position, number, call)


def _stored(row: tuple[Any, ...]) -> Stored:
    return Stored(row[0], json.loads(row[1]), *row[2:])


def _contact(position: int, contact: Exported) -> tuple[Any, ...]:
    reached = any(call.status == "completed" for call in contact.calls())
    return (
        position,
        contact.phone,
        json.dumps(contact.data, ensure_ascii=False, default=str),
        len(contact.calls()),
        contact.final_status,
        contact.seconds,
        contact.cost,
        reached,
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _hour(moment: datetime | None, zones: Iterable[str]) -> int | None:
    """Return the hour of day where the contact is, if all its possible zones agree on it."""
    if moment is None:
        return None
    hours = {moment.astimezone(ZoneInfo(zone)).hour for zone in zones}
    return hours.pop() if len(hours) == 1 else None
