from atoms_campaigns_mcp.schemas.arguments import GetCampaignStatusArgs
from atoms_campaigns_mcp.schemas.campaign_status import CampaignReport
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_reports import report_of
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.READS, title="Get a campaign's status", app=True)
async def run(args: GetCampaignStatusArgs, ctx: ToolContext) -> CampaignReport:
    """Get a campaign's state, progress, calls in progress, retries due and latest events.

    contacts_called counts contacts that were dialled; contacts_connected those who answered. The
    gap is voicemail, busy and no answer. Each contact counts once, however often it was dialled.
    """
    return await report_of(args.campaign_id, ctx)
