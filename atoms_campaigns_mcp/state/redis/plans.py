"""Plans in Redis."""

import json
from dataclasses import astuple

from atoms_campaigns_mcp.state.redis.connection import DAY, RedisConnection, key
from atoms_campaigns_mcp.state.store import PlanRecord

_PLAN = ("plan_id", "tenant", "tool", "digest", "expires_at", "audience_id", "shown")
_USE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'used', 1)
"""


class RedisPlans:
    """See `store.PlanStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def keep(self, record: PlanRecord) -> None:
        """See `PlanStore.keep`."""
        *facts, shown = astuple(record)
        texts = (*map(str, facts), json.dumps(shown))
        fields = [part for pair in zip(_PLAN, texts, strict=True) for part in pair]
        name = key("plan", record.plan_id)
        await self._link.together(("HSET", name, *fields), ("EXPIRE", name, DAY))

    async def get(self, plan_id: str) -> PlanRecord | None:
        """See `PlanStore.get`."""
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

    async def use(self, plan_id: str) -> bool:
        """See `PlanStore.use`."""
        return bool(await self._link.do("EVAL", _USE, 1, key("plan", plan_id)))
