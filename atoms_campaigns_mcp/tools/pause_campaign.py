import re
from collections.abc import Iterable, Sequence
from functools import partial

from atoms_campaigns_mcp.concurrency import attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound, Rejected
from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign, CampaignsPaused, Paused
from atoms_campaigns_mcp.schemas.fields import NAME_MAX
from atoms_campaigns_mcp.schemas.text import clean, counted
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

PAGE = 100  # campaigns a request
SHOWN = 50  # campaigns named in the result; all are paused, and all are counted
_IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
HOW = "pause_campaign with campaign_id all stops everything that dials, with an id one campaign."


@tool(Effect.CHANGES, title="Pause a campaign", emergency=True)
async def run(args: PauseCampaignArgs, ctx: ToolContext) -> CampaignsPaused:
    """EMERGENCY STOP: place no new calls of a campaign, or of all, at once and unconfirmed.

    Calls in progress go on to their end; queued ones are cancelled. start_campaign resumes where
    it left off. Scheduled campaigns are not paused: with all they are listed, delete them.
    """
    named = (args.campaign_id or "").strip("[]\"'` ")
    if not named:
        return await _what_dials(ctx)
    if named.casefold() == "all":
        return await _pause_all(ctx)
    ids = list(dict.fromkeys(_IDS.findall(named.lower())))
    if len(ids) == 1:
        campaign, changed = await _pause(ids[0], "", ctx)
        message = "" if changed else "It was already paused."
        return _result([campaign], changed=changed, message=message)
    if ids:
        return await _pause_each(
            [Campaign(id=one, status=campaign_states.UNREAD) for one in ids], ctx
        )
    return await _pause_named(named, ctx)


async def _pause(campaign_id: str, name: str, ctx: ToolContext) -> tuple[Campaign, bool]:
    """Pause it and look afterwards: whoever stops it must not depend on seeing it first.

    Gives what it is now, and whether anything was changed.
    """
    try:
        await ctx.atoms.pause_campaign(campaign_id)
    except Rejected as refused:
        try:
            campaign = (await ctx.atoms.anew().get_campaign(campaign_id)).campaign
        except AtomsCampaignsError:
            raise refused from None
        if campaign.status == "paused":
            return campaign, False
        if not campaign_states.is_active(campaign):
            raise campaign_states.cannot_pause(campaign) from None
        await ctx.atoms.pause_campaign(campaign_id)  # it has begun to run in this moment
    return await campaign_states.settled(ctx, campaign_id, name, before=ACTIVE), True


async def _pause_each(
    campaigns: Sequence[Campaign], ctx: ToolContext, campaign_id: str = ""
) -> CampaignsPaused:
    # One that cannot be paused must not keep the others dialling.
    stopped, failed = await attempt({c.id: partial(_pause, c.id, c.name, ctx) for c in campaigns})
    if campaigns and not stopped and not campaign_id:
        raise next(iter(failed.values()))
    seen = [c for c in campaigns if c.id in stopped or c.status != campaign_states.UNREAD]
    rows = [stopped[c.id][0] if c.id in stopped else c for c in seen]
    changed = any(changed for _, changed in stopped.values())
    result = _result(rows, changed=changed or bool(failed), campaign_id=campaign_id)
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed.values())}"
        result.next_step = f"Call pause_campaign with {campaign_id or 'these ids'} again at once."
    return result


async def _pause_all(ctx: ToolContext) -> CampaignsPaused:
    dialling, unlisted = await _dialling(ctx)
    if unlisted and not dialling:
        raise unlisted[0]
    result = await _pause_each(dialling, ctx, "all")
    if unlisted:
        result.message += f" There may be more, which cannot be listed: {_reasons(unlisted)}"
        result.next_step = "Call pause_campaign with all again at once."
    scheduled, unread = await _listed(ctx, "scheduled")
    if unread:
        result.message += " Which ones are scheduled cannot be read: list_campaigns shows them."
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if scheduled:
        result.message += f" {counted(len(scheduled), 'campaign')} scheduled."
        result.next_step += " Only delete_campaign stops what is scheduled."
    return result


async def _pause_named(name: str, ctx: ToolContext) -> CampaignsPaused:
    """Pause whatever dials under that name, even if it is several: all can be resumed."""
    dialling, unlisted = await _dialling(ctx)
    if named := _of_name(dialling, name):
        return await _pause_each(named, ctx)
    for error in unlisted:
        raise error
    rows: Sequence[Campaign] = ()
    if len(name) <= NAME_MAX:
        rows, _ = await ctx.atoms.list_campaigns(search=name, limit=PAGE)
    others = _of_name(rows, name)
    paused = [campaign for campaign in others if campaign.status == "paused"]
    if paused:
        return _result(paused, changed=False, message="It was already paused.")
    for campaign in others:
        raise campaign_states.cannot_pause(campaign)
    shown = ", ".join(f"{row.label} ({row.id})" for row in dialling[:SHOWN]) or "nothing"
    raise NotFound(
        "campaign_id: no campaign has this id or exact name, so nothing was paused. "
        f"{_count(dialling)} now: {shown}.",
        next_step=HOW,
    )


async def _what_dials(ctx: ToolContext) -> CampaignsPaused:
    """Answer a stop that names nothing: what could be stopped, and how."""
    dialling, unlisted = await _dialling(ctx)
    if unlisted and not dialling:
        raise unlisted[0]
    message = f"Nothing was paused, since no campaign was named. {_count(dialling)} now."
    if unlisted:
        message += f" There may be more, which cannot be listed: {_reasons(unlisted)}"
    return CampaignsPaused(
        campaign_id="",
        status="running" if dialling else "paused",
        changed=False,
        message=message,
        campaigns=[_row(campaign) for campaign in dialling[:SHOWN]],
        next_step=HOW,
    )


async def _dialling(ctx: ToolContext) -> tuple[list[Campaign], list[AtomsCampaignsError]]:
    """Return what dials, and what kept the rest from being listed."""
    # In this order, so that one which begins to run meanwhile is in the second list.
    lists = [await _listed(ctx, status) for status in sorted(ACTIVE)]
    dialling = list({campaign.id: campaign for rows, _ in lists for campaign in rows}.values())
    return dialling, [error for _, error in lists if error]


def _of_name(rows: Sequence[Campaign], name: str) -> list[Campaign]:
    wanted = str(clean(name)).casefold()
    return [campaign for campaign in rows if campaign.name.casefold() == wanted]


def _count(dialling: Sequence[Campaign]) -> str:
    return f"{counted(len(dialling), 'campaign')} {'dials' if len(dialling) == 1 else 'dial'}"


def _reasons(errors: Iterable[AtomsCampaignsError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))


async def _listed(
    ctx: ToolContext, status: str
) -> tuple[list[Campaign], AtomsCampaignsError | None]:
    """Return the campaigns in that state, and what kept the rest from being read."""
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
    unread = any(row.status == campaign_states.UNREAD for row in rows)
    waiting = unread or any(campaign_states.is_active(row) for row in rows)
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
        campaign_id=campaign_id or ", ".join(row.id for row in rows[:SHOWN]),
        status=rows[0].status if len(rows) == 1 else status,
        changed=changed,
        message=message or default,
        campaigns=[_row(row) for row in rows[:SHOWN]],
        next_step=step,
    )


def _row(campaign: Campaign) -> Paused:
    return Paused(id=campaign.id, name=campaign.name, status=campaign.status)
