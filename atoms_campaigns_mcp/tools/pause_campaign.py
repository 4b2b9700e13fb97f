import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial

import anyio

from atoms_campaigns_mcp.concurrency import attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound, NotRecorded, Rejected
from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import (
    ACTIVE,
    STARTABLE,
    TERMINAL,
    Campaign,
    CampaignsPaused,
    Paused,
)
from atoms_campaigns_mcp.schemas.fields import NAME_MAX
from atoms_campaigns_mcp.schemas.text import clean, counted
from atoms_campaigns_mcp.state.guarding import EVERYTHING
from atoms_campaigns_mcp.toolkit import campaign_states, hanging_up
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool
from atoms_campaigns_mcp.toolkit.waves.names import is_of

PAGE = 100  # campaigns a request
JOURNAL = 1.0  # seconds that a stop waits to learn what was begun here
LOOKING = 5.0  # seconds after the stop that may go into saying what goes on
SHOWN = 50  # campaigns named in the result; all are paused, and all are counted
_IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
HOW = "pause_campaign with campaign_id all stops everything that dials, with an id one campaign."


@tool(Effect.CHANGES, title="Pause a campaign", emergency=True)
async def run(args: PauseCampaignArgs, ctx: ToolContext) -> CampaignsPaused:
    """EMERGENCY STOP: place no new calls of a campaign, or of all, at once and unconfirmed.

    Calls in progress go on to their end unless hang_up; queued ones are cancelled. start_campaign
    resumes where it left off, but calls nobody who was hung up. Scheduled campaigns are listed, not
    paused: delete them.
    """
    named = (args.campaign_id or "").strip("[]\"'` ")
    if not named:
        return await _what_dials(ctx)
    ids = list(dict.fromkeys(_IDS.findall(named.lower())))
    everything = named.casefold() == "all"
    stopped = [EVERYTHING] if everything else ids
    try:
        if everything:
            return await _pause_all(ctx, hang_up=args.hang_up)
        result = await _pause_these(ids, named, ctx, hang_up=args.hang_up)
        stopped = stopped or [row.id for row in result.campaigns]
        await _tell_others(result, ctx)
        return result
    finally:
        # Also of what could not be paused: no guard may resume what somebody wants to stand still.
        await ctx.memory.stopped(stopped)


async def _pause_these(
    ids: Sequence[str], named: str, ctx: ToolContext, *, hang_up: bool
) -> CampaignsPaused:
    if not ids:
        return await _pause_named(named, ctx, hang_up=hang_up)
    if len(ids) > 1:
        unread = [Campaign(id=one, status=campaign_states.UNREAD) for one in ids]
        return await _pause_each(unread, ctx, hang_up=hang_up)
    campaign, changed = await _pause(ids[0], "", ctx, hang_up=hang_up)
    result = _result([campaign], changed=changed)
    await _tell_calls(result, ids, ctx, hang_up=hang_up)
    return result


async def _tell_calls(
    result: CampaignsPaused, ids: Sequence[str], ctx: ToolContext, *, hang_up: bool
) -> None:
    """End the calls of these campaigns if that is asked for, and say how many go on."""
    if not ids:
        return
    if hang_up:
        told = await hanging_up.hang_up(ids, ctx)
        result.changed = result.changed or bool(told.ended)
        result.hung_up, result.not_hung_up = told.ended, told.failed
        if told.errors:
            result.message += f" Not every call could be found or ended: {_reasons(told.errors)}"
            result.next_step = "Call pause_campaign with hang_up again at once."
    with anyio.move_on_after(LOOKING):
        with suppress(AtomsCampaignsError):
            result.calls_in_progress = await hanging_up.count_live(ids, ctx)
    if result.calls_in_progress is None:
        result.message += " How many calls go on cannot be read at present."
    elif result.calls_in_progress and not hang_up:
        result.next_step += " pause_campaign with hang_up ends calls in progress."


