from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import InvalidArguments, WrongState
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.schemas.arguments import CreateCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import TERMINAL, Campaign, CampaignCreated
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.toolkit import campaign_states, lookup
from atoms_campaigns_mcp.toolkit.audiences.lock import DIALS, members_of
from atoms_campaigns_mcp.toolkit.audiences.members import contacts_of
from atoms_campaigns_mcp.toolkit.campaign_creation import body_of, creation, named
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Creation, Made, key_of
from atoms_campaigns_mcp.toolkit.start_facts import Start, read_facts
from atoms_campaigns_mcp.toolkit.start_proposal import judged, rival_ids
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

TURN = 5.0  # seconds that a draft waits while another one of its name is made
FARTHEST = timedelta(days=366)  # ours: beyond it, a mistyped year is likelier than a plan


async def locks(args: CreateCampaignArgs, ctx: ToolContext) -> Sequence[str]:
    """Let nobody else change the audience, or have it called."""
    return [members_of((await lookup.audience(ctx.atoms, args.audience_id)).id)]


async def plan(args: CreateCampaignArgs, ctx: ToolContext) -> Proposal | CampaignCreated:
    """Judge a scheduled campaign as its start would be, for it dials without being started."""
    start = args.scheduled_at or ctx.now()
    _check(start, ctx.now())
    facts, audience = await named(args, "schedule", ctx)
    making = _creation(args, facts, ctx)
    sight = await making.look(ctx)
    if sight.made:
        return await _result(sight.made, facts, ctx, _defaults(args))
    contacts = await contacts_of(ctx.atoms, audience)
    begin = Start(
        agent_id=facts.agent_id,
        audience=audience,
        contacts=contacts,
        phone_ids=facts.phone_ids,
        at=start,
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
        besides=making.key,
        equal=[row for row in sight.alike if row.status not in TERMINAL],
    )
    read = await read_facts(begin, ctx)
    members = fingerprint(contact.number for contact in contacts)
    agreed = replace(
        facts,
        people=len(contacts),
        members=members,
        scheduled_at=start.isoformat(),
        rivals=rival_ids(read),
    )
    return (await judged(agreed, read, ctx)).proposal


def _check(start: datetime, now: datetime) -> None:
    if start <= now:
        raise InvalidArguments(
            f"scheduled_at: must be in the future; it is now {now:%Y-%m-%dT%H:%M:%S%z}.",
            next_step="Ask the user which later time they want.",
        )
    if start - now > FARTHEST:
        raise InvalidArguments(
            f"scheduled_at: must be within {FARTHEST.days} days; it is now "
            f"{now:%Y-%m-%dT%H:%M:%S%z}.",
            next_step="Ask the user which time they want; the year may be mistyped.",
        )


@tool(Effect.CHANGES, title="Create a campaign", plan=plan, locks=locks, dials_when="scheduled_at")
async def run(args: CreateCampaignArgs, ctx: ToolContext) -> CampaignCreated:
    """Create a campaign: who is called (audience), who talks (agent), from which caller IDs.

    Without scheduled_at it is a draft and dials nobody until start_campaign. With scheduled_at it
    DIALS by itself then, after confirmation. It cannot be changed afterwards.
    """
    if ctx.plan is None:
        made, facts = await _draft(args, ctx)
    else:
        made, facts = await _creation(args, ctx.plan, ctx).once(ctx), ctx.plan
    if made.thing.status in DIALS:
        await ctx.memory.saw(made.thing.id)
    return await _result(made, facts, ctx, _defaults(args))


async def _draft(args: CreateCampaignArgs, ctx: ToolContext) -> tuple[Made[Campaign], Plan]:
    """Make a draft; an equal one has its name and is a draft, so that drafts of a name take turns.

    What is alike can then be looked for before what the arguments name is known.
    """
    async with ctx.memory.alone(key_of("drafts", args.name), patience=TURN):
        reads: dict[str, Callable[[], Awaitable[Any]]] = {
            "named": partial(named, args, "schedule", ctx),
            "of name": partial(ctx.atoms.newest_of, args.name),
        }
        (facts, _), of_name = await all_of(reads)
        return await _creation(args, facts, ctx, of_name).once(ctx), facts


def _creation(
    args: CreateCampaignArgs,
    facts: Plan,
    ctx: ToolContext,
    of_name: Sequence[Campaign] | None = None,
) -> Creation[Campaign]:
    body = body_of(facts, at=args.scheduled_at, description=args.description or "")
    return creation(body, ctx, _allow if args.allow_duplicate else _refuse, of_name)


def _allow(_: Sequence[Campaign]) -> None:
    """Let a second one be made on purpose."""


def _refuse(alike: Sequence[Campaign]) -> None:
    for campaign in alike:
        if campaign.status not in TERMINAL:
            raise WrongState(
                f"name: campaign {campaign.label} ({word(campaign.id)}, "
                f"{word(campaign.status)}) has the same name, agent, audience, caller IDs, "
                "retries and schedule. Nothing was sent.",
                next_step="Go on with that one. Only if the user says that they want the same "
                "contacts called twice, set allow_duplicate.",
            )


def _defaults(args: CreateCampaignArgs) -> str:
    """Report what nobody chose, so that a user can."""
    names = ["max_retries", "retry_delay"] if args.max_retries else ["max_retries"]
    taken = [f"{name} {getattr(args, name)}" for name in names if name not in args.model_fields_set]
    return f"By default: {', '.join(taken)}." if taken else ""


async def _result(
    made: Made[Campaign], facts: Plan, ctx: ToolContext, defaults: str
) -> CampaignCreated:
    campaign = made.thing
    await ctx.memory.keep_callers(campaign.id, facts.phone_ids)
    step = "Nobody is called yet. preview_campaign shows what a start would do."
    if ctx.consent == "off":
        step = "Nobody is called yet; starting is switched off for this client."
    if campaign.status != "draft":
        step = campaign_states.next_step(campaign)
    return CampaignCreated(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        agent_id=facts.agent_id,
        agent=facts.agent,
        audience_id=facts.audience_id,
        audience=facts.audience,
        phone_ids=list(facts.phone_ids),
        caller_ids=list(facts.caller_ids),
        participants=campaign.participants,
        max_retries=campaign.max_retries,
        retry_delay=campaign.retry_delay,
        scheduled_at=campaign.scheduled_at,
        next_step=" ".join(filter(None, [made.note, defaults, step])),
    )
