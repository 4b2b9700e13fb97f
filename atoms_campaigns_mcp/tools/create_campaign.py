from dataclasses import replace
from datetime import UTC

from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.schemas.arguments import CreateCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignCreated
from atoms_campaigns_mcp.schemas.resources import Audience
from atoms_campaigns_mcp.tools import _resolve
from atoms_campaigns_mcp.tools._facts import read_facts
from atoms_campaigns_mcp.tools._members import contacts_of
from atoms_campaigns_mcp.tools._proposals import judged
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool


async def plan(args: CreateCampaignArgs, ctx: ToolContext) -> Proposal:
    """Judge a scheduled campaign as its start would be, for it dials without being started."""
    start = args.scheduled_at or ctx.now()
    if start <= ctx.now():
        raise InvalidArguments(
            f"scheduled_at: must be in the future; it is now {ctx.now():%Y-%m-%dT%H:%M:%S%z}.",
            next_step="Give a later time, or leave it out and start the campaign when due.",
        )
    facts, audience = await _named(args, ctx)
    contacts = await contacts_of(ctx.atoms, audience)
    read = await read_facts(
        ctx,
        agent_id=facts.agent_id,
        audience=audience,
        contacts=contacts,
        phone_ids=facts.phone_ids,
        start=start,
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
    )
    members = fingerprint(contact.number for contact in contacts)
    agreed = replace(facts, people=len(contacts), members=members, scheduled_at=start.isoformat())
    return (await judged(agreed, read, ctx)).proposal


async def _named(args: CreateCampaignArgs, ctx: ToolContext) -> tuple[Plan, Audience]:
    """Resolve what the arguments name."""
    agent = await _resolve.agent(ctx.atoms, args.agent_id)
    audience = await _resolve.audience(ctx.atoms, args.audience_id)
    callers = await _resolve.phone_numbers(ctx.atoms, args.phone_ids)
    named = Plan(
        action="schedule",
        name=args.name,
        agent_id=agent.id,
        agent=agent.name,
        audience_id=audience.id,
        audience=audience.name,
        phone_ids=tuple(row.id for row in callers),
        caller_ids=tuple(row.number for row in callers),
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
    )
    return named, audience


@tool(Effect.CHANGES, title="Create a campaign", plan=plan, dials_when="scheduled_at")
async def run(args: CreateCampaignArgs, ctx: ToolContext) -> CampaignCreated:
    """Create a campaign: who is called (audience), who talks (agent), from which caller IDs.

    Without scheduled_at it is a draft and dials nobody until start_campaign. With scheduled_at it
    DIALS by itself then, after confirmation. Nothing of it can be changed afterwards: delete it
    and create another.
    """
    facts = ctx.plan or (await _named(args, ctx))[0]
    made = await ctx.atoms.create_campaign(_body(args, facts))
    await ctx.remember(made.id, facts.phone_ids)
    step = f"Nobody is called yet. To dial, call start_campaign with campaign_id {made.id}."
    if made.status == "scheduled":
        step = "It dials by itself at scheduled_at. To stop it before then, call delete_campaign."
    return CampaignCreated(
        campaign_id=made.id,
        name=made.name,
        status=made.status,
        agent_id=facts.agent_id,
        audience_id=facts.audience_id,
        phone_ids=list(facts.phone_ids),
        participants=made.participants,
        max_retries=made.max_retries,
        retry_delay=made.retry_delay,
        scheduled_at=made.scheduled_at,
        next_step=step,
    )


def _body(args: CreateCampaignArgs, facts: Plan) -> dict[str, object]:
    body: dict[str, object] = {
        "name": args.name,
        "agentId": facts.agent_id,
        "audienceId": facts.audience_id,
        "phoneNumberIds": list(facts.phone_ids),
        "maxRetries": args.max_retries,
        "retryDelay": args.retry_delay,
    }
    if args.description:
        body["description"] = args.description
    if args.scheduled_at:
        moment = args.scheduled_at.astimezone(UTC)
        body["scheduledAt"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return body
