import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound, Unavailable
from atoms_campaigns_mcp.schemas.arguments import PauseCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import (
    TERMINAL,
    Campaign,
    CampaignsPaused,
    Paused,
)
from atoms_campaigns_mcp.schemas.text import counted
from atoms_campaigns_mcp.toolkit import campaign_states, hanging_up, stopping
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.stopping import Holding, Stops
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

LOOKING = 5.0  # seconds after the stop that may go into saying what goes on
SHOWN = 50  # campaigns named in the result; all are paused, and all are counted
_IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_STILL = TERMINAL | {"paused"}  # states in which nothing more is handed to the dialler
BEGUN_UNREAD = " What was started here lately, and may begin to dial, cannot be read at present."
IN_DOUBT = " Whether a campaign was scheduled here lately is not known: list_campaigns shows it."
UNTOLD = (
    "No guard could be told of this stop: one may resume what it had paused. Tell the operator."
)
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
    holding = Holding(ctx)
    try:
        result = await _stop(named, holding, hang_up=args.hang_up)
    except AtomsCampaignsError as error:
        if not await holding.again():
            error.next_step = f"{UNTOLD} {error.next_step}".strip()
        raise
    except BaseException:  # nobody waits for the answer any more, but guards must know
        await holding.again()
        raise
    if not await holding.again():
        result.remark(UNTOLD)
    return result


async def _stop(named: str, holding: Holding, *, hang_up: bool) -> CampaignsPaused:
    ids = list(dict.fromkeys(_IDS.findall(named.lower())))
    if named.casefold() == "all":
        return await _pause_all(holding, hang_up=hang_up)
    if ids:
        return await _pause_each(ids, holding, hang_up=hang_up)
    return await _pause_named(named, holding, hang_up=hang_up)


async def _tell_calls(
    result: CampaignsPaused,
    ids: Sequence[str],
    ctx: ToolContext,
    *,
    hang_up: bool,
    unfound: AtomsCampaignsError | None = None,
) -> None:
    """End the calls of these campaigns if that is asked for, and say how many go on.

    `unfound` is what kept more campaigns with calls from being found.
    """
    if not ids and not unfound:
        return
    if hang_up:
        told = await hanging_up.hang_up(ids, ctx)
        told.errors += [unfound] if unfound else []
        result.changed = result.changed or bool(told.ended)
        result.hung_up, result.not_hung_up = told.ended, told.failed
        if told.errors:
            result.message += f" Not every call could be found or ended: {_reasons(told.errors)}"
            result.next_step = "Call pause_campaign with hang_up again at once."
    with anyio.move_on_after(LOOKING), suppress(AtomsCampaignsError):
        live = await hanging_up.count_live(ids, ctx)
        result.calls_in_progress = None if unfound else live  # there may be more
    if result.calls_in_progress is None:
        result.message += " How many calls go on cannot be read at present."
    elif result.calls_in_progress and not hang_up:
        result.next_step += " pause_campaign with hang_up ends calls in progress."


@dataclass(frozen=True, slots=True)
class _Others:
    """What else dials or is scheduled, of which `unread` says that it may be more.

    `beginning` was started here and does not show it yet; None if that is not known. `in_doubt`
    says that something was to be scheduled here, and nobody knows whether it is.
    """

    dialling: Sequence[Campaign] = ()
    scheduled: Sequence[Campaign] = ()
    beginning: Sequence[Campaign] | None = None
    unread: bool = True
    in_doubt: bool = False


