"""What replicas show each other through Redis: what was seen last, and what has changed."""

from contextlib import aclosing

from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key
from atoms_campaigns_mcp.state.store import Subscriber

_END_TURN = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
_NEWS = key("news", "")


class RedisSharedState:
    """See `store.SharedState`. Nothing here waits long for Redis: all can be done without."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def take_turn(self, subject: str, owner: str, seconds: float) -> bool:
        """See `SharedState.take_turn`."""
        command = ("SET", key("turn", subject), owner, "NX", "PX", round(1000 * seconds))
        return await self._link.do(*command, needed=False) is not None

    async def end_turn(self, subject: str, owner: str) -> None:
        """See `SharedState.end_turn`."""
        await self._link.do("EVAL", _END_TURN, 1, key("turn", subject), owner, needed=False)

    async def keep_snapshot(self, subject: str, snapshot: bytes, seconds: float) -> None:
        """See `SharedState.keep_snapshot`."""
        name, milliseconds = key("sight", subject), round(1000 * seconds)
        await self._link.do("SET", name, snapshot, "PX", milliseconds, needed=False)

    async def snapshot(self, subject: str) -> bytes | None:
        """See `SharedState.snapshot`."""
        return await self._link.do("GET", key("sight", subject), needed=False)

    async def publish(self, tenant: str, news: str) -> None:
        """See `SharedState.publish`."""
        await self._link.do("PUBLISH", _NEWS + tenant, news, needed=False)

    async def subscribe(self, subscriber: Subscriber) -> None:
        """See `SharedState.subscribe`."""
        async with aclosing(self._link.messages(f"{_NEWS}*")) as messages:
            async for channel, news in messages:
                await subscriber(channel.removeprefix(_NEWS), news)
