from datetime import UTC

from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.guardrails.plan import Plan, fingerprint
from atoms_campaigns_mcp.schemas.arguments import CreateCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignCreated
from atoms_campaigns_mcp.tools import _resolve
from atoms_campaigns_mcp.tools._members import numbers_of
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool


async def plan(args: CreateCampaignArgs, ctx: ToolContext) -> Plan:
    """Read what the arguments name; only a scheduled campaign dials, so only it counts people."""
    if args.scheduled_at and args.scheduled_at <= ctx.now():
        raise InvalidArguments(
            f"scheduled_at: must be in the future; it is now {ctx.now():%Y-%m-%dT%H:%M:%S%z}.",
            next_step="Give a later time, or leave it out and start the campaign when due.",
        )
    agent = await _resolve.agent(ctx.atoms, args.agent_id)
    audience = await _resolve.audience(ctx.atoms, args.audience_id)
    callers = await _resolve.phone_numbers(ctx.atoms, args.phone_ids)
    numbers = await numbers_of(ctx.atoms, audience) if args.scheduled_at else []
    return Plan(
        action="schedule",
        name=args.name,
        agent_id=agent.id,
        agent=agent.name,
        audience_id=audience.id,
        audience=audience.name,
        people=len(numbers),
        members=fingerprint(numbers),
        phone_ids=tuple(row.id for row in callers),
        caller_ids=tuple(row.number for row in callers),
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
        scheduled_at=args.scheduled_at.isoformat() if args.scheduled_at else "",
    )


@tool(Effect.CHANGES, title="Create a campaign", plan=plan, dials_when="scheduled_at")
async def run(args: CreateCampaignArgs, ctx: ToolContext) -> CampaignCreated:
    """Create a campaign: who is called (audience), who talks (agent), from which caller IDs.

    Without scheduled_at it is a draft and dials nobody until start_campaign. With scheduled_at it
    DIALS by itself then, after confirmation. Nothing of it can be changed afterwards: delete it
    and create another.
    """
    facts = ctx.plan or await plan(args, ctx)
    made = await ctx.atoms.create_campaign(_body(args, facts))
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
