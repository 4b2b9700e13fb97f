"""Locks in Redis.

Their keys keep the name `claim` of 0.1.0: replicas of both versions must keep each other out.
"""

from atoms_campaigns_mcp.state.redis.connection import DAY, RedisConnection, key
from atoms_campaigns_mcp.state.store import LONGEST_LOCK

_ACQUIRE = """
local held, now = tonumber(redis.call('HGET', KEYS[1], 'until') or 0), tonumber(ARGV[2])
if held >= now and held <= now + tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
_EXTEND = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class RedisLocks:
    """See `store.LockStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def acquire(self, key: str, owner: str, now: float, until: float) -> bool:
        """See `LockStore.acquire`."""
        values = (owner, repr(now), repr(until), DAY, LONGEST_LOCK)
        return bool(await self._link.do("EVAL", _ACQUIRE, 1, _name(key), *values))

    async def extend(self, key: str, owner: str, until: float) -> bool:
        """See `LockStore.extend`."""
        return bool(await self._link.do("EVAL", _EXTEND, 1, _name(key), owner, repr(until)))

    async def release(self, key: str, owner: str) -> None:
        """See `LockStore.release`."""
        await self._link.do("EVAL", _RELEASE, 1, _name(key), owner)


def _name(subject: str) -> str:
    return key("claim", subject)
