import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound
from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import (
    TERMINAL,
    Campaign,
    CampaignsPaused,
    Paused,
)
from atoms_campaigns_mcp.schemas.fields import NAME_MAX
from atoms_campaigns_mcp.schemas.text import clean, counted
from atoms_campaigns_mcp.state.guarding import EVERYTHING
from atoms_campaigns_mcp.toolkit import campaign_states, hanging_up, stopping
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool
from atoms_campaigns_mcp.toolkit.waves.names import is_of

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
        unread = [Campaign(id=one, status=campaign_states.UNREAD) for one in ids]
        if unread:
            return await _pause_each(unread, ctx, hang_up=args.hang_up)
        result = await _pause_named(named, ctx, hang_up=args.hang_up)
        stopped = [row.id for row in result.campaigns]
        return result
    finally:
        # Also of what could not be paused: no guard may resume what somebody wants to stand still.
        await ctx.memory.stopped(stopped)


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


@dataclass(frozen=True, slots=True)
class _Others:
    """What else dials or will; `unread` says that it may be more."""

    dialling: Sequence[Campaign] = ()
    scheduled: Sequence[Campaign] = ()
    unread: bool = True


async def _others(ctx: ToolContext) -> _Others:
    """Look what else dials or will: whoever stops one thing often means all of it."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "dialling": partial(stopping.dialling, ctx),
        "scheduled": partial(stopping.listed, ctx, "scheduled"),
    }
    with anyio.move_on_after(LOOKING):
        (dialling, unlisted), (scheduled, unread) = await all_of(reads)
        return _Others(dialling, scheduled, unread=bool(unlisted or unread))
    return _Others()


def _tell_others(result: CampaignsPaused, others: _Others) -> None:
    stopped = {row.id for row in result.campaigns}
    dialling = [campaign for campaign in others.dialling if campaign.id not in stopped]
    scheduled = others.scheduled
    result.others = [_row(campaign) for campaign in dialling[:SHOWN]]
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if others.unread:
        result.message += " What else dials or is scheduled cannot be read at present."
    elif not dialling and not scheduled:
        result.message += " Nothing else dials, and no campaign is scheduled."
    else:
        result.message += f" Besides, {_count(dialling)} and {len(scheduled)} will by themselves."


async def _pause_each(
    campaigns: Sequence[Campaign], ctx: ToolContext, *, hang_up: bool
) -> CampaignsPaused:
    """Pause them; while that takes effect, look what else dials."""
    stopped, failed = await stopping.stop_each(campaigns, ctx, hang_up=hang_up)
    if not stopped:
        raise next(iter(failed.values()))
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "seen": partial(stopping.settled, stopped, ctx),
        "others": partial(_others, ctx),
    }
    seen, others = await all_of(reads)
    known = {c.id: c for c in campaigns if c.status != campaign_states.UNREAD} | seen
    changed = bool(failed) or any(accepted for _, accepted in stopped.values())
    result = _result([known[c.id] for c in campaigns if c.id in known], changed=changed)
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed.values())}"
    await _tell_calls(result, list(stopped), ctx, hang_up=hang_up)
    if failed:
        result.next_step = "Call pause_campaign with these ids again at once."
    _tell_others(result, others)
    return result


async def _pause_all(ctx: ToolContext, *, hang_up: bool) -> CampaignsPaused:
    stops = await stopping.stop_everything(ctx, hang_up=hang_up)
    if stops.unlisted and not stops.listed:
        raise stops.unlisted[0]
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "seen": partial(stopping.settled, stops.stopped, ctx),
        "scheduled": partial(stopping.listed, ctx, "scheduled"),
    }
    seen, (scheduled, unread) = await all_of(reads)
    accepted = [one for one, (_, accepted) in stops.stopped.items() if accepted]
    failed = [error for one, error in stops.failed.items() if one in stops.listed]
    rows = [seen.get(one, campaign) for one, campaign in stops.listed.items()]
    result = _result(rows, changed=bool(accepted or failed), campaign_id="all")
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed)}"
    concerned = [one for one in stops.stopped if one in stops.listed or one in accepted]
    await _tell_calls(result, concerned, ctx, hang_up=hang_up)
    late = [seen[one] for one in accepted if one not in stops.listed]
    result.campaigns = [*result.campaigns, *map(_row, late)][:SHOWN]
    if late:
        result.message += f" {counted(len(late), 'campaign')} that had just begun: paused too."
    whole = _tell_what_is_left(result, stops, failed=bool(failed))
    _tell_scheduled(result, scheduled, unread=bool(unread), whole=whole)
    return result


def _tell_what_is_left(
    result: CampaignsPaused, stops: stopping.Everything, *, failed: bool
) -> bool:
    """Say what may still dial or begin; true if nothing may but what could not be paused."""
    if stops.unlisted:
        reasons = _reasons(stops.unlisted)
        result.message += f" There may be more, which cannot be listed: {reasons}"
    may_begin = [
        error
        for one, error in stops.failed.items()
        if one not in stops.listed and isinstance(error, campaign_states.NotYet)
    ]
    if may_begin:
        result.message += f" {_reasons(may_begin)}"
    if failed or stops.unlisted or may_begin:
        result.next_step = "Call pause_campaign with all again at once."
    return not stops.unlisted and not may_begin


def _tell_scheduled(
    result: CampaignsPaused, scheduled: Sequence[Campaign], *, unread: bool, whole: bool
) -> None:
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if unread:
        result.message += " Which ones are scheduled cannot be read: list_campaigns shows them."
    elif whole and not scheduled:
        result.message += " Nothing else dials, and no campaign is scheduled."
    if scheduled:
        result.message += f" {counted(len(scheduled), 'campaign')} scheduled."
        result.next_step += " Only delete_campaign stops what is scheduled."


async def _pause_named(name: str, ctx: ToolContext, *, hang_up: bool) -> CampaignsPaused:
    """Pause whatever dials under that name, even if it is several: all can be resumed."""
    name = name.removesuffix("*").strip()
    dialling, unlisted = await stopping.dialling(ctx)
    if named := _of_name(dialling, name):
        return await _pause_each(named, ctx, hang_up=hang_up)
    for error in unlisted:
        raise error
    rows: Sequence[Campaign] = ()
    if len(name) <= NAME_MAX:
        rows, _ = await ctx.atoms.list_campaigns(search=name, limit=stopping.PAGE)
    others = _of_name(rows, name)
    begun = await stopping.begun_here(ctx) or [] if others else []
    if begins := [campaign for campaign in others if campaign.id in begun]:
        return await _pause_each(begins, ctx, hang_up=hang_up)
    paused = [campaign for campaign in others if campaign.status == "paused"]
    if hang_up:
        paused += [campaign for campaign in others if campaign.status in TERMINAL]
    if paused:
        result = _result(paused, changed=False)
        await _tell_calls(result, [row.id for row in paused], ctx, hang_up=hang_up)
        _tell_others(result, await _others(ctx))
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
    dialling, unlisted = await stopping.dialling(ctx)
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


def _of_name(rows: Sequence[Campaign], name: str) -> list[Campaign]:
    """Choose those of that name, and the waves of it."""
    return [campaign for campaign in rows if is_of(campaign.name, clean(name))]


def _count(dialling: Sequence[Campaign]) -> str:
    return f"{counted(len(dialling), 'campaign')} {'dials' if len(dialling) == 1 else 'dial'}"


def _reasons(errors: Iterable[AtomsCampaignsError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))


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
