"""Following something that only polling can see: all who follow one thing share one poll."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import anyio

from atoms_campaigns_mcp.caching.replica_polls import Form, PollBoard, ReplicaPolls, Seen
from atoms_campaigns_mcp.errors import AtomsCampaignsError

T = TypeVar("T")
FASTEST = 1.0  # seconds between polls while things change
SLOWEST = 5.0  # seconds between polls when nothing has changed for a while
SLOWING = 1.5
BEHIND = 0.3  # seconds by which a server that was shown something lets the other look first


class Poll(Generic[T]):
    """The shared poll of one thing; `fetch` looks once."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        replica_polls: ReplicaPolls[T] | None = None,
    ) -> None:
        """Look by `looks`, which other servers share, rather than by `fetch` alone."""
        self._fetch = fetch
        self._shared = replica_polls
        self._monotonic = monotonic
        self._sleep = sleep
        self._turn = anyio.Lock()
        self._latest: T | None = None
        self._looked_at = 0.0
        self._looks = 0
        self._failure: AtomsCampaignsError | None = None
        self._interval = FASTEST
        self._due = 0.0
        self.followers = 0

    async def current(self) -> T:
        """Return what is seen now, or was within the last second; waiters share a failure."""
        replica_polls = self._looks
        async with self._turn:
            if self._failure and self._looks > replica_polls:
                raise self._failure
            if self._latest is None or self._monotonic() - self._looked_at >= FASTEST:
                return await self._look(FASTEST)
            return self._latest

    async def after(self, seen: T) -> T:
        """Return what is seen after `seen`; one follower waits and looks, the others get the same.

        If the one that looks is cancelled, the next in the queue takes over.
        """
        async with self._turn:
            if self._latest is None or self._latest is seen:
                await self._sleep(max(self._due - self._monotonic(), 0.0))
                return await self._look(float("inf"))
            return self._latest

    async def _look(self, oldest: float) -> T:
        try:
            seen, self._failure = await self._see(oldest), None
        except AtomsCampaignsError as error:
            self._failure = error
            self._due = self._monotonic() + self._interval
            raise
        finally:
            self._looks += 1
        same = seen.value == self._latest
        self._interval = min(self._interval * SLOWING, SLOWEST) if same else FASTEST
        self._latest, self._looked_at = seen.value, self._monotonic() - seen.age
        self._due = self._looked_at + self._interval + (0.0 if seen.own else BEHIND)
        return seen.value

    async def _see(self, oldest: float) -> Seen[T]:
        if self._shared is not None:
            return await self._shared.look(oldest)
        return Seen(await self._fetch())


class SharedPolls(Generic[T]):
    """The polls under way, by key."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        board: PollBoard | None = None,
    ) -> None:
        """Share looks with the servers of a `board`."""
        self._monotonic = monotonic
        self._sleep = sleep
        self._board = board
        self._polls: dict[str, Poll[T]] = {}

    @asynccontextmanager
    async def following(
        self, key: str, fetch: Callable[[], Awaitable[T]], form: Form[T] | None = None
    ) -> AsyncGenerator[Poll[T]]:
        """Join the poll of `key`, or begin it; it ends with its last follower.

        What has a `form` is looked at once for all servers of the board.
        """
        poll = self._polls.get(key) or self._begun(key, fetch, form)
        self._polls[key] = poll
        poll.followers += 1
        try:
            yield poll
        finally:
            poll.followers -= 1
            if not poll.followers:
                del self._polls[key]

    def _begun(self, key: str, fetch: Callable[[], Awaitable[T]], form: Form[T] | None) -> Poll[T]:
        shared = ReplicaPolls(key, self._board, form, fetch) if self._board and form else None
        return Poll(fetch, self._monotonic, self._sleep, shared)
