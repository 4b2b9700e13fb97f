from collections.abc import Sequence

from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.schemas.arguments import StartCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import STARTABLE, CampaignChanged
from atoms_campaigns_mcp.toolkit import campaign_states, start_proposal
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

BEFORE_RUNNING = STARTABLE | {"processing"}


async def locks(args: StartCampaignArgs, ctx: ToolContext) -> Sequence[str]:
    """Let nobody else change the campaign, or whom it calls."""
    # Its audience cannot be changed, so that a read before the lock, for the question, will do.
    campaign = (await start_proposal.campaign_of(args.campaign_id, ctx, anew=False)).campaign
    audience = [members_of(campaign.audience_id)] if campaign.audience_id else []
    return [campaign.id, *audience]


async def plan(args: StartCampaignArgs, ctx: ToolContext) -> Proposal | CampaignChanged:
    """Read the campaign and whom it calls; a campaign that already dials needs nothing."""
    details, before = await start_proposal.with_campaign(args.campaign_id, ctx)
    campaign = details.campaign
    if campaign_states.is_active(campaign):
        return CampaignChanged(
            campaign_id=campaign.id,
            name=campaign.name,
            status=campaign.status,
            changed=False,
            message="It had already been started; nothing was sent.",
            next_step=campaign_states.next_step(campaign),
        )
    if campaign.status not in STARTABLE:
        raise campaign_states.cannot_start(campaign)
    return (await start_proposal.of_campaign(details, ctx, before)).proposal


@tool(Effect.DIALS, title="Start or resume a campaign", plan=plan, locks=locks)
async def run(args: StartCampaignArgs, ctx: ToolContext) -> CampaignChanged:
    """PLACE REAL PHONE CALLS to every contact of the campaign's audience, after confirmation.

    Starts a draft, or resumes a paused campaign where it left off. A person is asked where the
    client allows it; otherwise the first call is refused with a confirm_token: tell the user what
    would happen and call again with it only if they agree. Gives the campaign's real status.
    """
    ours = await ctx.atoms.start_campaign(args.campaign_id)
    name = ctx.agreed().name
    campaign = await campaign_states.settled(ctx, args.campaign_id, name, before=BEFORE_RUNNING)
    unread = campaign.status == campaign_states.UNREAD
    if not unread and campaign.status not in STARTABLE:
        await ctx.memory.saw(campaign.id)
    waiting = unread or campaign.status in BEFORE_RUNNING
    message = "The start is queued; it does not dial yet." if waiting else "The start took effect."
    if unread:
        message = "The start was accepted; its state cannot be read at present."
    elif not ours:
        message = "It had already been started by somebody else; nothing was changed."
    elif campaign.error:
        message = f"It failed: {campaign.error}."
    return CampaignChanged(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        changed=ours,
        message=message,
        next_step="Call watch_campaign to see it begin, or get_campaign_status."
        if waiting
        else campaign_states.next_step(campaign),
    )
