from atoms_campaigns_mcp.schemas.arguments import ListCampaignsArgs
from atoms_campaigns_mcp.schemas.base import nothing_here
from atoms_campaigns_mcp.schemas.campaigns import CampaignPage
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_lists import page_of, rows_of
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.READS, title="List campaigns")
async def run(args: ListCampaignsArgs, ctx: ToolContext) -> CampaignPage:
    """List campaigns, the newest first, with state, caller IDs, contacts called and connected."""
    campaigns, listed = await page_of(args, ctx)
    return CampaignPage(
        campaigns=await rows_of(campaigns, ctx),
        page=args.page,
        total=listed.total,
        has_more=listed.has_more,
        next_step="Pass an id or exact name as campaign_id to get_campaign_status."
        if campaigns
        else nothing_here(
            args.page, "Nothing matches: loosen the filters, or create one with create_campaign."
        ),
    )
