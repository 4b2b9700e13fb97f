"""Proposals: the plan of a start with every finding about it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails import checks
from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign, CampaignDetails
from atoms_campaigns_mcp.toolkit.audiences.members import Contact, contacts_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import results_of
from atoms_campaigns_mcp.toolkit.start_facts import facts_of, read_around

READING = 10.0  # seconds for the results of a campaign; the locks of a start last little longer


@dataclass(frozen=True, slots=True)
class Judged:
    """A proposal and the facts that it was judged by."""

    proposal: Proposal
    facts: Facts


async def judged(plan: Plan, facts: Facts, ctx: ToolContext) -> Judged:
    """Judge the facts by the operator's policy, off the event loop: contacts may be many."""
    findings = await ctx.shared.work(checks.judge, facts, ctx.operator.policy)
    duration = checks.expected(facts).duration if facts.contacts else ""
    return Judged(Proposal(plan, findings, duration), facts)


async def of_campaign(details: CampaignDetails, ctx: ToolContext) -> Judged:
    """Judge what starting or resuming this campaign would do."""
    campaign = details.campaign
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "people": partial(_people, campaign.audience_id, ctx),
        "around": partial(read_around, ctx, campaign.agent_id, campaign.id),
    }
    (audience, contacts), around = await all_of(reads)
    phone_ids = campaign.phone_ids or await ctx.memory.callers(campaign.id)
    called, added = _progress(details, len(contacts))
    facts = await facts_of(
        around,
        ctx,
        audience=audience,
        contacts=contacts,
        phone_ids=phone_ids,
        start=_start(campaign, ctx),
        max_retries=campaign.max_retries or 0,
        retry_delay=campaign.retry_delay or 0,
        besides=campaign.id,
    )
    running = facts.running
    if running and campaign.status == "scheduled":
        running -= 1  # this one
    over = await _over(details, ctx) if called else frozenset[str]()
    facts = replace(facts, called=called or 0, added=added, running=running, over=over)
    plan = replace(
        _plan(campaign, facts, contacts), phone_ids=tuple(phone_ids or ()), called=called
    )
    return await judged(plan, facts, ctx)


async def _people(audience_id: str, ctx: ToolContext) -> tuple[Audience | None, Sequence[Contact]]:
    """Return the audience and its contacts, as they are or as a preview has just seen them."""

    async def read() -> tuple[Audience | None, Sequence[Contact]]:
        audiences = await ctx.atoms.list_audiences()
        audience = next((row for row in audiences if row.id == audience_id), None)
        return audience, await contacts_of(ctx.atoms, audience) if audience else []

    return await ctx.atoms.recently(("people", audience_id), read)


async def _over(details: CampaignDetails, ctx: ToolContext) -> frozenset[str] | None:
    """Return the numbers that a resumption does not call; None if they cannot be read soon."""
    with anyio.move_on_after(READING):
        try:
            results = await results_of(details, ctx)
            return await results.over(details.campaign.max_retries or 0)
        except AtomsCampaignsError:
            return None
    return None


def _plan(campaign: Campaign, facts: Facts, contacts: Sequence[Contact]) -> Plan:
    return Plan(
        action="resume" if campaign.status == "paused" else "start",
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        agent_id=campaign.agent_id,
        agent=campaign.agent or campaign.agent_id,
        audience_id=campaign.audience_id,
        audience=campaign.audience or campaign.audience_id,
        people=len(contacts) - facts.added,
        members=fingerprint(contact.number for contact in contacts),
        caller_ids=tuple(caller.number for caller in facts.callers or ()),
        max_retries=campaign.max_retries,
        retry_delay=campaign.retry_delay,
        scheduled_at=campaign.scheduled_at or "",
        rivals=rival_ids(facts),
    )


def rival_ids(facts: Facts) -> tuple[str, ...]:
    """Name the other campaigns that a plan is agreed to beside."""
    return tuple(sorted(rival.id for rival in facts.rivals or ()))


def _progress(details: CampaignDetails, contacts: int) -> tuple[int | None, int]:
    """Return how many a paused campaign has called, and how many are new in its audience."""
    metrics = details.metrics
    total, called = metrics.total_participants, metrics.contacts_called
    if details.campaign.status != "paused" or total is None or called is None:
        return None, 0
    return min(called, contacts), max(contacts - total, 0)


def _start(campaign: Campaign, ctx: ToolContext) -> datetime:
    if campaign.status != "scheduled" or not campaign.scheduled_at:
        return ctx.now()
    try:
        return datetime.fromisoformat(campaign.scheduled_at)
    except ValueError:
        return ctx.now()
