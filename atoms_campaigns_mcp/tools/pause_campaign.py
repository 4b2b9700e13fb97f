from functools import partial

from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign, CampaignsPaused, Paused
from atoms_campaigns_mcp.schemas.fields import counted
from atoms_campaigns_mcp.tools import _states
from atoms_campaigns_mcp.tools._parallel import attempt
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool

PAGE = 100  # campaigns a request
SHOWN = 50  # campaigns named in the result; all are paused, and all are counted


@tool(Effect.CHANGES, title="Pause a campaign", emergency=True)
async def run(args: PauseCampaignArgs, ctx: ToolContext) -> CampaignsPaused:
    """EMERGENCY STOP: place no new calls of a campaign, or of all, at once and unconfirmed.

    Calls in progress go on to their end; queued ones are cancelled. start_campaign resumes where
    it left off. Scheduled campaigns are not paused: with all they are listed, delete them.
    """
    if args.campaign_id == "all":
        return await _pause_all(ctx)
    campaign = (await ctx.atoms.get_campaign(args.campaign_id)).campaign
    if campaign.status == "paused":
        return _result([campaign], changed=False, message="It was already paused.")
    if not _states.is_active(campaign):
        raise _states.cannot_pause(campaign)
    return _result([await _pause(campaign, ctx)], changed=True)


async def _pause_all(ctx: ToolContext) -> CampaignsPaused:
    dialling = [c for status in sorted(ACTIVE) for c in await _all(ctx, status)]
    # One that cannot be paused must not keep the others dialling.
    stopped, failed = await attempt({c.id: partial(_pause, c, ctx) for c in dialling})
    rows = [stopped.get(campaign.id, campaign) for campaign in dialling]
    result = _result(rows, changed=bool(dialling), campaign_id="all")
    if failed:
        reasons = "; ".join(dict.fromkeys(error.message for error in failed.values()))
        result.message += f" {len(failed)} could not be paused: {reasons}"
    later, unread = await attempt({"scheduled": partial(_all, ctx, "scheduled")})
    scheduled = later.get("scheduled", [])
    if unread:
        result.message += " Which ones are scheduled cannot be read: list_campaigns shows them."
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if scheduled:
        result.message += f" {counted(len(scheduled), 'campaign')} scheduled."
    return result


async def _pause(campaign: Campaign, ctx: ToolContext) -> Campaign:
    await ctx.atoms.pause_campaign(campaign.id)
    return await _states.settled(ctx, campaign.id, campaign.name, before=ACTIVE)


async def _all(ctx: ToolContext, status: str) -> list[Campaign]:
    rows, listed = await ctx.atoms.list_campaigns(status=status, limit=PAGE)
    page = 1
    while listed.has_more:
        page += 1
        more, listed = await ctx.atoms.list_campaigns(status=status, limit=PAGE, page=page)
        rows += more
    return rows


def _result(
    rows: list[Campaign], *, changed: bool, message: str = "", campaign_id: str = ""
) -> CampaignsPaused:
    unread = any(row.status == _states.UNREAD for row in rows)
    waiting = unread or any(_states.is_active(row) for row in rows)
    default = "No new call is made; calls in progress go on to their end."
    if not rows:
        default = "Nothing was dialling."
    elif unread:
        default = "The pause was accepted; what it did cannot be read at present."
    elif waiting:
        default = "The pause is queued and has not taken effect everywhere yet."
    return CampaignsPaused(
        campaign_id=campaign_id or rows[0].id,
        status=rows[0].status if len(rows) == 1 else "running" if waiting else "paused",
        changed=changed,
        message=message or default,
        campaigns=[_row(row) for row in rows[:SHOWN]],
        next_step="Call get_campaign_status in a few seconds to see it paused."
        if waiting
        else "start_campaign resumes a paused campaign; list_campaigns shows all.",
    )


def _row(campaign: Campaign) -> Paused:
    return Paused(id=campaign.id, name=campaign.name, status=campaign.status)
