from pathlib import Path
from typing import Any

from atoms_campaigns_mcp.redaction import mask_number
from atoms_campaigns_mcp.results.csv_export import as_csv, columns_of
from atoms_campaigns_mcp.results.endings import Counted, together
from atoms_campaigns_mcp.results.store import Results, Stored
from atoms_campaigns_mcp.schemas.account import CURRENCY
from atoms_campaigns_mcp.schemas.arguments import GetCampaignResultsArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignDetails, percent
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.schemas.results import ContactRow, ResultsPage, Written
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.toolkit.allowed_files import allowed_paths, write_file
from atoms_campaigns_mcp.toolkit.contact_keys import NAME_MAX, contact_keys, name_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports import campaign_comparison as comparison
from atoms_campaigns_mcp.toolkit.reports.campaign_results import completed, found_of
from atoms_campaigns_mcp.toolkit.tool import Effect, tool
from atoms_campaigns_mcp.toolkit.waves import results as wave_results

FOUND_MAX = 120  # characters of a contact's dispositions
LIMIT = 20  # contacts a page, where an outcome or a later page asks for some
MOST = 20  # kinds of dispositions told; the others are counted
MOST_SUMMARIES = 8
COLUMNS = 40  # names of a file's columns told
_INSTEAD = "Leave it out to get pages"


@tool(Effect.READS, title="Get a campaign's results")
async def run(args: GetCampaignResultsArgs, ctx: ToolContext) -> ResultsPage:
    """Get how a campaign went: outcomes, why calls failed, dispositions, summaries, cost, rates.

    Rates are by attempt, caller ID, country and local hour. Provisional while calls or retries are
    to come. Contacts only with limit or outcome, masked.
    campaign_ids: which connects more, and whether by more than chance.
    """
    if len(waves := (args.campaign_id or "").split(", ")) > 1:
        return await wave_results.together(waves, args, ctx)
    path = allowed_paths(args.file, ctx, _INSTEAD)[0] if args.file else None
    first, *others = comparison.chosen(args.campaign_id, args.campaign_ids)
    found = await found_of(first, ctx)
    details, results, left = found.details, found.results, found.left
    whole = await completed(results, first, ctx)
    outcomes = await results.outcomes()
    return ResultsPage(
        mark=ctx.mark(),
        **await comparison.of([first, *others], ctx),
        campaign_id=details.campaign.id,
        name=details.campaign.name,
        status=details.campaign.status,
        provisional=not found.over,
        calls_in_progress=left.calls_in_progress,
        retries_due=left.retries_due,
        outcomes=_counts(outcomes),
        all_calls_read=whole,
        written=await _written(path, args, results, ctx) if path else None,
        next_step=_next_step(details, outcomes, args.outcome, over=found.over),
        **await _totals(results),
        **await _endings(results),
        **await _rates(results),
        **await _page(args, results, ctx),
    )


async def _totals(results: Results) -> dict[str, Any]:
    contacts, called, seconds, cost = await results.totals()
    connected = (await results.outcomes()).get("completed", 0)
    return {
        "contacts": contacts,
        "called": called,
        "connected": connected,
        "connected_percent": percent(connected, called),
        "talk_seconds": seconds,
        "cost": round(cost, 4),
        "currency": CURRENCY,
    }


async def _endings(results: Results) -> dict[str, Any]:
    endings = results.endings
    coverage = await endings.coverage()
    return {
        "not_reached": _counts(await results.not_reached()),
        "failed_calls": _counts(await endings.causes()),
        "voicemails_connected": coverage.machines,
        "analysed_calls": coverage.analysed,
        "dispositions": _top(await endings.dispositions(MOST)),
        "combinations": _top(await endings.combinations(MOST)),
        "summaries": _top(await endings.summaries(MOST_SUMMARIES)),
    }


async def _rates(results: Results) -> dict[str, Any]:
    groups = ("attempt", "caller_id", "country", "local_hour")
    return {f"by_{group}": await results.rates(group) for group in groups}


async def _page(args: GetCampaignResultsArgs, results: Results, ctx: ToolContext) -> dict[str, Any]:
    limit = args.limit
    if limit is None:
        limit = LIMIT if args.outcome or args.page > 1 else 0
    rows, total = await results.page(args.outcome, args.page, limit)
    key_of = contact_keys(ctx)
    return {
        "results": [_row(row, key_of(row.phone), ctx) for row in rows],
        "page": args.page,
        "total": total,
        "has_more": bool(limit) and args.page * limit < total,
    }


async def _written(
    path: Path, args: GetCampaignResultsArgs, results: Results, ctx: ToolContext
) -> Written:
    content = await as_csv(results, ctx.shared.work, contact_keys(ctx), show_numbers=True)
    await write_file(path, content)
    contacts, *_ = await results.totals()
    columns = [clean(name, limit=NAME_MAX) for name in columns_of(content)]
    if len(columns) > COLUMNS:
        columns[COLUMNS:] = [f"and {len(columns) - COLUMNS} more"]
    return Written(file=str(args.file), rows_written=contacts, columns=columns)


def _row(row: Stored, key: str, ctx: ToolContext) -> ContactRow:
    return ContactRow(
        key=key,
        phone=row.phone if ctx.operator.show_numbers else mask_number(row.phone),
        name=name_of(row.data, row.phone, ctx),
        attempts=row.attempts,
        final_status=row.final_status,
        cause=row.cause or None,
        found=clean(together(row.found), limit=FOUND_MAX) or None,
        seconds=row.seconds,
        cost=round(row.cost, 4),
    )


def _counts(counts: dict[str, int]) -> list[str]:
    told = [f"{word(name)}: {count}" for name, count in list(counts.items())[:MOST]]
    others = sum(list(counts.values())[MOST:])
    return [*told, *([f"others: {others}"] if others else [])]


def _top(counted: Counted) -> list[str]:
    more = counted.kinds - len(counted.top)
    told = [f"{text}: {count}" for text, count in counted.top]
    return [*told, *([f"and {more} other kinds"] if more else [])]


def _next_step(
    details: CampaignDetails, outcomes: dict[str, int], shown: str | None, *, over: bool
) -> str:
    if details.campaign.status == "paused":
        return "These are provisional: it is paused, and nothing changes until it is resumed."
    if not over:
        return "These are provisional: watch_campaign with until finished says when they are final."
    if outcomes.keys() - {"completed", "blocked"}:
        listed = "" if shown else "outcome not_reached lists who was missed and why. "
        return (
            f"{listed}If the user wants those missed called again, create_audience with "
            "from_campaign_id makes their list."
        )
    if outcomes.keys() == {"completed"}:
        return "Everyone was reached."
    return "Nobody is left to call: those not reached are on the do-not-call list."
