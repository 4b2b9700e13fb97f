"""Carrying out a call whose arguments are right: confirm if it must be, record, run."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from mcp_types import InputRequiredResult

from atoms_campaigns_mcp.config.settings import Confirm
from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.runtime import Runtime, refuse_changes
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import AgreedResult, Result
from atoms_campaigns_mcp.server.mcp.elicitation import Elicitation
from atoms_campaigns_mcp.state.store import Intent
from atoms_campaigns_mcp.telemetry import dialled, log
from atoms_campaigns_mcp.tool_calls.confirmation import Agreed, Gate, Offers
from atoms_campaigns_mcp.tool_calls.duplicates import JournalLedger
from atoms_campaigns_mcp.tool_calls.journaling import Recorder, masked
from atoms_campaigns_mcp.tool_calls.locks import Locks
from atoms_campaigns_mcp.toolkit.context import Consent, ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, Tool

_UNRECORDED = "The journal could not be written: this is not recorded, tell the operator."
ANNOUNCING = 1.0  # seconds
Listener = Callable[..., Awaitable[None]]
"""Hears of progress, or of a campaign that changed."""


async def perform(
    runtime: Runtime,
    tool: Tool[Any, Any],
    args: Args,
    asking: Elicitation,
    *,
    may_dial: bool,
    **listeners: Listener,
) -> Result | InputRequiredResult:
    """Run the tool; one that dials or destroys only on an agreed plan."""
    offers, locks = Offers(runtime), Locks(runtime)
    abilities: dict[str, Any] = {
        **listeners,
        "ledger": JournalLedger(locks),
        "upload": partial(_upload, runtime),
        "recall": partial(runtime.store.callers, runtime.account),
        "remember": partial(_remember, runtime),
    }
    consent = _consent(runtime.settings.confirm, asking.possible) if may_dial else "off"
    abilities["consent"] = consent
    if consent == "token":
        abilities["offer"] = partial(_offer, offers)
    if not tool.plans(args):
        return await _run(locks, tool, args, None, abilities)
    reading = runtime.context(refuse_changes, **abilities)

    async def act(agreed: Agreed) -> Result:
        return await _run(locks, tool, args, agreed, abilities)

    return await Gate(offers, tool, args, asking, reading, locks, act).open()


async def _run(
    locks: Locks,
    tool: Tool[Any, Any],
    args: Args,
    agreed: Agreed | None,
    abilities: dict[str, Any],
) -> Result:
    runtime = locks.runtime
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
    recorder = Recorder(locks, tool, intent)
    plan = agreed.plan if agreed else None
    context = runtime.context(recorder, plan, urgent=tool.emergency, **abilities)
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
            await context.changed(campaign_id, f"{change} {context.now().isoformat()}")


async def _remember(runtime: Runtime, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
    # The campaign is made: an error now would say that nothing was sent.
    try:
        await runtime.store.keep_callers(runtime.account, campaign_id, phone_ids)
    except NotRecorded:
        log.exception("the caller IDs of campaign %s are not remembered", campaign_id)


async def _upload(runtime: Runtime, upload_id: str) -> bytes | None:
    return await runtime.store.upload(runtime.tenant, upload_id, runtime.clocks.seconds())


def _consent(policy: Confirm, can_ask: bool) -> Consent:  # noqa: FBT001
    if policy in {"never", "token"}:
        return "none" if policy == "never" else "token"
    if can_ask:
        return "asked"
    return "impossible" if policy == "human" else "token"


async def _offer(offers: Offers, proposal: Proposal) -> str | None:
    try:
        return offers.token(await offers.remember(proposal, "start_campaign"))
    except NotRecorded:
        return None
