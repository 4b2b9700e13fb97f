"""Proposals: the plan of a start with every finding about it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails import checks
from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign, CampaignDetails
from atoms_campaigns_mcp.toolkit.audiences.members import Contact, contacts_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import results_of
from atoms_campaigns_mcp.toolkit.start_facts import (
    Around,
    Start,
    facts_of,
    read_account,
    read_agent,
)

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


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a start is judged by that can be read before the campaign is."""

    around: Around
    audiences: Sequence[Audience] | AtomsCampaignsError


async def campaign_of(campaign_id: str, ctx: ToolContext, *, anew: bool) -> CampaignDetails:
    """Return the campaign, `anew` or as a preview or question has just seen it.

    Raises:
        AtomsCampaignsError: It is not there, or cannot be read.
    """
    read = partial(ctx.atoms.get_campaign, campaign_id)
    return await ctx.atoms.recently(("campaign", campaign_id), read, anew=anew)


async def with_campaign(
    campaign_id: str, ctx: ToolContext, *, anew: bool = False
) -> tuple[CampaignDetails, Ahead]:
    """Return the campaign as `campaign_of` does, and what is read meanwhile.

    Raises:
        AtomsCampaignsError: It is not there, or cannot be read.
    """
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "campaign": partial(campaign_of, campaign_id, ctx, anew=anew),
        "ahead": partial(ahead, ctx, campaign_id),
    }
    details, before = await all_of(reads)
    return details, before


async def ahead(ctx: ToolContext, besides: str = "") -> Ahead:
    """Read what does not depend on the campaign, which is left out as `besides`."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "audiences": partial(ctx.atoms.recently, "audiences", ctx.atoms.list_audiences),
        "around": partial(read_account, ctx, besides),
    }
    found, failed = await attempt(reads)
    return Ahead(found["around"], failed.get("audiences") or found["audiences"])


async def of_campaign(
    details: CampaignDetails, ctx: ToolContext, before: Ahead | None = None
) -> Judged:
    """Judge what starting or resuming this campaign would do, by what was read `before` as well.

    Raises:
        AtomsCampaignsError: Its contacts cannot be read.
    """
    campaign = details.campaign
    before = before or await ahead(ctx, campaign.id)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "people": partial(_people, campaign.audience_id, before, ctx),
        "agent": partial(read_agent, ctx, campaign.agent_id),
        "over": partial(_over, details, ctx),
    }
    (audience, contacts), of_agent, over = await all_of(reads)
    phone_ids = campaign.phone_ids or await ctx.memory.callers(campaign.id)
    called, added = _progress(details, len(contacts))
    start = Start(
        agent_id=campaign.agent_id,
        audience=audience,
        contacts=contacts,
        phone_ids=phone_ids,
        at=_start(campaign, ctx),
        max_retries=campaign.max_retries or 0,
        retry_delay=campaign.retry_delay or 0,
        besides=campaign.id,
    )
    facts = await facts_of(start, before.around.with_(of_agent), ctx)
    itself = bool(facts.running) and campaign.status == "scheduled"
    facts = replace(
        facts,
        called=called or 0,
        added=added,
        running=None if facts.running is None else facts.running - itself,
        over=over if called else frozenset[str](),
    )
    plan = _plan(campaign, facts, contacts)
    plan = replace(plan, phone_ids=tuple(phone_ids or ()), called=called)
    return await judged(plan, facts, ctx)


async def _people(
    audience_id: str, before: Ahead, ctx: ToolContext
) -> tuple[Audience | None, Sequence[Contact]]:
    """Return the audience and its contacts, as they are or as a preview has just seen them."""
    if isinstance(before.audiences, AtomsCampaignsError):
        raise before.audiences
    audience = next((row for row in before.audiences if row.id == audience_id), None)
    if audience is None:
        return None, []
    read = partial(contacts_of, ctx.atoms, audience)
    return audience, await ctx.atoms.recently(("contacts", audience_id), read)


async def _over(details: CampaignDetails, ctx: ToolContext) -> frozenset[str] | None:
    """Return the numbers that a resumption does not call; None if they cannot be read soon."""
    if details.campaign.status != "paused" or not details.metrics.contacts_called:
        return frozenset()

    async def read() -> frozenset[str]:
        results = await results_of(details, ctx)
        return await results.over(details.campaign.max_retries or 0)

    with anyio.move_on_after(READING):
        try:
            return await ctx.atoms.recently(("over", details.campaign.id), read)
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
