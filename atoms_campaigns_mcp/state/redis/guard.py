"""What a guard keeps, in Redis."""

from collections.abc import Sequence
from typing import cast

from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key
from atoms_campaigns_mcp.state.store import storable


class RedisGuard:
    """See `store.GuardStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def keep(self, account: str, subject: str, text: str) -> None:
        """See `GuardStore.keep`."""
        await self.keep_each(account, [subject], text)

    async def keep_each(self, account: str, subjects: Sequence[str], text: str) -> None:
        """See `GuardStore.keep_each`."""
        if subjects:
            pairs = [part for subject in subjects for part in (subject, storable(text))]
            await self._link.do("HSET", key("guard", account), *pairs)

    async def drop(self, account: str, subject: str) -> None:
        """See `GuardStore.drop`."""
        await self._link.do("HDEL", key("guard", account), subject)

    async def kept(self, account: str) -> dict[str, str]:
        """See `GuardStore.kept`."""
        found = await self._link.do("HGETALL", key("guard", account))
        pairs = cast("dict[bytes, bytes]", found)
        return {name.decode(): text.decode() for name, text in pairs.items()}
