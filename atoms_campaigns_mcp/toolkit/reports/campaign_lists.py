"""Pages of campaigns, with what only their details tell."""

from collections.abc import Mapping, Sequence
from functools import partial

import anyio

from atoms_campaigns_mcp.atoms.client import Listed
from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.arguments import ListCampaignsArgs
from atoms_campaigns_mcp.schemas.campaigns import (
    Campaign,
    CampaignDetails,
    CampaignRow,
    Metrics,
    percent,
)
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import NOT_BEGUN

DETAILED = 20  # campaigns of a page whose details are read: a request each
DETAILS_WITHIN = 8.0  # seconds for them
MERGED = 500  # campaigns of each state that a page of both may reach
CALLERS = 3  # caller IDs told of a campaign


async def page_of(args: ListCampaignsArgs, ctx: ToolContext) -> tuple[list[Campaign], Listed]:
    """Return a page of campaigns, the newest first.

    The API filters by one state; `finished` merges the lists of completed and failed ones.

    Raises:
        InvalidArguments: The page of finished ones is too late to be merged.
    """
    if args.status != "finished":
        return await ctx.atoms.list_campaigns(
            page=args.page, limit=args.limit, status=args.status, search=args.search
        )
    end = args.page * args.limit
    if end > MERGED:
        raise InvalidArguments(
            f"page: finished ones are listed together up to the {MERGED}th. Nothing was sent.",
            next_step="Call again with status completed, then failed, or with search.",
        )
    reads = {
        (status, page): partial(
            ctx.atoms.list_campaigns,
            page=page,
            limit=args.limit,
            status=status,
            search=args.search,
        )
        for status in ("completed", "failed")
        for page in range(1, args.page + 1)
    }
    pages = await all_of(reads)
    rows = {row.id: row for found, _ in pages for row in found}
    newest = sorted(rows.values(), key=lambda row: row.created_at or "", reverse=True)
    last = [
        listed for (_, page), (_, listed) in zip(reads, pages, strict=True) if page == args.page
    ]
    totals = [listed.total for listed in last]
    known = [total for total in totals if total is not None]
    more = len(newest) > end or any(listed.has_more for listed in last)
    total = sum(known) if len(known) == len(totals) else None
    return newest[end - args.limit : end], Listed(total=total, has_more=more)


async def rows_of(campaigns: Sequence[Campaign], ctx: ToolContext) -> list[CampaignRow]:
    """Return rows with counts and caller IDs; what is not read, or not in time, is absent."""
    begun = [row.id for row in campaigns if row.status not in NOT_BEGUN][:DETAILED]
    details: dict[str, CampaignDetails] = {}

    async def look(campaign_id: str) -> None:
        details[campaign_id] = await ctx.atoms.get_campaign(campaign_id)

    async def look_at_all() -> None:
        with anyio.move_on_after(DETAILS_WITHIN):
            await attempt({campaign_id: partial(look, campaign_id) for campaign_id in begun})

    reads = {"details": look_at_all, "numbers": partial(_numbers, ctx)} if campaigns else {}
    found, _ = await attempt(reads)
    numbers: Mapping[str, str] = found.get("numbers") or {}
    return [await _row(row, details.get(row.id), numbers, ctx) for row in campaigns]


async def _numbers(ctx: ToolContext) -> dict[str, str]:
    answers, _ = await attempt({"numbers": ctx.atoms.list_phone_numbers})
    return {row.id: row.number for row in answers.get("numbers", [])}


async def _row(
    campaign: Campaign,
    details: CampaignDetails | None,
    numbers: Mapping[str, str],
    ctx: ToolContext,
) -> CampaignRow:
    metrics = details.metrics if details else Metrics()
    if campaign.status in NOT_BEGUN:
        metrics = Metrics(contacts_called=0, contacts_connected=0)
    called, connected = metrics.contacts_called, metrics.contacts_connected
    ids = campaign.phone_ids or await ctx.memory.callers(campaign.id)
    told = None if ids is None else [numbers.get(one, one) for one in ids]
    if told and len(told) > CALLERS:
        told[CALLERS:] = [f"and {len(told) - CALLERS} more"]
    rate = percent(connected, called) if called and connected is not None else None
    return CampaignRow(
        **campaign.model_dump(include={"id", "name", *CampaignRow.model_fields}),
        called=called,
        connected=connected,
        connected_percent=rate,
        caller_ids=told,
    )
