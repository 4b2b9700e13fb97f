from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.guardrails.checks import by_zone, expected
from atoms_campaigns_mcp.guardrails.cost import CostEstimate
from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.findings import Finding, blocks
from atoms_campaigns_mcp.guardrails.review import review
from atoms_campaigns_mcp.guardrails.start_times import StartTimes, start_times
from atoms_campaigns_mcp.schemas.account import CURRENCY
from atoms_campaigns_mcp.schemas.arguments import PreviewCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import STARTABLE, Campaign
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.schemas.preview import CampaignPreview, CheckRow, FindingRow, ZoneRow
from atoms_campaigns_mcp.state.guarding import told
from atoms_campaigns_mcp.toolkit import call_history, campaign_states, start_proposal
from atoms_campaigns_mcp.toolkit.context import Consent, ToolContext
from atoms_campaigns_mcp.toolkit.start_proposal import Judged
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

_STEPS: dict[Consent, str] = {
    "asked": "Tell the user; if they agree, call start_campaign: they are asked again.",
    "token": "Tell the user; if they agree, call start_campaign: it gives the question to put to "
    "them, and a confirm_token.",
    "none": "Tell the user, and wait for their yes: start_campaign dials at once, without asking.",
    "impossible": "It cannot be started from here: the operator wants a client that can ask its "
    "user (ATOMS_MCP_CONFIRM).",
    "off": "It cannot be started from here: the operator, or this client, has switched dialling "
    "off.",
}
ZONES_SHOWN = 8  # rows; those with a problem come first


@tool(Effect.READS, title="Preview a start", app=True)
async def run(args: PreviewCampaignArgs, ctx: ToolContext) -> CampaignPreview:
    """Show what starting a campaign would do, the result of every check, and its cost; no dialling.

    Checks numbers, do-not-call, calling hours in each contact's own zone, caller IDs, agent,
    capacity, balance, other campaigns, operator's rules. Says whether a guard watches.
    """
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "judged": partial(_judged, args.campaign_id, ctx),
        "history": partial(call_history.history, ctx),
    }
    (campaign, judged), history = await all_of(reads)
    cost = "unknown, since finished campaigns could not be read"
    if history is not None:
        cost = _cost(call_history.cost_of(history, expected(judged.facts).dials))
    return await _preview(campaign, judged, cost, ctx)


async def _judged(campaign_id: str, ctx: ToolContext) -> tuple[Campaign, Judged]:
    details, before = await start_proposal.with_campaign(campaign_id, ctx, anew=True)
    campaign = details.campaign
    if campaign.status not in STARTABLE | {"scheduled"}:
        raise campaign_states.cannot("previewed", campaign, campaign_states.next_step(campaign))
    return campaign, await start_proposal.of_campaign(details, ctx, before)


async def _preview(
    campaign: Campaign, judged: Judged, cost: str, ctx: ToolContext
) -> CampaignPreview:
    proposal, facts, policy = judged.proposal, judged.facts, ctx.operator.policy
    blocked, range_ = blocks(proposal.findings), expected(facts)
    times = await ctx.shared.work(start_times, facts, policy.hours, range_.minutes[1])
    checked = await ctx.shared.work(review, facts, policy)
    return CampaignPreview(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        agent=proposal.plan.agent,
        audience=proposal.plan.audience,
        contacts=facts.left,
        caller_ids=list(proposal.plan.caller_ids),
        max_retries=campaign.max_retries,
        retry_delay=campaign.retry_delay,
        starts_at=facts.start,
        dials=f"{range_.dials[0]} to {range_.dials[1]}",
        duration=proposal.duration,
        ends_before=facts.start + timedelta(minutes=range_.minutes[1]),
        calling_hours=str(policy.hours),
        next_start=times and times.first,
        latest_start=times and times.last,
        start_times=_start_times(times, facts, ctx),
        cost=cost,
        guarded=await _guarded(ctx),
        zones=_zones(facts, ctx),
        verdict="blocked" if blocked or _is_off(campaign, ctx) else "allowed",
        checks=[CheckRow(check=c.check, verdict=c.verdict, result=c.result) for c in checked],
        findings=[
            FindingRow(severity=f.severity, rule=f.rule, reason=f.reason, next_step=f.next_step)
            for f in proposal.findings
        ],
        next_step=_next_step(campaign, blocked, ctx),
    )


async def _guarded(ctx: ToolContext) -> str | None:
    found, _ = await attempt({"guard": ctx.memory.guarded})
    return told(found["guard"]) if "guard" in found else None


def _next_step(campaign: Campaign, blocked: Sequence[Finding], ctx: ToolContext) -> str:
    if blocked:
        return f"It cannot be started. {blocked[0].next_step}"
    if campaign.status == "scheduled":
        return "It dials by itself. Only delete_campaign stops it before then."
    return _STEPS[ctx.consent]


def _is_off(campaign: Campaign, ctx: ToolContext) -> bool:
    """Return whether no start at all can be made from here."""
    return ctx.consent in {"impossible", "off"} and campaign.status in STARTABLE


def _start_times(times: StartTimes | None, facts: Facts, ctx: ToolContext) -> str:
    if times:
        return times.told()
    if ctx.operator.policy.hours.all_day:
        return "every start is within calling hours"
    if not any(contact.zones for contact in facts.concerned):
        return "no time zone is known, so the next start that ends in time is unknown"
    return "no start of the next days ends in time for all contacts"


def _cost(cost: CostEstimate | None) -> str:
    if cost is None:
        return "unknown, for lack of finished campaigns with enough calls"
    outcomes = ", ".join(
        f"{word(row.outcome)} {row.low:.3g} to {row.high:.3g} ({row.calls} calls)"
        for row in cost.outcomes
    )
    return (
        f"{cost.low:.2f} to {cost.high:.2f} {CURRENCY}, from {cost.calls} calls of this account's "
        f"finished campaigns (per dial, 50th to 95th percentile: {outcomes})"
    )


def _zones(facts: Facts, ctx: ToolContext) -> list[ZoneRow]:
    found = by_zone(facts, ctx.operator.policy)
    rows = [
        ZoneRow(
            zone=share.label,
            contacts=share.contacts,
            local_start=share.clock(facts.start),
            within_hours=share.allowed,
        )
        for share in found[:ZONES_SHOWN]
    ]
    if rest := found[ZONES_SHOWN:]:
        people = sum(share.contacts for share in rest)
        within = rest[0].allowed  # the worst comes first
        rows.append(ZoneRow(zone=f"{len(rest)} others", contacts=people, within_hours=within))
    return rows
