"""Ending the calls of campaigns one by one: what is queued, rings or talks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # calls a request
NAMED = 20  # campaigns a request
ROUNDS = 3  # looks for calls that began before the pause took effect
IN_A_ROW = 2  # failures after which the rest is not tried


@dataclass(slots=True)
class HungUp:
    """How many calls were ended, how many were not, and why."""

    ended: int = 0
    failed: int = 0
    errors: list[AtomsCampaignsError] = field(default_factory=list[AtomsCampaignsError])


async def count_live(campaign_ids: Sequence[str], ctx: ToolContext) -> int:
    """Count the calls of these campaigns that are queued, ring or talk."""
    count = 0
    for start in range(0, len(campaign_ids), NAMED):
        some = ",".join(campaign_ids[start : start + NAMED])
        _, listed = await ctx.atoms.anew().list_calls(some, statuses=LIVE)
        count += listed.total or 0
    return count


async def hang_up(campaign_ids: Sequence[str], ctx: ToolContext) -> HungUp:
    """End every call of these campaigns, also if some cannot be ended."""
    told, tried = HungUp(), set[str]()
    for _ in range(ROUNDS):
        try:
            live = await _live(campaign_ids, ctx)
        except AtomsCampaignsError as error:
            told.errors.append(error)
            break
        calls = {call: campaign for call, campaign in live.items() if call not in tried}
        if not calls:
            break
        tried.update(calls)
        await _end(calls, told, ctx)
    return told


async def _end(calls: Mapping[str, str], told: HungUp, ctx: ToolContext) -> None:
    in_a_row = 0
    for place, (call, campaign_id) in enumerate(calls.items()):
        try:
            told.ended += await ctx.atoms.cancel_call(call, campaign_id)
            in_a_row = 0
        except AtomsCampaignsError as error:
            told.failed += 1
            told.errors.append(error)
            in_a_row += 1
        if in_a_row == IN_A_ROW:
            told.failed += len(calls) - place - 1
            return


async def _live(campaign_ids: Sequence[str], ctx: ToolContext) -> dict[str, str]:
    """Return the live calls, each with its campaign, which the API does not tell of a call."""
    found: dict[str, str] = {}
    for campaign_id in campaign_ids:
        page, more = 0, True
        while more:
            page += 1
            rows, listed = await ctx.atoms.anew().list_calls(
                campaign_id, statuses=LIVE, page=page, limit=PAGE
            )
            found |= {row.call_id: campaign_id for row in rows}
            more = listed.has_more and bool(rows)
    return found
