"""Several calls at once, each of which may fail without taking the others along."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError

K = TypeVar("K")
T = TypeVar("T")
IN_FLIGHT = 4  # calls under way at once; the transport paces them besides


async def attempt(
    calls: Mapping[K, Callable[[], Awaitable[T]]], *, at_once: int = IN_FLIGHT
) -> tuple[dict[K, T], dict[K, AtomsCampaignsError]]:
    """Make every call; give the answers, and the errors, by name."""
    answers: dict[K, T] = {}
    errors: dict[K, AtomsCampaignsError] = {}
    limiter = anyio.CapacityLimiter(at_once)

    async def one(name: K) -> None:
        try:
            async with limiter:
                answers[name] = await calls[name]()
        except AtomsCampaignsError as error:
            errors[name] = error

    async with anyio.create_task_group() as tasks:
        for name in calls:
            tasks.start_soon(one, name)
    return answers, errors


async def all_of(calls: Mapping[K, Callable[[], Awaitable[T]]]) -> list[T]:
    """Make every call and give the answers in order.

    Raises:
        AtomsCampaignsError: What the first in order of those that failed has raised.
    """
    answers, errors = await attempt(calls)
    for name in calls:
        if name in errors:
            raise errors[name]
    return [answers[name] for name in calls]


class Turns:
    """So many at once; one that takes longer than `seconds` goes on, and lets the next begin."""

    def __init__(self, at_once: int, seconds: float) -> None:
        """Let so many begin, and each next one when one of them is over or slow."""
        self._limiter = anyio.CapacityLimiter(at_once)
        self._seconds = seconds

    async def take(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it when it is its turn, and wait for its end."""
        done = anyio.Event()

        async def through() -> None:
            await work()
            done.set()

        async with anyio.create_task_group() as tasks, self._limiter:
            tasks.start_soon(through)
            with anyio.move_on_after(self._seconds):
                await done.wait()
