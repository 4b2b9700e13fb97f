"""One call from top to bottom: what is asked for, whether it may be, and doing it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio

from atoms_campaigns_mcp.errors import NotConfirmed
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.instruments import dialled
from atoms_campaigns_mcp.redaction import whole
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import AgreedResult, Result
from atoms_campaigns_mcp.tool_calls.arguments import check
from atoms_campaigns_mcp.tool_calls.asker import PendingQuestion
from atoms_campaigns_mcp.tool_calls.confirmation import (
    RECENT,
    Agreed,
    Confirmation,
    Consent,
    agree,
    propose,
)
from atoms_campaigns_mcp.tool_calls.journaling import Recorder, intended
from atoms_campaigns_mcp.tool_calls.locks import SENDING, WAITING
from atoms_campaigns_mcp.tool_calls.plans import NOTHING
from atoms_campaigns_mcp.tool_calls.rights import granted
from atoms_campaigns_mcp.tool_calls.session import Caller, Session
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.registry import load
from atoms_campaigns_mcp.toolkit.tool import Tool

_UNRECORDED = "The journal could not be written: this is not recorded, tell the operator."
ANNOUNCING = 1.0  # seconds


async def call(caller: Caller, name: str, arguments: Mapping[str, Any]) -> Result | PendingQuestion:
    """Call a tool by its name with arguments as they came.

    Raises:
        AtomsCampaignsError: It may not be called so, or it failed.
    """
    given = whole(dict(arguments))
    entry = granted(caller.principal, caller.catalog, name, given)
    tool = load(name)
    args, note = check(tool, given, entry.arguments)
    session = await caller.session()
    with session.runtime.shared.call():
        result = await run(session, tool, args)
    if note and isinstance(result, Result):
        result.remark(note)
    return result


async def run(session: Session, tool: Tool[Any, Any], args: Args) -> Result | PendingQuestion:
    """Run the tool; one that dials or destroys only by consent to what it does now."""
    if not tool.emergency and lookup.names_campaigns(args):  # a stop reads nothing first
        args = await lookup.with_campaign_ids(session.reading().atoms, args)
    if not tool.needs_consent(args):
        return await _carry_out(session, tool, args, None)
    consent = await Confirmation(session, tool, args).obtain()
    if not isinstance(consent, Consent):
        return consent
    async with _locked(session, tool, args):
        proposal = await propose(session, tool, args)
        if isinstance(proposal, Result):
            return proposal
        await _keep_locks(session, proposal.plan)
        agreed = await agree(session, consent, proposal)
        return await _carry_out(session, tool, args, agreed)


@asynccontextmanager
async def _locked(session: Session, tool: Tool[Any, Any], args: Args) -> AsyncGenerator[None]:
    """Keep out meanwhile who would change the same; what is read then was asked for after that."""
    if tool.locks is None:
        raise TypeError(f"{tool.name} dials or destroys without locks")
    subjects = [*await tool.locks(args, session.reading(recent=RECENT))]
    if tool.dials(args) and session.runtime.settings.max_running is not None:
        subjects.append("what runs")  # two would count the same campaigns
    busy = NotConfirmed(
        f"{NOTHING} Another call is changing the same thing at this moment.",
        next_step="Look with get_campaign_status, then call again if it is still needed; a "
        f"server that was ended in the middle keeps others out for up to {SENDING} seconds.",
    )
    async with AsyncExitStack() as held:
        # The same request twice is refused at once. Others may start something else on the same
        # audience at this moment, and are done with it soon.
        for place, subject in enumerate(dict.fromkeys(subjects)):
            patience = WAITING if place else 0.0
            await held.enter_async_context(session.locks.holding(subject, busy, patience=patience))
        yield


async def _keep_locks(session: Session, plan: Plan) -> None:
    """Hold the locks for as long as the change takes, if they are those of the plan."""
    locks = session.locks
    concerned = {plan.campaign_id, members_of(plan.audience_id) if plan.audience_id else ""} - {""}
    if not concerned <= locks.ends.keys():
        raise NotConfirmed(
            f"{NOTHING} What the arguments name changed while it was looked at.",
            next_step="Look with list_campaigns and list_audiences, then call again.",
        )
    if not all([await locks.extend(subject) for subject in [*locks.ends]]):
        raise NotConfirmed(
            f"{NOTHING} Looking at the facts took too long to be sure that no other call does the "
            "same.",
            next_step="Look with get_campaign_status, then call again.",
        )


async def _carry_out(
    session: Session, tool: Tool[Any, Any], args: Args, agreed: Agreed | None
) -> Result:
    intent = intended(session.runtime, tool, args)
    if agreed:
        how, digest, after = agreed.how, agreed.digest, agreed.answered_after
        intent = replace(intent, confirmed=how, digest=digest, answered_after=after)
    recorder = Recorder(session.locks, tool, intent)
    plan, basis = (agreed.proposal.plan, agreed.proposal.basis) if agreed else (None, None)
    context = session.context(recorder, plan, intent, basis=basis, urgent=tool.emergency)
    result = await tool.run(args, context)
    if recorder.unrecorded:
        result.remark(_UNRECORDED)
    if agreed and isinstance(result, AgreedResult):
        result.consent = "nobody" if agreed.how == "never" else agreed.how
        result.answered_after = agreed.answered_after and round(max(agreed.answered_after, 0), 1)
        result.warnings = list(agreed.warnings)
    if recorder.changed and tool.dials(args):
        dialled(session.runtime.settings.mode)
    await _announce(tool.name, result, context)
    return result


async def _announce(change: str, result: Result, context: ToolContext) -> None:
    # Subscriptions can do without news; whoever pauses must not wait for a store that is away.
    with anyio.move_on_after(ANNOUNCING):
        for campaign_id in result.touched():
            await context.news.changed(campaign_id, f"{change} {context.now().isoformat()}")
