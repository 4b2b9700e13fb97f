"""Threads for work that keeps a processor busy: few in all, and one account has one of them."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.to_thread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
# Threads of Python take turns. With more of them each job takes longer, and so does the event loop,
# on which stops of campaigns leave.
MOST = 2


class Worker:
    """The place of one account: its jobs run one after the other."""

    def __init__(self, threads: anyio.CapacityLimiter) -> None:
        """Run in one of the `threads` that all accounts share."""
        self._threads = threads
        self._turn = anyio.Lock()

    async def __call__(self, job: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run `job` in a thread when it is this account's turn; it must not run another."""
        async with self._turn:
            return await anyio.to_thread.run_sync(partial(job, *args), limiter=self._threads)


class Workers:
    """The threads of one server."""

    def __init__(self, most: int = MOST) -> None:
        """Allow `most` jobs at once."""
        self._threads = anyio.CapacityLimiter(most)

    def worker(self) -> Worker:
        """Return the place of one more account."""
        return Worker(self._threads)
