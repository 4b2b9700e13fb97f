"""Faults of our own outside tool calls: the client gets an id, the log the rest."""

import secrets
from dataclasses import replace
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR
from pydantic import ValidationError

from atoms_campaigns_mcp.server.mcp.prompts import PROMPTS
from atoms_campaigns_mcp.telemetry import call_id, log
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

UNKNOWN = "unknown"


async def by_known_names(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """Serve one message without the name of a tool or prompt that is none.

    The SDK's spans are named by it, and it may hold anything.
    """
    name = ctx.params.get("name") if ctx.params else None
    known = {"tools/call": Catalog.read().entries, "prompts/get": {p.name for p in PROMPTS}}
    if isinstance(name, str) and name not in known.get(ctx.method, {name}):
        ctx = replace(ctx, params={**(ctx.params or {}), "name": UNKNOWN})
    return await call_next(ctx)


async def without_details(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """Serve one message.

    Raises:
        MCPError: What the client did wrong, or a fault of ours without its text, which the SDK
            would send to clients of the older era as it stands.
    """
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception:  # noqa: BLE001 - the boundary: its text may hold anything
        call = secrets.token_hex(4)
        call_id.set(call)
        log.exception("%s crashed", ctx.method)
        words = f"This server has a fault of its own (call {call}); report it to the operator."
        raise MCPError(code=INTERNAL_ERROR, message=words) from None
