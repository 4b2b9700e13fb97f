"""Carrying out a call whose arguments are right: confirm if it must be, record, run."""

from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import AgreedResult, Result
from atoms_campaigns_mcp.state.store import Intent
from atoms_campaigns_mcp.telemetry import dialled
from atoms_campaigns_mcp.tool_calls.asker import PendingQuestion
from atoms_campaigns_mcp.tool_calls.confirmation import Agreed, Gate
from atoms_campaigns_mcp.tool_calls.journaling import Recorder, masked
from atoms_campaigns_mcp.tool_calls.session import Session
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, Tool

_UNRECORDED = "The journal could not be written: this is not recorded, tell the operator."
ANNOUNCING = 1.0  # seconds


async def run(session: Session, tool: Tool[Any, Any], args: Args) -> Result | PendingQuestion:
    """Run the tool; one that dials or destroys only on an agreed plan."""
    if not tool.plans(args):
        return await _run(session, tool, args, None)
    return await Gate(session, tool, args, partial(_run, session, tool, args)).open()


async def _run(session: Session, tool: Tool[Any, Any], args: Args, agreed: Agreed | None) -> Result:
    runtime = session.runtime
    intent = Intent(
        tenant=runtime.tenant,
        tool=tool.name,
        arguments=masked(args.model_dump(mode="json", exclude_none=True)),
        confirmed=agreed.how if agreed else "not needed",
        digest=agreed.digest if agreed else "",
        answered_after=agreed.answered_after if agreed else None,
        account=runtime.account,
        dials=agreed is not None and tool.effect is not Effect.DESTROYS,
    )
    recorder = Recorder(session.locks, tool, intent)
    plan = agreed.plan if agreed else None
    context = session.context(recorder, plan, urgent=tool.emergency)
    result = await tool.run(args, context)
    if recorder.unrecorded:
        result.next_step = f"{_UNRECORDED} {result.next_step}"
    if agreed and isinstance(result, AgreedResult):
        result.consent = "nobody" if agreed.how == "never" else agreed.how
        result.answered_after = agreed.answered_after and round(max(agreed.answered_after, 0), 1)
        result.warnings = list(agreed.warnings)
    if agreed and recorder.changed and tool.effect is not Effect.DESTROYS:
        dialled()
    await _announce(tool.name, result, context)
    return result


async def _announce(change: str, result: Result, context: ToolContext) -> None:
    # Subscriptions can do without news; whoever pauses must not wait for a store that is away.
    with anyio.move_on_after(ANNOUNCING):
        for campaign_id in result.touched():
            await context.news.changed(campaign_id, f"{change} {context.now().isoformat()}")
