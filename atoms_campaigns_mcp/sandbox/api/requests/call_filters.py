"""Filters and orders of the two call logs, from query parameters to SQL."""

from dataclasses import dataclass, field
from typing import Self

from atoms_campaigns_mcp.sandbox.api.requests.validation import QueryFields
from atoms_campaigns_mcp.sandbox.api.views.conversations import SCRIPTS
from atoms_campaigns_mcp.sandbox.engine.times import MINUTE, SECOND

TALK = (
    "CASE WHEN call.next_at IS NULL AND call.answered_at IS NOT NULL"
    " THEN call.ended_at - call.answered_at ELSE 0 END"
)
LATENCY = (
    "CASE call.script "
    + " ".join(f"WHEN {number} THEN {script.latency}" for number, script in enumerate(SCRIPTS))
    + " END"
)
ORDERS = {
    "createdAt": "call.created_at",
    "updatedAt": "call.updated_at",
    "callDuration": TALK,
    "avgLatency": LATENCY,
}
ATTEMPTS = {"initial": "call.attempt = 0", "retry": "call.attempt > 0", "all": "TRUE"}
DURATIONS = {
    "0-30": f"{TALK} < {30 * SECOND}",
    "30-60": f"{TALK} >= {30 * SECOND} AND {TALK} < {MINUTE}",
    "1-5": f"{TALK} >= {MINUTE} AND {TALK} < {5 * MINUTE}",
    "5+": f"{TALK} >= {5 * MINUTE}",
}
OURS = "'telephony_outbound'"  # the only type of call there is here


@dataclass(slots=True)
class _Conditions:
    """Conditions that all hold, with the values of their placeholders."""

    parts: list[str] = field(default_factory=list[str])
    values: list[object] = field(default_factory=list[object])

    def add(self, condition: str, *values: object) -> None:
        self.parts.append(f"({condition})")
        self.values.extend(values)

    def any_of(self, column: str, words: list[str]) -> None:
        if words:
            self.add(f"{column} IN ({', '.join('?' * len(words))})", *words)

    def sql(self) -> tuple[str, list[object]]:
        return " AND ".join(self.parts), self.values


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which calls `GET /conversation` shows, and in which order."""

    words: dict[str, list[str]]
    search: str
    created: tuple[int | None, int | None]
    order: str

    @classmethod
    def read(cls, fields: QueryFields) -> Self:
        """The filter of a query; unknown words match nothing, unknown ranges are problems."""
        words = {name: fields.words(name) for name in (*COLUMNS, "versionFilter")}
        words["callAttemptFilter"] = fields.choices("callAttemptFilter", ATTEMPTS) or ["initial"]
        words["durationFilter"] = fields.choices("durationFilter", DURATIONS)
        column = fields.choice("sortBy", tuple(ORDERS), default="updatedAt")
        direction = fields.choice("sortOrder", ("asc", "desc"), default="desc")
        return cls(
            words=words,
            search=fields.text("search"),
            created=(fields.time("dateFrom"), fields.time("dateTo")),
            order=f"{ORDERS[column]} {direction}, call.pk {direction}",
        )

    def sql(self, organization: int) -> tuple[str, list[object]]:
        """The condition and its values."""
        conditions = _Conditions()
        conditions.add("call.org_pk = ?", organization)
        for name, column in COLUMNS.items():
            conditions.any_of(column, self.words[name])
        if self.words["versionFilter"]:
            conditions.add("FALSE")  # the sandbox has no versions of agents
        for name, ranges in (("callAttemptFilter", ATTEMPTS), ("durationFilter", DURATIONS)):
            if self.words[name]:
                conditions.add(" OR ".join(ranges[word] for word in self.words[name]))
        if self.search:
            either = " OR ".join(
                f"contains(call.{column}, ?)" for column in ("call_id", "from_number", "to_number")
            )
            conditions.add(either, *[self.search] * 3)
        _between(conditions, *self.created)
        return conditions.sql()


COLUMNS = {
    "agentIds": "agent.id",
    "campaignIds": "campaign.id",
    "callTypes": OURS,
    "statusFilter": "call.status",
    "disconnectReasonFilter": "call.next_at IS NULL AND call.reason",
}


def analytics_filter(fields: QueryFields, organization: int) -> tuple[str, list[object]]:
    """The condition of `GET /analytics/call-counts-log` and its values."""
    conditions = _Conditions()
    conditions.add("call.org_pk = ?", organization)
    columns = {
        "agentId": "agent.id",
        "campaignId": "campaign.id",
        "callType": OURS,
        "callStatus": "call.status",
    }
    for name, column in columns.items():
        conditions.any_of(column, [text] if (text := fields.text(name)) else [])
    _between(conditions, fields.time("dateFrom"), fields.time("dateTo"))
    return conditions.sql()


def _between(conditions: _Conditions, first: int | None, last: int | None) -> None:
    if first is not None:
        conditions.add("call.created_at >= ?", first)
    if last is not None:
        conditions.add("call.created_at <= ?", last)
