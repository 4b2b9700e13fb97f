"""The report of a campaign's state, for the tool and the resource."""

from dataclasses import asdict

from atoms_campaigns_mcp.schemas.campaign_status import CampaignReport
from atoms_campaigns_mcp.toolkit.campaign_states import next_step
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import progress


async def report_of(campaign_id: str, ctx: ToolContext) -> CampaignReport:
    """Read where a campaign is; what of it cannot be read is said to be unknown."""
    details = await ctx.atoms.get_campaign(campaign_id)
    report = CampaignReport.of(details, asdict(await progress(details, ctx)))
    report.next_step = next_step(details.campaign)
    return report
