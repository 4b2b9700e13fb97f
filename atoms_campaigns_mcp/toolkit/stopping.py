"""Stopping what dials: first every pause is sent, and only then is looked what became of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, Rejected
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, STARTABLE, TERMINAL, Campaign
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # campaigns a request
JOURNAL = 1.0  # seconds that a stop waits to learn what was begun here
AT_ONCE = 10  # pauses under way at once; they queue for no turn

Errors = Mapping[str, AtomsCampaignsError]
Stopped = Mapping[str, tuple[Campaign, bool]]
"""By id, each as far as it is known, and whether a pause was accepted, whose effect is to come."""


async def stop_each(
    campaigns: Iterable[Campaign], ctx: ToolContext, *, hang_up: bool
) -> tuple[Stopped, Errors]:
    """Pause all: one that cannot be paused, or is slow to show it, keeps no other dialling."""
    stops = {c.id: partial(_stop, c.id, c.name, ctx, hang_up=hang_up) for c in campaigns}
    return await attempt(stops, at_once=AT_ONCE)


async def settled(stopped: Stopped, ctx: ToolContext) -> dict[str, Campaign]:
    """Look what has become of pauses that were accepted; give every campaign as it is now."""
    looks = {
        one: partial(campaign_states.settled, ctx, one, campaign.name, before=ACTIVE)
        for one, (campaign, accepted) in stopped.items()
        if accepted
    }
    seen, _ = await attempt(looks, at_once=AT_ONCE)
    return {one: seen.get(one, campaign) for one, (campaign, _) in stopped.items()}


@dataclass(frozen=True, slots=True)
class Everything:
    """What dialled and was stopped.

    `listed` is what the API said to dial; what is stopped or failed besides was begun here, and did
    not show it yet. `unlisted` says what kept the rest from being listed.
    """

    listed: Mapping[str, Campaign]
    stopped: Stopped
    failed: Errors
    unlisted: list[AtomsCampaignsError]


async def stop_everything(ctx: ToolContext, *, hang_up: bool) -> Everything:
    """Stop what is listed at once; meanwhile find what began to run or was begun, and stop it."""
    lists: dict[str, Callable[[], Awaitable[Any]]] = {
        status: partial(listed, ctx, status) for status in sorted(ACTIVE)
    }
    (processing, unread), (running, _) = await all_of(lists)
    first = {campaign.id: campaign for campaign in (*processing, *running)}
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "stops": partial(stop_each, first.values(), ctx, hang_up=hang_up),
        "rest": partial(_stop_rest, first, ctx, hang_up=hang_up),
    }
    (stopped, failed), rest = await all_of(reads)
    return Everything(
        first | rest.listed,
        {**stopped, **rest.stopped},
        {**failed, **rest.failed},
        [*([unread] if unread else []), *rest.unlisted],
    )


async def _stop_rest(
    first: Mapping[str, Campaign], ctx: ToolContext, *, hang_up: bool
) -> Everything:
    """Stop what the first lists do not hold."""
    ctx.atoms.anew()  # nor may it be a list that another call asked for before
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        # One that began to run between the two lists is in neither of them.
        "running": partial(listed, ctx, "running"),
        "begun": partial(begun_here, ctx),
    }
    (running, unread), begun = await all_of(reads)
    found = {campaign.id: campaign for campaign in running if campaign.id not in first}
    late = [
        Campaign(id=one, status=campaign_states.UNREAD)
        for one in begun or ()
        if one not in first and one not in found
    ]
    stopped, failed = await stop_each([*found.values(), *late], ctx, hang_up=hang_up)
    return Everything(found, stopped, failed, [unread] if unread else [])


async def begun_here(ctx: ToolContext) -> list[str] | None:
    """Return what was made to dial here and has not been seen to; None if it cannot be read."""
    try:
        with anyio.move_on_after(JOURNAL):
            return [campaign_id for campaign_id in await ctx.memory.begun() if campaign_id]
    except NotRecorded:
        pass
    return None


async def dialling(ctx: ToolContext) -> tuple[list[Campaign], list[AtomsCampaignsError]]:
    """Return what dials, and what kept the rest from being listed."""
    # In this order, so that one which begins to run meanwhile is in the second list.
    lists = [await listed(ctx, status) for status in sorted(ACTIVE)]
    found = list({campaign.id: campaign for rows, _ in lists for campaign in rows}.values())
    return found, [error for _, error in lists if error]


async def listed(
    ctx: ToolContext, status: str
) -> tuple[list[Campaign], AtomsCampaignsError | None]:
    """Return the campaigns in that state, and what kept the rest from being read."""
    found: list[Campaign] = []
    page, more = 0, True
    try:
        while more:
            page += 1
            rows, page_of = await ctx.atoms.list_campaigns(status=status, limit=PAGE, page=page)
            found += rows
            more = page_of.has_more and bool(rows)
    except AtomsCampaignsError as error:
        return found, error
    return found, None


async def _stop(
    campaign_id: str, name: str, ctx: ToolContext, *, hang_up: bool
) -> tuple[Campaign, bool]:
    """Pause it, and read it only if that is refused: whoever stops it must not depend on it."""
    try:
        await ctx.atoms.pause_campaign(campaign_id)
    except Rejected as refused:
        try:
            campaign = (await ctx.atoms.anew().get_campaign(campaign_id)).campaign
        except AtomsCampaignsError:
            raise refused from None
        if campaign.status in STARTABLE and await _stopped_although_begun(campaign, ctx):
            return campaign, True
        # The API may call a campaign completed whose last calls still ring.
        if campaign.status == "paused" or (hang_up and campaign.status in TERMINAL):
            return campaign, False
        if not campaign_states.is_active(campaign):
            raise campaign_states.cannot_pause(campaign) from None
        await ctx.atoms.pause_campaign(campaign_id)  # it has begun to run in this moment
    return Campaign(id=campaign_id, name=name, status=campaign_states.UNREAD), True


async def _stopped_although_begun(campaign: Campaign, ctx: ToolContext) -> bool:
    """Ask again until a start that the API has accepted shows, and can be paused.

    Raises:
        NotYet: It was started here, and does not show it.
    """
    begun = await begun_here(ctx)
    if begun is not None and campaign.id not in begun:
        return False
    for pause in campaign_states.LOOKS:
        await ctx.sleep(pause)
        try:
            await ctx.atoms.pause_campaign(campaign.id)
        except Rejected:
            continue
        return True
    if begun is None:
        return False
    raise campaign_states.cannot_pause_yet(campaign)
