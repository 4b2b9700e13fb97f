"""Uploaded contact lists in Redis, which deletes them itself when they expire."""

from atoms_campaigns_mcp.state.redis.connection import RedisConnection, key
from atoms_campaigns_mcp.state.store import Upload

_KEEP = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[5])
return 1
"""


class RedisUploads:
    """See `store.UploadStore`."""

    def __init__(self, link: RedisConnection) -> None:
        self._link = link

    async def keep(self, upload: Upload, now: float, most: int) -> bool:
        """See `UploadStore.keep`."""
        lives = max(round(1000 * (upload.expires_at - now)), 1)
        names = (key("uploads", upload.tenant), _name(upload.tenant, upload.upload_id))
        values = (repr(now), most, repr(upload.expires_at), upload.upload_id, lives, upload.content)
        return bool(await self._link.do("EVAL", _KEEP, 2, *names, *values))

    async def get(self, tenant: str, upload_id: str, now: float) -> bytes | None:
        """See `UploadStore.get`."""
        expires_at, content = await self._link.in_a_row(
            ("ZSCORE", key("uploads", tenant), upload_id), ("GET", _name(tenant, upload_id))
        )
        return content if expires_at is not None and float(expires_at) >= now else None

    async def clear(self, now: float) -> None:
        """See `UploadStore.clear`; Redis does it by itself."""


def _name(tenant: str, upload_id: str) -> str:
    return key("upload", tenant, upload_id)
