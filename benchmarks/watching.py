"""How often a campaign is polled that very many watch through all replicas, and one alone."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.passing import Passing
from tests.support.world import DRAFT

SHORTEST = 8.0  # seconds in which all must have watched, or nothing can be compared
MORE = 2  # polls: what a window cuts off at its ends, and one for a turn that was not taken


@dataclass
class Polled:
    """SharedPolls in the seconds in which everybody watched; `joining` counts those before."""

    watchers: int
    seconds: float
    many: int
    one: int
    joining: int

    @property
    def fair(self) -> bool:
        return self.seconds >= SHORTEST and self.many <= self.one + MORE

    def __str__(self) -> str:
        return (
            f"{self.watchers} watchers of one campaign: {self.many} polls in {self.seconds:.1f} s, "
            f"one watcher of another: {self.one}; while they joined: {self.joining}"
        )


async def watch(url: str, passing: Passing, watchers: int, wait: int) -> Polled:
    """Watch one campaign by many, and another by one, all at the same time.

    Each call has a connection of its own; without sessions that is what tells clients apart.
    """
    async with talking(url, "tenant-watch", seconds=4 * wait) as client:
        crowded, lonely = [await make(client, name) for name in ("Crowded", "Lonely")]
        assert crowded is not None
        assert lonely is not None
        ends: list[float] = []

        async def follow(campaign: str) -> None:
            arguments = {"campaign_id": campaign, "until": "finished", "wait_seconds": wait}
            result = await client.call_tool("watch_campaign", arguments)
            assert not result.is_error, result.content
            ends.append(time.perf_counter())

        async with anyio.create_task_group() as tasks:
            for campaign in [lonely, *[crowded] * watchers]:
                tasks.start_soon(follow, campaign)
    first, last = max(ends) - wait, min(ends)
    polls = {
        campaign: [one.at for one in passing.passed if one.path.endswith(f"/{campaign}")]
        for campaign in (crowded, lonely)
    }
    many, one = (sum(first <= at <= last for at in polls[each]) for each in (crowded, lonely))
    return Polled(watchers, last - first, many, one, sum(at < first for at in polls[crowded]))


@asynccontextmanager
async def talking(url: str, tenant: str, seconds: float) -> AsyncGenerator[Client]:
    """Connect anew for every request, which may take so long."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    headers = {"Authorization": f"Bearer sk_{tenant}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=seconds, limits=limits) as http,
        Client(streamable_http_client(url, http_client=http), mode="2026-07-28") as client,
    ):
        yield client


async def make(client: Client, name: str) -> str | None:
    """Make a draft and give its id, or nothing if that was refused."""
    draft: dict[str, Any] = {**DRAFT, "name": name}
    made = await client.call_tool("create_campaign", draft)
    data: dict[str, Any] = made.structured_content or {}
    return None if made.is_error else data["campaign_id"]
