"""How the calls of a campaign ended: causes, dispositions and summaries, counted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from atoms_campaigns_mcp.results.temporary import TemporaryDatabase
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.schemas.fields import hidden

T = TypeVar("T")
VALUE_MAX = 60  # characters of a disposition by which calls are counted

INSERT = "INSERT INTO ending VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Counted:
    """The most frequent texts with their counts, and how many different ones there are."""

    top: list[tuple[str, int]]
    kinds: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how many calls the API told what came of them.

    Attributes:
        connected: Calls that somebody answered.
        analysed: Those of them that have a disposition or a summary.
        unconnected: Calls that ended and reached nobody.
        explained: Those of them that say why.
        machines: Connected calls that ended at a voicemail.
    """

    connected: int
    analysed: int
    unconnected: int
    explained: int
    machines: int

    @property
    def lacking(self) -> bool:
        """Whether one of the two is told of no call at all, as if the field were not there."""
        return bool(
            (self.connected and not self.analysed) or (self.unconnected and not self.explained)
        )


class Endings:
    """The ended calls of one campaign at one moment, in the database of its results."""

    def __init__(self, db: TemporaryDatabase) -> None:
        """Read `db`, which holds a row for every ended call."""
        self._do = db

    async def causes(self) -> dict[str, int]:
        """Count calls that reached nobody by cause, the most frequent first."""
        sql = "SELECT cause, count(*) FROM ending WHERE NOT connected GROUP BY 1 ORDER BY 2 DESC, 1"
        return await self._do(lambda db: dict(db.execute(sql).fetchall()))

    async def last_causes(self, condition: str) -> dict[str, int]:
        """Count the contacts that meet a condition in SQL by the cause of their last call."""
        sql = (
            "SELECT cause, count(*) FROM contact JOIN ending USING (position) "  # noqa: S608 - ours
            f"WHERE {condition} AND number = (SELECT max(number) FROM ending AS later "
            "WHERE later.position = contact.position) GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return await self._do(lambda db: dict(db.execute(sql).fetchall()))

    async def dispositions(self, most: int) -> Counted:
        """Count connected calls by each value of each disposition."""
        sql = (
            "SELECT key || ': ' || value, count(*) FROM ending, json_each(found) "
            "WHERE connected GROUP BY 1 ORDER BY key, 2 DESC, 1"
        )
        return await self._top(sql, most)

    async def combinations(self, most: int) -> Counted:
        """Count connected calls by all their dispositions together."""
        sql = (
            "SELECT found, count(*) FROM ending WHERE connected AND found <> '{}' "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        counted = await self._top(sql, most)
        return Counted([(together(found), count) for found, count in counted.top], counted.kinds)

    async def summaries(self, most: int) -> Counted:
        """Count connected calls by their summary, word for word."""
        sql = (
            "SELECT summary, count(*) FROM ending WHERE connected AND summary <> '' "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return await self._top(sql, most)

    async def coverage(self) -> Coverage:
        """Count what the API told."""
        sql = (
            "SELECT coalesce(sum(connected), 0), coalesce(sum(connected AND told), 0), "
            "coalesce(sum(NOT connected), 0), coalesce(sum(NOT connected AND told), 0), "
            "coalesce(sum(connected AND cause <> ''), 0) FROM ending"
        )
        return Coverage(*await self._do(lambda db: db.execute(sql).fetchone()))

    async def add(self, calls: Sequence[Call]) -> None:
        """Take over what the list of calls tells of calls of which the export told nothing."""
        sql = (
            "UPDATE ending SET told = ?, cause = ?, found = ?, summary = ? "
            "WHERE call_id = ? AND NOT told"
        )
        rows = [(*_told(call), call.call_id) for call in calls if call.status not in LIVE]
        await self._do(lambda db: db.executemany(sql, rows))

    async def _top(self, sql: str, most: int) -> Counted:
        rows = await self._do(lambda db: db.execute(sql).fetchall())
        kept = sorted(rows, key=lambda row: -row[1])[:most]
        return Counted([row for row in rows if row in kept], len(rows))


def row_of(position: int, number: int, call: Call) -> tuple[Any, ...]:
    """Return the row of `INSERT` for an ended call."""
    return (position, number, call.call_id, call.status == "completed", *_told(call))


def together(found: str) -> str:
    """Write the dispositions of one call, a JSON object, as one text."""
    return ", ".join(f"{name}: {value}" for name, value in json.loads(found).items())


def _told(call: Call) -> tuple[bool, str, str, str]:
    # What people said may hold numbers: they are masked before anything is kept or cut.
    dispositions = {
        hidden(name, VALUE_MAX): hidden(value, VALUE_MAX)
        for name, value in call.dispositions().items()
    }
    summary = hidden(call.summary())
    if call.status == "completed":
        told = bool(dispositions or summary)
    else:
        told = call.cause() not in {"", "unknown"} and bool(call.failure or call.reason)
    found = json.dumps(dispositions, ensure_ascii=False, sort_keys=True)
    return told, call.cause(), found, summary
