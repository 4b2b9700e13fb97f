"""Carrying out a call whose arguments are right: confirm if it must be, record, run."""

from collections.abc import Awaitable, Callable
from typing import Any

from mcp_types import InputRequiredResult

from atoms_campaigns_mcp.runtime import Runtime, intent_of
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.server.asking import Asking
from atoms_campaigns_mcp.server.confirmation import Agreed, Gate
from atoms_campaigns_mcp.tools._tool import Tool

Listener = Callable[..., Awaitable[None]]
"""Hears of progress, or of a campaign that changed."""


async def perform(
    runtime: Runtime,
    tool: Tool[Any, Any],
    args: Args,
    tenant: str,
    asking: Asking,
    **listeners: Listener,
) -> Result | InputRequiredResult:
    """Run the tool; one that dials or destroys only on an agreed plan."""
    agreed = None
    if tool.plans(args):
        agreed = await Gate(runtime, tool, args, tenant, asking).open()
        if not isinstance(agreed, Agreed):
            return agreed
    intent = intent_of(
        tool,
        args.model_dump(mode="json", exclude_none=True),
        tenant=tenant,
        confirmed=agreed.how if agreed else "not needed",
        digest=agreed.digest if agreed else "",
    )
    guard = runtime.recorder(tool, intent)
    plan = agreed.plan if agreed else None
    return await tool.run(args, runtime.context(guard, plan, **listeners))
