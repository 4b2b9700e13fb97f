"""Several reads at once, of which some may fail without failing the whole."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from atoms_campaigns_mcp.errors import NotFound, UpstreamError


async def gather(
    reads: Mapping[str, Callable[[], Awaitable[Any]]],
) -> tuple[dict[str, Any], list[str]]:
    """Run every read; give what was read, and the names of what could not be."""
    found: dict[str, Any] = {}
    failed: list[str] = []

    async def one(name: str) -> None:
        try:
            found[name] = await reads[name]()
        except (UpstreamError, NotFound):
            failed.append(name)

    async with anyio.create_task_group() as tasks:
        for name in reads:
            tasks.start_soon(one, name)
    return found, sorted(failed)
