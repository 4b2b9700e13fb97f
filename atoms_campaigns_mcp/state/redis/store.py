"""The state that replicas share, in Redis or Valkey.

Times are the callers' own, so the clocks of all replicas must agree to a few seconds; how long a
key lives is Redis's time.
"""

import json
from dataclasses import astuple

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key
from atoms_campaigns_mcp.state.redis.journal import RedisJournal
from atoms_campaigns_mcp.state.redis.pace import RedisPace
from atoms_campaigns_mcp.state.redis.shared import RedisSharedState
from atoms_campaigns_mcp.state.store import LONGEST_CLAIM, Entry, Intent, PlanRecord, Upload

DAY = 24 * 3600  # seconds that a plan or an abandoned claim is kept
_PLAN = ("plan_id", "tenant", "tool", "digest", "expires_at", "audience_id", "shown")

_USE_PLAN = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'used', 1)
"""
_CLAIM = """
local held, now = tonumber(redis.call('HGET', KEYS[1], 'until') or 0), tonumber(ARGV[2])
if held >= now and held <= now + tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
_KEEP_CLAIM = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end"
_KEEP_UPLOAD = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[5])
return 1
"""


class RedisStore:
    """See `store.Store`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link
        self._journal = RedisJournal(link)
        self._pace = RedisPace(link)
        self.shared_state = RedisSharedState(link)

    @classmethod
    def open(cls, address: RedisAddress) -> "RedisStore":
        """Prepare connections; whether Redis answers shows when it is first needed.

        Raises:
            ConfigurationError: The address cannot be used.
        """
        try:
            return cls(RedisConnection(address))
        except (TypeError, ValueError):
            raise ConfigurationError(
                "ATOMS_MCP_STATE is not an address that the Redis client understands.",
                next_step="It is written redis://host:port/0, or unix:///path of a socket.",
            ) from None

    async def keep_plan(self, record: PlanRecord) -> None:
        """See `Store.keep_plan`."""
        *facts, shown = astuple(record)
        texts = (*map(str, facts), json.dumps(shown))
        fields = [part for pair in zip(_PLAN, texts, strict=True) for part in pair]
        name = key("plan", record.plan_id)
        await self._link.together(("HSET", name, *fields), ("EXPIRE", name, DAY))

    async def plan(self, plan_id: str) -> PlanRecord | None:
        """See `Store.plan`."""
        row = await self._link.do("HMGET", key("plan", plan_id), *_PLAN)
        if row[0] is None:
            return None
        # Replicas of an earlier version do not say which audience, nor what was shown.
        *texts, expires_at, audience_id, shown = ((value or b"").decode() for value in row)
        return PlanRecord(
            *texts,
            expires_at=float(expires_at),
            audience_id=audience_id,
            shown=tuple(json.loads(shown or "[]")),
        )

    async def use_plan(self, plan_id: str) -> bool:
        """See `Store.use_plan`."""
        return bool(await self._link.do("EVAL", _USE_PLAN, 1, key("plan", plan_id)))

    async def claim(self, key: str, owner: str, now: float, until: float) -> bool:
        """See `Store.claim`."""
        values = (owner, repr(now), repr(until), DAY, LONGEST_CLAIM)
        return bool(await self._link.do("EVAL", _CLAIM, 1, _claim(key), *values))

    async def extend_lock(self, key: str, owner: str, until: float) -> bool:
        """See `Store.extend_lock`."""
        return bool(await self._link.do("EVAL", _KEEP_CLAIM, 1, _claim(key), owner, repr(until)))

    async def release(self, key: str, owner: str) -> None:
        """See `Store.release`."""
        await self._link.do("EVAL", _RELEASE, 1, _claim(key), owner)

    async def keep_callers(self, tenant: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """See `Store.keep_callers`."""
        await self._link.do("HSET", key("callers", tenant), campaign_id, json.dumps(phone_ids))

    async def callers(self, tenant: str, campaign_id: str) -> tuple[str, ...] | None:
        """See `Store.callers`."""
        found = await self._link.do("HGET", key("callers", tenant), campaign_id)
        return tuple(json.loads(found)) if found else None

    async def keep_upload(self, upload: Upload, now: float, most: int) -> bool:
        """See `Store.keep_upload`; Redis itself deletes the list when it expires."""
        lives = max(round(1000 * (upload.expires_at - now)), 1)
        names = (key("uploads", upload.tenant), _upload(upload.tenant, upload.upload_id))
        values = (repr(now), most, repr(upload.expires_at), upload.upload_id, lives, upload.content)
        return bool(await self._link.do("EVAL", _KEEP_UPLOAD, 2, *names, *values))

    async def upload(self, tenant: str, upload_id: str, now: float) -> bytes | None:
        """See `Store.upload`."""
        expires_at, content = await self._link.in_a_row(
            ("ZSCORE", key("uploads", tenant), upload_id), ("GET", _upload(tenant, upload_id))
        )
        return content if expires_at is not None and float(expires_at) >= now else None

    async def clear_uploads(self, now: float) -> None:
        """See `Store.clear_uploads`; Redis does it by itself."""

    async def begin(self, intent: Intent, at: float) -> int:
        """See `Store.begin`."""
        return await self._journal.begin(intent, at)

    async def finish(
        self,
        entry_id: int,
        outcome: str,
        detail: str = "",
        request_id: str = "",
        campaign_id: str = "",
    ) -> None:
        """See `Store.finish`."""
        await self._journal.finish(entry_id, outcome, detail, request_id, campaign_id)

    async def unresolved(self, key: str) -> list[Entry]:
        """See `Store.unresolved`."""
        return await self._journal.unresolved(key)

    async def begun(self, account: str, since: float) -> list[Entry]:
        """See `Store.begun`."""
        return await self._journal.begun(account, since)

    async def saw(self, account: str, campaign_id: str) -> None:
        """See `Store.saw`."""
        await self._journal.saw(account, campaign_id)

    async def entries(self, limit: int) -> list[Entry]:
        """See `Store.entries`."""
        return await self._journal.entries(limit)

    async def unfinished(self, now: float) -> list[Entry]:
        """See `Store.unfinished`."""
        return await self._journal.unfinished(now)

    async def pace(self, key: str, slot: Slot) -> float:
        """See `Store.pace`."""
        return await self._pace.book(key, slot)

    async def hold(self, key: str, now: float, until: float) -> None:
        """See `Store.hold`."""
        await self._pace.hold(key, now, until)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._link.close()


def _claim(subject: str) -> str:
    return key("claim", subject)


def _upload(tenant: str, upload_id: str) -> str:
    return key("upload", tenant, upload_id)