async def _others(ctx: ToolContext) -> _Others:
    """Look what else dials or will: whoever stops one thing often means all of it."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "dialling": partial(stopping.dialling, ctx),
        "scheduled": partial(stopping.listed, ctx, "scheduled"),
        "beginning": partial(stopping.beginning, ctx),
    }
    with anyio.move_on_after(LOOKING):
        (dialling, unlisted), (scheduled, unread), begun = await all_of(reads)
        return _Others(dialling, scheduled, begun[0], bool(unlisted or unread), begun[1])
    return _Others()


def _tell_others(result: CampaignsPaused, others: _Others, known: Iterable[str]) -> None:
    """Say what else dials, may begin or is scheduled; of what is `known` it is told already."""
    told = {row.id for row in result.campaigns} | set(known)
    dialling = [campaign for campaign in others.dialling if campaign.id not in told]
    told.update(campaign.id for campaign in dialling)
    beginning = [campaign for campaign in others.beginning or () if campaign.id not in told]
    scheduled = others.scheduled
    result.others = [_row(campaign) for campaign in [*dialling, *beginning][:SHOWN]]
    result.scheduled = [_row(campaign) for campaign in scheduled[:SHOWN]]
    if others.unread:
        result.message += " What else dials or is scheduled cannot be read at present."
    elif dialling or scheduled:
        result.message += f" Besides, {_count(dialling)} now, and {len(scheduled)} will later."
    elif others.beginning is not None and not (beginning or others.in_doubt):
        result.message += " Nothing else dials, and no campaign is scheduled."
    if beginning:
        count = counted(len(beginning), "campaign")
        result.message += f" {count} started here may begin to dial any moment."
    elif others.beginning is None:
        result.message += BEGUN_UNREAD
    if others.in_doubt:
        result.message += IN_DOUBT


async def _pause_each(ids: Sequence[str], holding: Holding, *, hang_up: bool) -> CampaignsPaused:
    unread = [Campaign(id=one, status=campaign_states.UNREAD) for one in ids]
    stops = await stopping.stop_each(unread, holding, hang_up=hang_up)
    return await _tell_some(stops, holding, hang_up=hang_up)


async def _tell_some(stops: Stops, holding: Holding, *, hang_up: bool) -> CampaignsPaused:
    """While the pauses take effect, look what else dials."""
    if not stops.stopped:
        failed = [*stops.failed.values()]
        harmful = [error for error in failed if not stopping.is_harmless(error)]
        # That some may be left, which could not be listed, counts more than that one is over.
        raise [*harmful, *stops.unlisted, *failed][0]
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "seen": partial(stopping.settled, stops.stopped, holding.ctx),
        "others": partial(_others, holding.ctx),
    }
    seen, others = await all_of(reads)
    result = _of_stops(stops, seen)
    result.message += _more_of_the_name(stops)
    concerned = list(stops.stopped)
    if hang_up:
        still = [one for one, row in stops.of_name.items() if row.status in _STILL]
        concerned = list(dict.fromkeys([*concerned, *still]))
    await _tell_calls(result, concerned, holding.ctx, hang_up=hang_up)
    if stops.still_dialling or stops.may_begin or stops.unlisted:
        result.next_step = "Call pause_campaign with these again at once."
    _tell_others(result, others, known=[*stops.stopped, *stops.failed])
    return result


def _more_of_the_name(stops: Stops) -> str:
    """Say what was paused already of the name that was given, and what of it cannot be listed."""
    told = ""
    others = [row for one, row in stops.of_name.items() if one not in stops.stopped]
    if paused := [row for row in others if row.status == "paused"]:
        told += f" {counted(len(paused), 'campaign')} of that name paused already."
    if stops.unlisted:
        told += f" There may be more, which cannot be listed: {_reasons(stops.unlisted)}"
    return told


def _of_stops(stops: Stops, seen: dict[str, Campaign], *, campaign_id: str = "") -> CampaignsPaused:
    """Say what became of what was to be stopped, as it was `seen` or else listed."""
    rows = [
        seen.get(one, campaign)
        for one, campaign in stops.listed.items()
        if one in seen or campaign.status != campaign_states.UNREAD
    ]
    late = [seen[one] for one in stops.accepted if one not in stops.listed and one in seen]
    failed, begun = stops.still_dialling, stops.may_begin
    changed = bool(stops.accepted or failed or begun)
    result = _result([*rows, *late], changed=changed, campaign_id=campaign_id)
    if not (rows or late) and (begun or stops.unlisted or stops.begun_unread):
        result.status = campaign_states.UNREAD
        result.message = "Nothing was seen to dial."
    if failed:
        result.message += f" {len(failed)} could not be paused: {_reasons(failed)}"
    if late:
        result.message += f" {counted(len(late), 'campaign')} that had just begun: paused too."
    if begun:
        count = f"{len(begun)} that had just begun"
        result.message += f" {count} could not be paused: {_reasons(begun)}"
    return result


async def _pause_all(holding: Holding, *, hang_up: bool) -> CampaignsPaused:
    ctx = holding.ctx
    stops = await stopping.stop_everything(holding, hang_up=hang_up)
    if stops.unlisted and not (stops.listed or stops.stopped or stops.may_begin):
        raise stops.unlisted[0]
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "seen": partial(stopping.settled, stops.stopped, ctx),
        "scheduled": partial(_scheduled, ctx),
        "calling": partial(_calling, ctx, asked=hang_up),
    }
    seen, (scheduled, unread), (calling, unfound) = await all_of(reads)
    result = _of_stops(stops, seen, campaign_id="all")
    concerned = [one for one in stops.stopped if one in stops.listed or one in stops.accepted]
    # What could not be paused dials on; that comes first, so its calls are left to the next try.
    may_dial = [one for one, error in stops.failed.items() if not stopping.is_harmless(error)]
    concerned += [one for one in calling if one not in {*concerned, *may_dial}]
    await _tell_calls(result, concerned, ctx, hang_up=hang_up, unfound=unfound)
    whole = _tell_what_is_left(result, stops) and not unfound
    _tell_scheduled(result, scheduled, unread=unread, whole=whole)
    return result


async def _scheduled(ctx: ToolContext) -> tuple[list[Campaign], bool]:
    """Return what is scheduled, and whether it may be more: nobody's calls go on meanwhile."""
    with anyio.move_on_after(LOOKING):
        scheduled, unread = await stopping.listed(ctx, "scheduled")
        return scheduled, bool(unread)
    return [], True


