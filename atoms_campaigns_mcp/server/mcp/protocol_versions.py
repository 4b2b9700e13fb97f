"""Which revisions of the protocol are offered."""

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types import InitializeResult

BATCHES = "2025-03-26"  # the one revision whose servers must take batches
BESIDE = "2024-11-05"  # whoever speaks that one speaks this one too


async def without_batches(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """Serve one message; offer another revision to a client that asks for the one with batches."""
    result = await call_next(ctx)
    if ctx.method != "initialize":
        return result
    if isinstance(result, InitializeResult) and result.protocol_version == BATCHES:
        return result.model_copy(update={"protocol_version": BESIDE})
    if isinstance(result, dict) and result.get("protocolVersion") == BATCHES:
        return {**result, "protocolVersion": BESIDE}
    return result
