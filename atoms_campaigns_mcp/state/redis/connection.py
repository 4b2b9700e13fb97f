"""The connection to Redis: bounded waits, no repetition, and one error for all that goes wrong."""

import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import anyio
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.errors import NotRecorded

# One hash tag puts all keys into one slot, so that a transaction may touch several of them. A
# later layout gets another number: versions that run side by side never read each other's keys.
PREFIX = "{atoms-campaigns-mcp:1}"
WAIT = 2.0  # seconds that a record may take
SHORT = 0.5  # seconds for what can be done without, as pacing
AWAY = 1.0  # seconds after a failure in which nothing waits for what can be done without
CONNECTIONS = 32
DAY = 24 * 3600  # seconds that a plan or an abandoned lock is kept
Command = tuple[str | bytes | float, ...]


def key(*parts: str) -> str:
    """Name a key."""
    return ":".join((PREFIX, *parts))


_READS = frozenset({"GET", "HGET", "HGETALL", "HMGET", "LRANGE", "SMEMBERS", "XRANGE", "XREVRANGE"})


class RedisConnection:
    """Connections to one Redis; a lost one is replaced by the next command."""

    def __init__(
        self, address: RedisAddress, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Connect when first used; `monotonic` gives seconds."""
        pool = cast("Any", BlockingConnectionPool).from_url(
            address.url,
            max_connections=CONNECTIONS,
            timeout=WAIT,
            socket_timeout=WAIT,
            socket_connect_timeout=WAIT,
            protocol=2,
            # A command that was sent and not answered may have been carried out.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._monotonic = monotonic
        self._failed_at = float("-inf")

    @contextmanager
    def answering(self, *, needed: bool = True, reads: bool = False) -> Generator[None]:
        """Bound what is inside; what is not `needed` is given up sooner.

        Raises:
            NotRecorded: Redis is away, too slow, full, or refuses.
        """
        if not needed and self._monotonic() - self._failed_at < AWAY:
            raise _trouble("it was away a moment ago", reads=reads)
        try:
            with anyio.fail_after(WAIT if needed else SHORT):
                yield
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._failed_at = self._monotonic()
            raise _trouble(type(error).__name__, reads=reads) from error

    async def do(self, *command: str | bytes | float, needed: bool = True) -> Any:
        """Carry out one command, within `answering`."""
        with self.answering(needed=needed, reads=command[0] in _READS):
            return await cast("Any", self._redis).execute_command(*command)

    async def together(self, *commands: Command) -> list[Any]:
        """Carry out all of them, or none, with nobody else's in between."""
        with self.answering():
            return await self._pipe(commands, transaction=True).execute()

    async def in_a_row(self, *commands: Command, errors: bool = False) -> list[Any]:
        """Carry them out one after the other, on one connection; `errors` come as answers."""
        # Unlike a transaction, this reads when memory is full.
        reads = all(command[0] in _READS for command in commands)
        with self.answering(reads=reads):
            return await self._pipe(commands, transaction=False).execute(not errors)

    def _pipe(self, commands: tuple[Command, ...], *, transaction: bool) -> Pipeline:
        pipe = self._redis.pipeline(transaction=transaction)
        for command in commands:
            cast("Any", pipe).execute_command(*command)
        return pipe

    async def messages(self, pattern: str) -> AsyncGenerator[tuple[str, str]]:
        """Return channel and text of what is published from now on, while Redis is there."""
        subscription = cast("Any", self._redis).pubsub(ignore_subscribe_messages=True)
        try:
            with self.answering():
                await subscription.psubscribe(pattern)
            while True:
                message = await _next(subscription)
                if message is not None:
                    yield message["channel"].decode(), message["data"].decode()
        finally:
            with anyio.move_on_after(SHORT, shield=True):
                await subscription.aclose()

    async def facts(self) -> dict[str, str]:
        """Return its version, and what it tells of how it keeps data; some tell nothing."""
        told = await self.do("INFO", "server")  # the client makes a mapping of it
        found = {"redis_version": str(told["redis_version"])}
        for setting in ("appendonly", "appendfsync", "maxmemory-policy"):
            (answer,) = await self.in_a_row(("CONFIG", "GET", setting), errors=True)
            if isinstance(answer, list) and len(pair := cast("list[bytes]", answer)) == len("ab"):
                found[setting] = pair[1].decode()
        return found

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()


async def _next(subscription: Any) -> Any:
    try:
        return await subscription.get_message(timeout=None)
    except (RedisError, OSError) as error:
        raise _trouble(type(error).__name__, reads=True) from error


def _trouble(what: str, *, reads: bool) -> NotRecorded:
    done = "read" if reads else "written"
    return NotRecorded(
        f"The shared state (Redis) could not be {done} ({what}).",
        next_step="The operator must look at the Redis of ATOMS_MCP_STATE; once it answers, it is "
        "used again without a restart.",
    )