async def _tell_others(result: CampaignsPaused, ctx: ToolContext) -> None:
    """Say what else dials or will: whoever stops one thing often means all of it."""
    stopped = {row.id for row in result.campaigns}
    with anyio.move_on_after(LOOKING):
        dialling, unlisted = await _dialling(ctx)
        scheduled, unread = await _listed(ctx, "scheduled")
        others = [campaign for campaign in dialling if campaign.id not in stopped]
        result.others = [_row(campaign) for campaign in others[:SHOWN]]
        result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
        if unlisted or unread:
            result.message += " What else dials or is scheduled cannot be read at present."
        elif not others and not scheduled:
            result.message += " Nothing else dials, and no campaign is scheduled."
        else:
            result.message += f" Besides, {_count(others)} and {len(scheduled)} will by themselves."
        return
    result.message += " What else dials or is scheduled cannot be read at present."


async def _pause(
    campaign_id: str, name: str, ctx: ToolContext, *, hang_up: bool
) -> tuple[Campaign, bool]:
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
        if campaign.status in STARTABLE:
            begun = await _begun(ctx)
            if begun is None or campaign_id in begun:
                try:
                    return await _pause_begun(campaign, ctx), True
                except campaign_states.NotYet:
                    if begun is not None:
                        raise
        # The API may call a campaign completed whose last calls still ring.
        if campaign.status == "paused" or (hang_up and campaign.status in TERMINAL):
            return campaign, False
        if not campaign_states.is_active(campaign):
            raise campaign_states.cannot_pause(campaign) from None
        await ctx.atoms.pause_campaign(campaign_id)  # it has begun to run in this moment
    return await campaign_states.settled(ctx, campaign_id, name, before=ACTIVE), True


async def _begun(ctx: ToolContext) -> list[str] | None:
    """Return what was made to dial here and has not been seen to; None if it cannot be read."""
    try:
        with anyio.move_on_after(JOURNAL):
            return [campaign_id for campaign_id in await ctx.memory.begun() if campaign_id]
    except NotRecorded:
        pass
    return None


async def _pause_begun(campaign: Campaign, ctx: ToolContext) -> Campaign:
    """Ask again until a start that the API has accepted shows, and can be paused."""
    for pause in campaign_states.LOOKS:
        await ctx.sleep(pause)
        try:
            await ctx.atoms.pause_campaign(campaign.id)
        except Rejected:
            continue
        return await campaign_states.settled(ctx, campaign.id, campaign.name, before=ACTIVE)
    raise campaign_states.cannot_pause_yet(campaign)


async def _pause_each(
    campaigns: Sequence[Campaign], ctx: ToolContext, campaign_id: str = "", *, hang_up: bool
) -> CampaignsPaused:
    # One that cannot be paused must not keep the others dialling.
    stopped, failed = await attempt(
        {c.id: partial(_pause, c.id, c.name, ctx, hang_up=hang_up) for c in campaigns}
    )
    if campaigns and not stopped and not campaign_id:
        raise next(iter(failed.values()))
    seen = [c for c in campaigns if c.id in stopped or c.status != campaign_states.UNREAD]
    rows = [stopped[c.id][0] if c.id in stopped else c for c in seen]
    changed = any(changed for _, changed in stopped.values())
    result = _result(rows, changed=changed or bool(failed), campaign_id=campaign_id)
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed.values())}"
    await _tell_calls(result, list(stopped), ctx, hang_up=hang_up)
    if failed:
        result.next_step = f"Call pause_campaign with {campaign_id or 'these ids'} again at once."
    return result


async def _pause_all(ctx: ToolContext, *, hang_up: bool) -> CampaignsPaused:
    dialling, unlisted = await _dialling(ctx)
    if unlisted and not dialling:
        raise unlisted[0]
    result = await _pause_each(dialling, ctx, "all", hang_up=hang_up)
    if unlisted:
        result.message += f" There may be more, which cannot be listed: {_reasons(unlisted)}"
        result.next_step = "Call pause_campaign with all again at once."
    late = await _pause_what_begins(dialling, result, ctx, hang_up=hang_up)
    scheduled, unread = await _listed(ctx, "scheduled")
    if unread:
        result.message += " Which ones are scheduled cannot be read: list_campaigns shows them."
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if not late and not unlisted and not unread and not scheduled:
        result.message += " Nothing else dials, and no campaign is scheduled."
    if scheduled:
        result.message += f" {counted(len(scheduled), 'campaign')} scheduled."
        result.next_step += " Only delete_campaign stops what is scheduled."
    return result


