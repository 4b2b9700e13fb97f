"""Caller IDs in Redis."""

import json

from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key


class RedisCallerIds:
    """See `store.CallerIdStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def keep(self, account: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """See `CallerIdStore.keep`."""
        await self._link.do("HSET", key("callers", account), campaign_id, json.dumps(phone_ids))

    async def get(self, account: str, campaign_id: str) -> tuple[str, ...] | None:
        """See `CallerIdStore.get`."""
        found = await self._link.do("HGET", key("callers", account), campaign_id)
        return tuple(json.loads(found)) if found else None
