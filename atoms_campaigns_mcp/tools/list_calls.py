from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.results.store import Results
from atoms_campaigns_mcp.schemas.arguments import ListCallsArgs
from atoms_campaigns_mcp.schemas.base import nothing_here
from atoms_campaigns_mcp.schemas.calls import Call, CallPage, CallRow
from atoms_campaigns_mcp.toolkit.contact_keys import contact_keys, name_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import results_soon
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.READS, title="List a campaign's calls")
async def run(args: ListCallsArgs, ctx: ToolContext) -> CallPage:
    """List the attempts of a campaign, the latest change first, without transcripts."""
    listing = partial(
        ctx.atoms.list_calls,
        args.campaign_id,
        page=args.page,
        limit=args.limit,
        statuses=[args.status] if args.status else [],
        attempts=args.attempt,
    )
    # The list of calls names nobody; who they are stands in the results.
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "calls": listing,
        "results": partial(results_soon, args.campaign_id, ctx),
    }
    (calls, listed), results = await all_of(reads)
    if not calls:  # of a campaign that does not exist the API says the same
        await ctx.atoms.get_campaign(args.campaign_id)
    return CallPage(
        campaign_id=args.campaign_id,
        calls=await _rows(calls, results, ctx),
        page=args.page,
        total=listed.total,
        has_more=listed.has_more,
        next_step="Pass an id as call_id to get_call for the transcript."
        if calls
        else nothing_here(
            args.page, "There are no such calls; get_campaign_status shows whether it has started."
        ),
    )


async def _rows(calls: Sequence[Call], results: Results | None, ctx: ToolContext) -> list[CallRow]:
    people = await results.columns([call.to_number for call in calls]) if results and calls else {}
    key_of = contact_keys(ctx)

    def row(call: Call) -> CallRow:
        data = people.get(call.to_number.lstrip("+"), {})
        return CallRow.of(
            call,
            key=key_of(call.to_number),
            name=name_of(data, call.to_number, ctx),
            show_numbers=ctx.operator.show_numbers,
        )

    return [row(call) for call in calls]
