"""What replicas show each other through Redis: what was seen last, and what has changed."""

from contextlib import aclosing

from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key
from atoms_campaigns_mcp.state.store import Places, Subscriber

_END_TURN = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
# By owner: how many places, and until when by Redis's own time in milliseconds.
_HOLD_PLACES = """
local time, others = redis.call('TIME'), 0
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HGETALL', KEYS[1])
for at = 1, #held, 2 do
  local count, ends = string.match(held[at + 1], '(%d+) (%d+)')
  if held[at] ~= ARGV[1] then
    if tonumber(ends) > now then others = others + tonumber(count)
    else redis.call('HDEL', KEYS[1], held[at]) end
  end
end
local free = math.min(tonumber(ARGV[3]), tonumber(ARGV[4]) - others)
local granted = math.max(tonumber(ARGV[2]), free)
if granted == 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  local text = string.format('%d %d', granted, now + ARGV[5])
  redis.call('HSET', KEYS[1], ARGV[1], text)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return granted
"""
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

    async def hold_places(self, subject: str, places: Places, seconds: float) -> int:
        """See `SharedState.hold_places`."""
        counts = (places.needed, places.wanted, places.most, round(1000 * seconds))
        command = ("EVAL", _HOLD_PLACES, 1, key("places", subject), places.owner, *counts)
        return await self._link.do(*command, needed=False)

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
