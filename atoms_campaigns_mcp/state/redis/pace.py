"""Due times of pacing in Redis, by the arithmetic of `rate_limit` and no other."""

from collections.abc import Callable

import anyio

from atoms_campaigns_mcp.rate_limit import BURST, LONGEST_HOLD, PATIENCE, Slot, booked, held
from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key

KEPT = round(1000 * (LONGEST_HOLD + PATIENCE + BURST))  # milliseconds; no due time lies beyond
_REPLACE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class RedisPace:
    """See `store.PaceStore`: shared by all replicas."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link
        # Tasks of one process would only make each other calculate again.
        self._turn = anyio.Lock()

    async def book(self, key: str, slot: Slot) -> float:
        """See `PaceStore.book`."""
        return await self._change(key, lambda due: booked(due, slot))

    async def hold(self, key: str, now: float, until: float) -> None:
        """See `PaceStore.hold`."""
        await self._change(key, lambda due: (held(due, now, until), 0.0))

    async def _change(self, paced: str, change: Callable[[float], tuple[float, float]]) -> float:
        name = key("pace", paced)
        async with self._turn:
            with self._link.answering(needed=False):
                while True:
                    stored: bytes | None = await self._link.do("GET", name)
                    due, delay = change(float(stored or 0))
                    replace = ("EVAL", _REPLACE, 1, name, stored or b"", repr(due), KEPT)
                    if await self._link.do(*replace):
                        return delay
