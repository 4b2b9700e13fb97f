"""An MCP client of our own server in the same process, for the command line."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool

Ask = Callable[[str], bool]
"""Puts a question to the person at the terminal."""


@asynccontextmanager
async def connected(settings: Settings, ask: Ask | None = None) -> AsyncGenerator[Client]:
    """Connect a client; without `ask` it is one that cannot be asked."""

    async def elicit(context: Any, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        if ask is not None and ask(params.message):
            return ElicitResult(action="accept", content={"confirm": True})
        return ElicitResult(action="decline")

    runtime = RuntimePool(settings)
    server = build(settings, runtime)
    try:
        async with Client(server, elicitation_callback=elicit if ask else None) as client:
            yield client
    finally:
        await runtime.close()


async def call_tool(
    settings: Settings, name: str, arguments: dict[str, Any], ask: Ask | None
) -> CallToolResult:
    """Call one tool; without `ask` this is a client that cannot be asked."""
    async with connected(settings, ask) as client:
        return await client.call_tool(name, arguments)
