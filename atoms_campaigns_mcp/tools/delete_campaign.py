from collections.abc import Sequence
from functools import partial

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal
from atoms_campaigns_mcp.schemas.arguments import DeleteCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import Campaign, CampaignsDeleted
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool
from atoms_campaigns_mcp.toolkit.waves.deleting import delete_each


async def locks(args: DeleteCampaignArgs, ctx: ToolContext) -> Sequence[str]:  # noqa: ARG001
    """Let nobody else change the campaigns."""
    return sorted(args.campaign_id.split(", "))


async def plan(args: DeleteCampaignArgs, ctx: ToolContext) -> Proposal:
    """Read what would be lost."""
    ids = args.campaign_id.split(", ")
    details = await all_of({one: partial(ctx.atoms.get_campaign, one) for one in ids})
    campaigns = [read.campaign for read in details]
    for campaign in campaigns:
        if campaign_states.is_active(campaign):
            raise campaign_states.cannot_delete(campaign)
    return Proposal(_plan(campaigns), basis=campaigns)


def _plan(campaigns: Sequence[Campaign]) -> Plan:
    first = campaigns[0]
    if len(campaigns) == 1:
        return Plan(
            action="delete_campaign", campaign_id=first.id, name=first.name, status=first.status
        )
    rows = [f"- {row.label} ({row.id}, {word(row.status)}) #{row.id}" for row in campaigns]
    return Plan(action="delete_campaigns", name=first.name, waves=tuple(rows))


@tool(Effect.DESTROYS, title="Delete a campaign", plan=plan, locks=locks)
async def run(args: DeleteCampaignArgs, ctx: ToolContext) -> CampaignsDeleted:
    """Delete a campaign and its history for good, after confirmation.

    Refused while it is processing or running: pause it first. Deleting a scheduled campaign is the
    only way to stop it. Where no person can be asked, the first call is refused with a
    confirm_token.
    """
    campaigns: Sequence[Campaign] = ctx.basis
    await delete_each(campaigns, ctx)
    one = len(campaigns) == 1
    message = "It is gone with its history; the call logs stay with the organization."
    if not one:
        message = "They are gone with their history; the call logs stay with the organization."
    return CampaignsDeleted(
        campaign_id=args.campaign_id,
        name=campaigns[0].name if one else ", ".join(row.name for row in campaigns),
        status="deleted",
        changed=True,
        message=message,
        campaigns=len(campaigns),
        next_step="list_campaigns shows what is left.",
    )
