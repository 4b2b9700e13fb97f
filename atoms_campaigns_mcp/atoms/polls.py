"""Following something that only polling can see: all who follow one thing share one poll."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError

T = TypeVar("T")
FASTEST = 1.0  # seconds between polls while things change
SLOWEST = 5.0  # seconds between polls when nothing has changed for a while
SLOWING = 1.5


class Poll(Generic[T]):
    """The shared poll of one thing; `fetch` looks once."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._sleep = sleep
        self._turn = anyio.Lock()
        self._latest: T | None = None
        self._looked_at = 0.0
        self._looks = 0
        self._failure: AtomsCampaignsError | None = None
        self._interval = FASTEST
        self.followers = 0

    async def current(self) -> T:
        """Give what is seen now, or was within the last second; those who wait share a failure."""
        looks = self._looks
        async with self._turn:
            if self._failure and self._looks > looks:
                raise self._failure
            if self._latest is None or self._monotonic() - self._looked_at >= FASTEST:
                return await self._look()
            return self._latest

    async def after(self, seen: T) -> T:
        """Give what is seen after `seen`; one follower waits and looks, the others get the same.

        If the one that looks is cancelled, the next in the queue takes over.
        """
        async with self._turn:
            if self._latest is None or self._latest is seen:
                await self._sleep(self._interval)
                return await self._look()
            return self._latest

    async def _look(self) -> T:
        try:
            latest, self._failure = await self._fetch(), None
        except AtomsCampaignsError as error:
            self._failure = error
            raise
        finally:
            self._looks += 1
        same = latest == self._latest
        self._interval = min(self._interval * SLOWING, SLOWEST) if same else FASTEST
        self._latest, self._looked_at = latest, self._monotonic()
        return latest


class Polls(Generic[T]):
    """The polls under way, by key."""

    def __init__(
        self, monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._polls: dict[str, Poll[T]] = {}

    @asynccontextmanager
    async def following(
        self, key: str, fetch: Callable[[], Awaitable[T]]
    ) -> AsyncGenerator[Poll[T]]:
        """Join the poll of `key`, or begin it; it ends with its last follower."""
        poll = self._polls.get(key) or Poll(fetch, self._monotonic, self._sleep)
        self._polls[key] = poll
        poll.followers += 1
        try:
            yield poll
        finally:
            poll.followers -= 1
            if not poll.followers:
                del self._polls[key]
