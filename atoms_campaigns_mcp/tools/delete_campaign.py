from collections.abc import Sequence

from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal
from atoms_campaigns_mcp.schemas.arguments import DeleteCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignChanged
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


async def locks(args: DeleteCampaignArgs, ctx: ToolContext) -> Sequence[str]:  # noqa: ARG001
    """Let nobody else change the campaign."""
    return [args.campaign_id]


async def plan(args: DeleteCampaignArgs, ctx: ToolContext) -> Proposal:
    """Read what would be lost."""
    campaign = (await ctx.atoms.get_campaign(args.campaign_id)).campaign
    if campaign_states.is_active(campaign):
        raise campaign_states.cannot_delete(campaign)
    return Proposal(
        Plan(
            action="delete_campaign",
            campaign_id=campaign.id,
            name=campaign.name,
            status=campaign.status,
        )
    )


@tool(Effect.DESTROYS, title="Delete a campaign", plan=plan, locks=locks)
async def run(args: DeleteCampaignArgs, ctx: ToolContext) -> CampaignChanged:
    """Delete a campaign and its execution history for good, after confirmation.

    Refused while it is processing or running: pause it first. Deleting a scheduled campaign is the
    only way to stop it. Where no person can be asked, the first call is refused with a
    confirm_token.
    """
    await ctx.atoms.delete_campaign(args.campaign_id)
    return CampaignChanged(
        campaign_id=args.campaign_id,
        name=ctx.agreed().name,
        status="deleted",
        changed=True,
        message="It is gone with its history; the call logs stay with the organization.",
        next_step="list_campaigns shows what is left.",
    )
