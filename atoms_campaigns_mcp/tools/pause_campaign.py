from collections.abc import Iterable
from functools import partial

from atoms_campaigns_mcp.errors import AtomsCampaignsError, UpstreamError
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
    try:
        campaign = (await ctx.atoms.get_campaign(args.campaign_id)).campaign
    except UpstreamError:
        # Whoever stops a campaign must not depend on seeing it first.
        unseen = Campaign(id=args.campaign_id, status=_states.UNREAD)
        return _result([await _pause(unseen, ctx)], changed=True)
    if campaign.status == "paused":
        return _result([campaign], changed=False, message="It was already paused.")
    if not _states.is_active(campaign):
        raise _states.cannot_pause(campaign)
    return _result([await _pause(campaign, ctx)], changed=True)


async def _pause_all(ctx: ToolContext) -> CampaignsPaused:
    # In this order, so that one which begins to run meanwhile is in the second list.
    lists = [await _listed(ctx, status) for status in sorted(ACTIVE)]
    dialling = list({campaign.id: campaign for rows, _ in lists for campaign in rows}.values())
    unlisted = [error for _, error in lists if error]
    if unlisted and not dialling:
        raise unlisted[0]
    # One that cannot be paused must not keep the others dialling.
    stopped, failed = await attempt({c.id: partial(_pause, c, ctx) for c in dialling})
    rows = [stopped.get(campaign.id, campaign) for campaign in dialling]
    result = _result(rows, changed=bool(dialling), campaign_id="all")
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed.values())}"
    if unlisted:
        result.message += f" There may be more, which cannot be listed: {_reasons(unlisted)}"
    if failed or unlisted:
        result.next_step = "Call pause_campaign with all again at once."
    scheduled, unread = await _listed(ctx, "scheduled")
    if unread:
        result.message += " Which ones are scheduled cannot be read: list_campaigns shows them."
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if scheduled:
        result.message += f" {counted(len(scheduled), 'campaign')} scheduled."
        result.next_step += " Only delete_campaign stops what is scheduled."
    return result


def _reasons(errors: Iterable[AtomsCampaignsError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))


async def _pause(campaign: Campaign, ctx: ToolContext) -> Campaign:
    await ctx.atoms.pause_campaign(campaign.id)
    return await _states.settled(ctx, campaign.id, campaign.name, before=ACTIVE)


async def _listed(
    ctx: ToolContext, status: str
) -> tuple[list[Campaign], AtomsCampaignsError | None]:
    """Give the campaigns in that state, and what kept the rest from being read."""
    found: list[Campaign] = []
    page, more = 0, True
    try:
        while more:
            page += 1
            rows, listed = await ctx.atoms.list_campaigns(status=status, limit=PAGE, page=page)
            found += rows
            more = listed.has_more and bool(rows)
    except AtomsCampaignsError as error:
        return found, error
    return found, None


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
    step = "start_campaign resumes a paused campaign; list_campaigns shows all." if rows else ""
    if waiting:
        step = "Call get_campaign_status in a few seconds to see it paused."
    status = "running" if waiting else "paused"
    return CampaignsPaused(
        campaign_id=campaign_id or rows[0].id,
        status=rows[0].status if len(rows) == 1 else status,
        changed=changed,
        message=message or default,
        campaigns=[_row(row) for row in rows[:SHOWN]],
        next_step=step,
    )


def _row(campaign: Campaign) -> Paused:
    return Paused(id=campaign.id, name=campaign.name, status=campaign.status)
