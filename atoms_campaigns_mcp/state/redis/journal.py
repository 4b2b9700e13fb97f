"""The journal in Redis: a stream of intents, and a list of outcomes for each; both only grow.

| key | what |
|---|---|
| `journal` | stream; the entry with number n has the id n-0 |
| `last` | number of the last entry |
| `outcomes:N` | list of the outcomes of entry N, the last one counts |
| `open` | set of numbers without an outcome that no start has reported |
| `unresolved:KEY` | set of numbers of creations whose outcome is unknown |
| `begun:ACCOUNT` | set of numbers of what was to make campaigns dial, and was not seen to |
"""

import json
from typing import Any, cast

from redis.exceptions import RedisError, ResponseError

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.journal import (
    EVERY,
    IN_DOUBT,
    NEVER,
    NOTHING,
    UNDER_WAY,
    Created,
    Entry,
    Intent,
    Wanted,
)
from atoms_campaigns_mcp.state.redis.connection import WAIT, RedisConnection, key
from atoms_campaigns_mcp.state.store import storable
from atoms_campaigns_mcp.telemetry import log

JOURNAL, LAST, OPEN = key("journal"), key("last"), key("open")
AT_ONCE = 500  # entries that are read together
ON_DISK = round(1000 * WAIT * 0.75)  # milliseconds for the disk, of those that a record may take
_TEXTS = ("tenant", "tool", "arguments", "confirmed", "digest", "key")
_LATER_TEXTS = ("account", "campaign_id", "mode")  # which earlier versions do not write
_BEGIN = """
local id = redis.call('INCR', KEYS[1])
redis.call('XADD', KEYS[2], id .. '-0', unpack(ARGV))
for place = 3, #KEYS do redis.call('SADD', KEYS[place], id) end
return id
"""


