from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, CampaignChanged
from atoms_campaigns_mcp.tools import _states
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool


@tool(Effect.CHANGES, title="Pause a campaign", emergency=True)
async def run(args: PauseCampaignArgs, ctx: ToolContext) -> CampaignChanged:
    """Stop a campaign from placing new calls, at once and without confirmation.

    Calls in progress go on to their end; queued ones are cancelled. start_campaign resumes it
    where it left off. A scheduled campaign can only be deleted.
    """
    campaign = (await ctx.atoms.get_campaign(args.campaign_id)).campaign
    changed = campaign.status != "paused"
    message = "It was already paused; nothing was sent."
    if changed:
        if not _states.is_active(campaign):
            raise _states.cannot_pause(campaign)
        await ctx.atoms.pause_campaign(args.campaign_id)
        campaign = await _states.settled(ctx, args.campaign_id, before=ACTIVE)
        message = "No new call is made; calls in progress go on to their end."
        if _states.is_active(campaign):
            message = "The pause is queued and has not taken effect yet."
    return CampaignChanged(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        changed=changed,
        message=message,
        next_step="Call get_campaign_status in a few seconds to see it paused."
        if _states.is_active(campaign)
        else _states.next_step(campaign),
    )