async def _pause_what_begins(
    paused: Sequence[Campaign], result: CampaignsPaused, ctx: ToolContext, *, hang_up: bool
) -> bool:
    """Pause also what was begun here and does not show it yet; true if some may still begin."""
    begun = await _begun(ctx) or []
    listed = {campaign.id for campaign in paused}
    calls = {
        one: partial(_pause, one, "", ctx, hang_up=hang_up) for one in begun if one not in listed
    }
    stopped, failed = await attempt(calls)
    rows = [campaign for campaign, changed in stopped.values() if changed]
    result.campaigns = [*result.campaigns, *map(_row, rows)][:SHOWN]
    if rows:
        result.changed = True
        result.message += f" {counted(len(rows), 'campaign')} that had just begun: paused too."
    late = [error for error in failed.values() if isinstance(error, campaign_states.NotYet)]
    if late:
        result.message += f" {_reasons(late)}"
        result.next_step = "Call pause_campaign with all again at once."
    return bool(late)


async def _pause_named(name: str, ctx: ToolContext, *, hang_up: bool) -> CampaignsPaused:
    """Pause whatever dials under that name, even if it is several: all can be resumed."""
    name = name.removesuffix("*").strip()
    dialling, unlisted = await _dialling(ctx)
    if named := _of_name(dialling, name):
        return await _pause_each(named, ctx, hang_up=hang_up)
    for error in unlisted:
        raise error
    rows: Sequence[Campaign] = ()
    if len(name) <= NAME_MAX:
        rows, _ = await ctx.atoms.list_campaigns(search=name, limit=PAGE)
    others = _of_name(rows, name)
    begun = await _begun(ctx) or [] if others else []
    if begins := [campaign for campaign in others if campaign.id in begun]:
        return await _pause_each(begins, ctx, hang_up=hang_up)
    paused = [campaign for campaign in others if campaign.status == "paused"]
    if hang_up:
        paused += [campaign for campaign in others if campaign.status in TERMINAL]
    if paused:
        result = _result(paused, changed=False)
        await _tell_calls(result, [row.id for row in paused], ctx, hang_up=hang_up)
        return result
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
    """Choose those of that name, and the waves of it."""
    return [campaign for campaign in rows if is_of(campaign.name, clean(name))]


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


def _result(rows: list[Campaign], *, changed: bool, campaign_id: str = "") -> CampaignsPaused:
    unread = any(row.status == campaign_states.UNREAD for row in rows)
    waiting = unread or any(campaign_states.is_active(row) for row in rows)
    message = "No new call is made."
    if not rows:
        message = "Nothing was dialling."
    elif unread:
        message = "The pause was accepted; what it did cannot be read at present."
    elif waiting:
        message = "The pause is queued and has not taken effect everywhere yet."
    elif not changed:
        over = all(row.status in TERMINAL for row in rows)
        message = "It was over already." if over else "It was already paused."
    if cancelled := sum(row.cancelled_calls or 0 for row in rows):
        message += f" {counted(cancelled, 'queued call')} cancelled by pauses so far; a resumption "
        message += "dials these contacts."
    step = "start_campaign resumes a paused campaign; list_campaigns shows all." if rows else ""
    if waiting:
        step = "Call get_campaign_status in a few seconds to see it paused."
    status = "running" if waiting else "paused"
    return CampaignsPaused(
        campaign_id=campaign_id or ", ".join(row.id for row in rows[:SHOWN]),
        status=rows[0].status if len(rows) == 1 else status,
        changed=changed,
        message=message,
        campaigns=[_row(row) for row in rows[:SHOWN]],
        next_step=step,
    )


def _row(campaign: Campaign) -> Paused:
    return Paused(
        id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        scheduled_at=campaign.scheduled_at if campaign.status == "scheduled" else None,
    )