async def _calling(
    ctx: ToolContext, *, asked: bool
) -> tuple[list[str], AtomsCampaignsError | None]:
    """If `asked`, find what has calls in progress, dialling or not, and what kept the rest."""
    found = dict[str, None]()
    if not asked:
        return [], None
    with anyio.move_on_after(LOOKING):
        try:
            await hanging_up.find_calling(found, ctx)
        except AtomsCampaignsError as error:
            return [*found], error
        return [*found], None
    return [*found], Unavailable("What has calls in progress could not all be read in time.")


def _tell_what_is_left(result: CampaignsPaused, stops: Stops) -> bool:
    """Say what may still dial or begin; true if nothing may but what could not be paused."""
    if stops.unlisted:
        reasons = _reasons(stops.unlisted)
        result.message += f" There may be more, which cannot be listed: {reasons}"
    if stops.begun_unread:
        result.message += BEGUN_UNREAD
    if stops.in_doubt:
        result.message += IN_DOUBT
    if stops.still_dialling or stops.unlisted or stops.may_begin:
        result.next_step = "Call pause_campaign with all again at once."
    return not (stops.unlisted or stops.may_begin or stops.begun_unread or stops.in_doubt)


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
        only = "Only delete_campaign stops what is scheduled."
        result.next_step = f"{result.next_step} {only}".strip()


async def _pause_named(name: str, holding: Holding, *, hang_up: bool) -> CampaignsPaused:
    """Pause whatever dials under that name, even if it is several: all can be resumed."""
    ctx, name = holding.ctx, name.removesuffix("*").strip()
    if not name:
        return await _what_dials(ctx)
    stops = await stopping.stop_named(name, holding, hang_up=hang_up)
    if stops.listed or stops.accepted or stops.may_begin:
        return await _tell_some(stops, holding, hang_up=hang_up)
    for error in stops.unlisted:
        raise error
    named = stops.of_name.values()
    paused = [campaign for campaign in named if campaign.status == "paused"]
    if hang_up:
        paused += [campaign for campaign in named if campaign.status in TERMINAL]
    if paused:
        result = _result(paused, changed=False)
        await _tell_calls(result, [row.id for row in paused], ctx, hang_up=hang_up)
        _tell_others(result, await _others(ctx), known=())
        return result
    scheduled = [campaign for campaign in named if campaign.status == "scheduled"]
    if len(scheduled) > 1:
        raise campaign_states.cannot_pause_scheduled(name, scheduled)
    for campaign in scheduled or named:
        raise campaign_states.cannot_pause(campaign)
    dialling, _ = await stopping.dialling(ctx)
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


def _count(dialling: Sequence[Campaign]) -> str:
    return f"{counted(len(dialling), 'campaign')} {'dials' if len(dialling) == 1 else 'dial'}"


def _reasons(errors: Iterable[AtomsCampaignsError]) -> str:
    return "; ".join(dict.fromkeys(error.message for error in errors))


def _result(rows: list[Campaign], *, changed: bool, campaign_id: str = "") -> CampaignsPaused:
    moving = [row for row in rows if row.status not in _STILL]
    waiting, unread = bool(moving), not all(campaign_states.is_active(row) for row in moving)
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
    elif any(row.status == "completed" for row in rows):
        message = "No contact is called for the first time any more; what is completed may retry."
    if cancelled := sum(row.cancelled_calls or 0 for row in rows):
        message += f" {counted(cancelled, 'queued call')} cancelled by pauses so far; a resumption "
        message += "dials these contacts."
    step = "Only start_campaign resumes what is paused; list_campaigns shows all." if rows else ""
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
