"""Campaigns beside each other: which of them connects more."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.results.comparison import FLOOR, Difference, Share, compared, interval
from atoms_campaigns_mcp.schemas.results import Compared
from atoms_campaigns_mcp.schemas.text import quoted
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import found_of

MOST = 5  # campaigns of one comparison


def chosen(campaign_id: str | None, campaign_ids: Sequence[str] | None) -> list[str]:
    """Return each campaign asked for once, in order.

    Raises:
        InvalidArguments: There is none, or there are too many.
    """
    asked: list[str] = [*([campaign_id] if campaign_id else []), *(campaign_ids or ())]
    ids = list(dict.fromkeys(asked))
    if not ids:
        raise InvalidArguments(
            "campaign_id: it is missing. Nothing was sent.",
            next_step="Give the campaign; list_campaigns shows them.",
        )
    if len(ids) > MOST:
        raise InvalidArguments(
            f"campaign_ids: more than {MOST} campaigns with campaign_id. Nothing was sent.",
            next_step="Ask the user which of them to compare.",
        )
    return ids


async def of(campaign_ids: Sequence[str], ctx: ToolContext) -> dict[str, Any]:
    """Return the fields that compare several campaigns; nothing for one."""
    if len(campaign_ids) == 1:
        return {}
    looks = {campaign_id: partial(_look, campaign_id, ctx) for campaign_id in campaign_ids}
    rows = await all_of(looks)
    pairs = compared([Share(row.connected, row.called) for row in rows])
    return {"compared": rows, "differences": [_told(pair, rows) for pair in pairs]}


async def _look(campaign_id: str, ctx: ToolContext) -> Compared:
    found = await found_of(campaign_id, ctx)
    details, results = found.details, found.results
    _, called, _, cost = await results.totals()
    connected = (await results.outcomes()).get("completed", 0)
    share = Share(connected, called)
    low, high = interval(share)
    return Compared(
        campaign_id=campaign_id,
        name=details.campaign.name,
        status=details.campaign.status,
        provisional=not found.over,
        called=called,
        connected=connected,
        connected_percent=_points(share.rate),
        low=_points(low),
        high=_points(high),
        cost=round(cost, 4),
    )


def _told(pair: Difference, rows: Sequence[Compared]) -> str:
    names = [quoted(rows[place].name) for place in (pair.first, pair.second)]
    if pair.verdict == "not_enough_calls":
        return (
            f"{names[0]} and {names[1]}: not enough calls to compare (each needs {FLOOR} contacts "
            "called)"
        )
    span = f"({_points(pair.low)} to {_points(pair.high)})"
    apart = f"{names[0]} less {names[1]}: {_points(pair.difference)} points {span}"
    if pair.verdict == "within_chance":
        return f"{apart}, which may be chance"
    better = names[0] if pair.difference > 0 else names[1]
    return f"{apart}, more than chance: {better} connects more"


def _points(share: float) -> float:
    return round(100 * share, 1)
