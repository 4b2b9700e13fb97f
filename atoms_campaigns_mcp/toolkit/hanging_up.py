"""Ending the calls of campaigns one by one: what is queued, rings or talks."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from atoms_campaigns_mcp.concurrency import attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # calls a request
NAMED = 20  # campaigns a request
ROUNDS = 3  # looks for calls that began before the pause took effect
IN_A_ROW = 2  # failures in one campaign after which the rest of its calls is not tried
AT_ONCE = 10  # campaigns whose calls are ended side by side
Choice = Callable[[Sequence[Call]], Iterable[Call]]


@dataclass(slots=True)
class HungUp:
    """How many calls were ended, how many were not, and why; not all may have been found."""

    ended: int = 0
    failed: int = 0
    errors: list[AtomsCampaignsError] = field(default_factory=list[AtomsCampaignsError])

    def add(self, other: "HungUp") -> None:
        """Count what became of other calls too."""
        self.ended += other.ended
        self.failed += other.failed
        self.errors += other.errors


async def count_live(campaign_ids: Sequence[str], ctx: ToolContext) -> int:
    """Count the calls of these campaigns that are queued, ring or talk."""
    count = 0
    for start in range(0, len(campaign_ids), NAMED):
        some = ",".join(campaign_ids[start : start + NAMED])
        _, listed = await ctx.atoms.anew().list_calls(some, statuses=LIVE)
        count += listed.total or 0
    return count


async def hang_up(campaign_ids: Sequence[str], ctx: ToolContext) -> HungUp:
    """End every call of these campaigns; trouble with one of them is not that of the others."""
    told = HungUp()
    calls = {one: partial(end_calls, one, ctx, statuses=LIVE) for one in campaign_ids}
    ended, failed = await attempt(calls, at_once=AT_ONCE)
    for one in ended.values():
        told.add(one)
    told.errors += failed.values()
    return told


async def end_calls(
    campaign_id: str,
    ctx: ToolContext,
    *,
    statuses: Collection[str],
    choose: Choice = list,
) -> HungUp:
    """End the calls of one campaign that are in these states, and those that get there meanwhile.

    Of all that are in these states `choose` says which. After `IN_A_ROW` failures in a row the
    others are not tried, and count as failed.
    """
    told, tried = HungUp(), set[str]()
    for _ in range(ROUNDS):
        found, unread = await _calls(campaign_id, ctx, statuses)
        calls = list(dict.fromkeys(call.call_id for call in choose(found)))
        calls = [call_id for call_id in calls if call_id not in tried]
        given_up = not await _end(campaign_id, calls, told, ctx)
        if unread:
            told.errors.append(unread)
        if not calls or given_up or unread:
            break
        tried.update(calls)
    return told


async def _end(campaign_id: str, calls: Sequence[str], told: HungUp, ctx: ToolContext) -> bool:
    """End these calls; false if it was given up."""
    in_a_row = 0
    for place, call_id in enumerate(calls, 1):
        try:
            told.ended += await ctx.atoms.cancel_call(call_id, campaign_id)
            in_a_row = 0
        except AtomsCampaignsError as error:
            told.failed += 1
            told.errors.append(error)
            in_a_row += 1
        if in_a_row == IN_A_ROW:
            told.failed += len(calls) - place
            return False
    return True


async def _calls(
    campaign_id: str, ctx: ToolContext, statuses: Collection[str]
) -> tuple[list[Call], AtomsCampaignsError | None]:
    """Return the campaign's calls in these states, and what kept the rest from being read."""
    found, page, more = list[Call](), 0, True
    while more:
        page += 1
        try:
            rows, listed = await ctx.atoms.anew().list_calls(
                campaign_id, statuses=statuses, page=page, limit=PAGE
            )
        except AtomsCampaignsError as error:
            return found, error
        found += rows
        more = listed.has_more and bool(rows)
    return found, None
