from typing import Any

from atoms_campaigns_mcp.redaction import mask_number
from atoms_campaigns_mcp.results.csv_export import as_csv, hidden
from atoms_campaigns_mcp.results.store import Results, Stored
from atoms_campaigns_mcp.schemas.arguments import GetCampaignResultsArgs
from atoms_campaigns_mcp.schemas.campaigns import percent
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.schemas.results import ContactRow, ResultsPage
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.toolkit.allowed_files import allowed_paths, write_file
from atoms_campaigns_mcp.toolkit.campaign_results import is_terminal, results_and_rest
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

NAME_MAX = 80  # characters of a contact's name; a page has a hundred
_INSTEAD = "Leave it out to get pages, or read the resource of its CSV"
NAME_COLUMNS = ("name", "Name", "full_name", "first_name", "firstName")


@tool(Effect.READS, title="Get a campaign's results")
async def run(args: GetCampaignResultsArgs, ctx: ToolContext) -> ResultsPage:
    """Get how a campaign went: outcomes, connect rates, and a page of contacts.

    Rates are by attempt, caller ID, country and the contact's local hour. Results are provisional
    while calls are in progress or retries are due. Numbers are masked; with file every row is
    written as CSV with full numbers to an allowed folder.
    """
    path = allowed_paths(args.file, ctx, _INSTEAD)[0] if args.file else None
    details = await ctx.atoms.get_campaign(args.campaign_id)
    results, left = await results_and_rest(details, ctx)
    over = is_terminal(details) and not left
    rows, total = await results.page(args.outcome, args.page, args.limit)
    where = f"atoms://campaigns/{args.campaign_id}/results.csv"
    if path:
        await write_file(path, await as_csv(results, ctx.shared.work, show_numbers=True))
        where = str(args.file)
    contacts, dialled, seconds, cost = await results.totals()
    outcomes = await results.outcomes()
    return ResultsPage(
        campaign_id=details.campaign.id,
        name=details.campaign.name,
        status=details.campaign.status,
        provisional=not over,
        calls_in_progress=left.calls_in_progress,
        retries_due=left.retries_due,
        contacts=contacts,
        outcomes=[f"{word(status)}: {count}" for status, count in outcomes.items()],
        connected_percent=percent(outcomes.get("completed", 0), dialled),
        talk_seconds=seconds,
        cost=round(cost, 4),
        results=[_row(row, ctx) for row in rows],
        csv=where,
        page=args.page,
        total=total,
        has_more=args.page * args.limit < total,
        next_step=_next_step(outcomes, over=over),
        **await _rates(results),
    )


async def _rates(results: Results) -> dict[str, Any]:
    groups = ("attempt", "caller_id", "country", "local_hour")
    return {f"by_{group}": await results.rates(group) for group in groups}


def _row(row: Stored, ctx: ToolContext) -> ContactRow:
    name = next((str(row.data[c]) for c in NAME_COLUMNS if row.data.get(c)), "")
    shown = name if ctx.operator.show_numbers else hidden(name, row.phone)
    return ContactRow(
        phone=row.phone if ctx.operator.show_numbers else mask_number(row.phone),
        name=clean(shown, limit=NAME_MAX) or None,
        attempts=row.attempts,
        final_status=row.final_status,
        seconds=row.seconds,
        cost=round(row.cost, 4),
    )


def _next_step(outcomes: dict[str, int], *, over: bool) -> str:
    if not over:
        return "These are provisional: watch_campaign with until finished says when they are final."
    if outcomes.keys() - {"completed", "blocked"}:
        return "To call those not reached, call create_audience with from_campaign_id."
    if outcomes.keys() == {"completed"}:
        return "Everyone was reached."
    return "Nobody is left to call: those not reached are on the do-not-call list."
