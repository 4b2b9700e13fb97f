from atoms_campaigns_mcp.schemas.arguments import ListAudiencesArgs
from atoms_campaigns_mcp.schemas.audiences import AudiencePage
from atoms_campaigns_mcp.schemas.base import nothing_here
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.READS, title="List audiences")
async def run(args: ListAudiencesArgs, ctx: ToolContext) -> AudiencePage:
    """List the organization's audiences (lists of contacts) with their number of contacts."""
    wanted = (args.search or "").casefold()
    rows = [row for row in await ctx.atoms.list_audiences() if wanted in row.name.casefold()]
    # The API gives all at once, so the page is cut here.
    start = (args.page - 1) * args.limit
    page = rows[start : start + args.limit]
    return AudiencePage(
        audiences=page,
        page=args.page,
        total=len(rows),
        has_more=start + args.limit < len(rows),
        next_step="Pass an id or exact name as audience_id to create_campaign."
        if page
        else nothing_here(
            args.page, "Nothing matches: search for less, or create an audience first."
        ),
    )