class RedisJournal:
    """See `store.JournalStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link
        self._waits = True

    async def begin(self, intent: Intent, at: float, *, lasting: bool = True) -> int:
        """See `JournalStore.begin`; it waits for Redis's disk, if Redis can say so."""
        keys = [LAST, JOURNAL, OPEN]
        if intent.key:
            keys.append(_unresolved(intent.key))
        if intent.dials:
            keys.append(_begun(intent.account))
        write = ("EVAL", _BEGIN, len(keys), *keys, *_fields(intent, at))
        if not (lasting and self._waits):
            return await self._link.do(*write)
        # The file is written in order, so what came before, as the spent plan, is safe with it.
        number, on_disk = await self._link.in_a_row(write, ("WAITAOF", 1, 0, ON_DISK), errors=True)
        with self._link.answering():
            _raise(number)
            self._judge(on_disk)
        return number

    def _judge(self, on_disk: Any) -> None:
        if isinstance(on_disk, ResponseError):
            # Redis before 7.2, or one that writes no file: nothing can be waited for.
            self._waits = False
            log.warning("Redis does not tell when a journal entry is on its disk: %s", on_disk)
            return
        _raise(on_disk)
        if not on_disk[0]:
            raise TimeoutError

    async def finish(
        self,
        entry_id: int,
        outcome: str,
        detail: str = "",
        request_id: str = "",
        created: Created = NOTHING,
    ) -> None:
        """See `JournalStore.finish`."""
        found = await self._read([entry_id])
        if not found:
            raise NotRecorded(
                "The journal's entry is not there any more.",
                next_step="The operator must find out why Redis has lost data.",
            )
        intent = found[0].intent
        texts = [outcome, storable(detail), storable(request_id)]
        told = [*texts, created.campaign_id, created.id]
        commands: list[tuple[str | bytes | float, ...]] = [
            ("RPUSH", _outcomes(entry_id), json.dumps(told)),
            ("SREM", OPEN, entry_id),
        ]
        if intent.key:
            change = "SADD" if outcome == "unknown" else "SREM"
            commands.append((change, _unresolved(intent.key), entry_id))
        if intent.dials and outcome in NEVER:
            commands.append(("SREM", _begun(intent.account), entry_id))
        await self._link.together(*commands)
        if outcome == "done" and (campaign := created.campaign_id or intent.campaign_id):
            await self.saw(intent.account, campaign, before=entry_id)

    async def begun(self, account: str, since: float) -> list[Entry]:
        """See `JournalStore.begun`."""
        found = await self._read(await self._link.do("SMEMBERS", _begun(account)))
        await self._drop(account, [entry for entry in found if entry.at < since])
        return [entry for entry in found if entry.at >= since and entry.outcome not in NEVER]

    async def saw(self, account: str, campaign_id: str, before: float = float("inf")) -> None:
        """See `JournalStore.saw`; only of what began `before` that entry."""
        found = await self._read(await self._link.do("SMEMBERS", _begun(account)))
        seen = [one for one in found if one.intent.campaign_id == campaign_id and one.id < before]
        await self._drop(account, seen)

    async def _drop(self, account: str, entries: list[Entry]) -> None:
        if entries:
            await self._link.do("SREM", _begun(account), *(entry.id for entry in entries))

    async def unresolved(self, key: str) -> list[Entry]:
        """See `JournalStore.unresolved`."""
        return await self._read(await self._link.do("SMEMBERS", _unresolved(key)))

    async def entries(self, limit: int, wanted: Wanted = EVERY) -> list[Entry]:
        """See `JournalStore.entries`."""
        found, end, count = list[Entry](), "+", limit if wanted == EVERY else max(limit, AT_ONCE)
        while len(found) < limit:
            rows = await self._link.do("XREVRANGE", JOURNAL, end, "-", "COUNT", count)
            read = await self._with_outcomes([rows])
            found += [entry for entry in read if wanted.takes(entry)]
            if len(read) < count:
                break
            end = f"({read[-1].id}-0"
        return found[:limit]

    async def prune(self, before: float) -> int:
        """See `JournalStore.prune`; it ends at the first entry that began later."""
        count, start = 0, "-"
        while True:
            rows = await self._link.do("XRANGE", JOURNAL, start, "+", "COUNT", AT_ONCE)
            read = await self._with_outcomes([rows])
            old = [entry for entry in read if entry.at < before]
            gone = [entry.id for entry in old if entry.outcome not in IN_DOUBT]
            if gone:
                ids, outcomes = [f"{number}-0" for number in gone], map(_outcomes, gone)
                await self._link.together(("XDEL", JOURNAL, *ids), ("DEL", *outcomes))
            count += len(gone)
            if len(old) < AT_ONCE:
                return count
            start = f"({old[-1].id}-0"

    async def unfinished(self, now: float) -> list[Entry]:
        """See `JournalStore.unfinished`."""
        left = await self._read(await self._link.do("SMEMBERS", OPEN))
        old = [entry for entry in left if abs(entry.at - now) >= UNDER_WAY]
        if not old:
            return []
        # Of servers that look at once, one takes each.
        taken = await self._link.together(*(("SREM", OPEN, entry.id) for entry in old))
        return [entry for entry, count in zip(old, taken, strict=True) if count]

    async def _read(self, numbers: Any) -> list[Entry]:
        ids = [f"{number}-0" for number in sorted(int(number) for number in numbers)]
        if not ids:
            return []
        rows = await self._link.in_a_row(*(("XRANGE", JOURNAL, each, each) for each in ids))
        return await self._with_outcomes(rows)

    async def _with_outcomes(self, replies: list[Any]) -> list[Entry]:
        rows = [row for reply in replies for row in reply]
        if not rows:
            return []
        numbers = [int(name.partition(b"-")[0]) for name, _ in rows]
        asked = (("LINDEX", _outcomes(number), -1) for number in numbers)
        outcomes = await self._link.in_a_row(*asked)
        return [
            _entry(number, fields, outcome)
            for number, (_, fields), outcome in zip(numbers, rows, outcomes, strict=True)
        ]


def _raise(answer: Any) -> None:
    if isinstance(answer, RedisError):
        raise answer


def _outcomes(number: int) -> str:
    return key("outcomes", str(number))


def _unresolved(creation: str) -> str:
    return key("unresolved", creation)


def _begun(account: str) -> str:
    return key("begun", account)


def _fields(intent: Intent, at: float) -> list[str]:
    named = (*_TEXTS, *_LATER_TEXTS)
    texts = [part for name in named for part in (name, storable(getattr(intent, name)))]
    fields = ["at", repr(at), *texts, "known", json.dumps(intent.known)]
    if intent.answered_after is not None:
        fields += ["answered_after", repr(intent.answered_after)]
    if intent.dials:
        fields += ["dials", "1"]
    return fields


def _entry(number: int, fields: Any, outcome: bytes | None) -> Entry:
    # Replicas of an earlier version write fewer fields, and those of a later one more.
    values = {name.decode(): value.decode() for name, value in dict(fields).items()}
    after = values.get("answered_after")
    # Earlier versions write neither the campaign nor what was created.
    told: list[str] = [*(json.loads(outcome) if outcome else []), "", "", "", "", ""]
    state, detail, request_id, campaign_id, created = told[:5]
    intent = Intent(
        **cast("Any", {name: values[name] for name in _TEXTS}),
        known=tuple(json.loads(values["known"])),
        answered_after=float(after) if after is not None else None,
        account=values.get("account", ""),
        campaign_id=campaign_id or values.get("campaign_id", ""),
        dials="dials" in values,
        mode=values.get("mode", ""),
    )
    return Entry(number, float(values["at"]), state, detail, request_id, intent, created)
