"""The state that replicas share, in Redis or Valkey.

Times are the callers' own, so the clocks of all replicas must agree to a few seconds; how long a
key lives is Redis's time.
"""

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.state.redis.caller_ids import RedisCallerIds
from atoms_campaigns_mcp.state.redis.connection import RedisConnection
from atoms_campaigns_mcp.state.redis.guard import RedisGuard
from atoms_campaigns_mcp.state.redis.journal import RedisJournal
from atoms_campaigns_mcp.state.redis.locks import RedisLocks
from atoms_campaigns_mcp.state.redis.pace import RedisPace
from atoms_campaigns_mcp.state.redis.plans import RedisPlans
from atoms_campaigns_mcp.state.redis.shared import RedisSharedState
from atoms_campaigns_mcp.state.redis.uploads import RedisUploads


class RedisStore:
    """See `store.Store`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link
        self.plans = RedisPlans(link)
        self.locks = RedisLocks(link)
        self.journal = RedisJournal(link)
        self.uploads = RedisUploads(link)
        self.caller_ids = RedisCallerIds(link)
        self.guard = RedisGuard(link)
        self.pace = RedisPace(link)
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

    async def close(self) -> None:
        """See `Store.close`."""
        await self._link.close()
