"""Faults of our own outside tool calls: the client gets an id, the log the rest."""

import secrets
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR
from pydantic import ValidationError

from atoms_campaigns_mcp.telemetry import call_id, log


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
