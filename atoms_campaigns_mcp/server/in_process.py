"""An MCP client of our own server in the same process, for the command line."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp import Client

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool


@asynccontextmanager
async def connected(settings: Settings) -> AsyncGenerator[Client]:
    """Connect a client that cannot be asked."""
    runtime = RuntimePool(settings)
    server = build(settings, runtime)
    try:
        async with Client(server) as client:
            yield client
    finally:
        await runtime.close()
