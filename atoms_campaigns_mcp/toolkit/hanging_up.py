"""Ending the calls of campaigns one by one: what is queued, rings or talks."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.concurrency import attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError, Unavailable
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # calls a request
NAMED = 20  # campaigns a request
LIVE_PAGES = 50  # of calls in progress, in which their campaigns are looked for
ROUNDS = 3  # looks for calls that began before the pause took effect
IN_A_ROW = 2  # failures in one campaign after which the rest of its calls is not tried
AT_ONCE = 10  # campaigns whose calls are ended side by side
RATE = 8.0  # calls that are ended a second, of all of them together: the API may allow 10 requests
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


async def find_calling(found: dict[str, None], ctx: ToolContext) -> None:
    """Add to `found`, page by page, the ids of all campaigns that have such calls.

    Raises:
        AtomsCampaignsError: They could not all be read.
    """
    # Calls that end move others up to a page that was read: it looks until there is nothing new.
    for _ in range(ROUNDS):
        known = len(found)
        if await _add_calling(found, ctx) == 1 or len(found) == known:
            return
    raise Unavailable("Calls of more and more campaigns are found.")


async def _add_calling(found: dict[str, None], ctx: ToolContext) -> int:
    """Go through all pages once; return how many there were."""
    for page in range(1, LIVE_PAGES + 1):
        calls, listed = await ctx.atoms.anew().list_calls(statuses=LIVE, page=page, limit=PAGE)
        found.update((call.campaign_id, None) for call in calls if call.campaign_id)
        if not (listed.has_more and calls):
            return page
    raise Unavailable("More calls are in progress than can be looked through.")


def new_pace(monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> Pacer:
    """Return the pace at which calls of several campaigns are ended side by side."""
    return Pacer(RATE, monotonic, sleep)


async def hang_up(campaign_ids: Sequence[str], ctx: ToolContext) -> HungUp:
    """End every call of these campaigns; trouble with one of them is not that of the others."""
    told, ending = HungUp(), Ending(ctx, new_pace(ctx.monotonic, ctx.sleep), LIVE)
    calls = {one: partial(ending.of, one) for one in campaign_ids}
    ended, failed = await attempt(calls, at_once=AT_ONCE)
    for one in ended.values():
        told.add(one)
    told.errors += failed.values()
    return told


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends calls that are in these states, at this pace; of all of them `choose` says which."""

    ctx: ToolContext
    pace: Pacer
    statuses: Collection[str]
    choose: Choice = list

    async def of(self, campaign_id: str) -> HungUp:
        """End those of one campaign, and those that get there meanwhile.

        After `IN_A_ROW` failures in a row the others are not tried, and count as failed.
        """
        told, tried = HungUp(), set[str]()
        for _ in range(ROUNDS):
            found, unread = await self._calls(campaign_id)
            calls = list(dict.fromkeys(call.call_id for call in self.choose(found)))
            calls = [call_id for call_id in calls if call_id not in tried]
            given_up = not await self._end(campaign_id, calls, told)
            if unread:
                told.errors.append(unread)
            if not calls or given_up or unread:
                break
            tried.update(calls)
        return told

    async def _end(self, campaign_id: str, calls: Sequence[str], told: HungUp) -> bool:
        """End these calls; false if it was given up."""
        in_a_row = 0
        for place, call_id in enumerate(calls, 1):
            try:
                await self.pace.wait()
                told.ended += await self.ctx.atoms.cancel_call(call_id, campaign_id)
                in_a_row = 0
            except AtomsCampaignsError as error:
                told.failed += 1
                told.errors.append(error)
                in_a_row += 1
            if in_a_row == IN_A_ROW:
                told.failed += len(calls) - place
                return False
        return True

    async def _calls(self, campaign_id: str) -> tuple[list[Call], AtomsCampaignsError | None]:
        """Return the campaign's calls in these states, and what kept the rest from being read."""
        found, page, more = list[Call](), 0, True
        while more:
            page += 1
            try:
                rows, listed = await self.ctx.atoms.anew().list_calls(
                    campaign_id, statuses=self.statuses, page=page, limit=PAGE
                )
            except AtomsCampaignsError as error:
                return found, error
            found += rows
            more = listed.has_more and bool(rows)
        return found, None
