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
