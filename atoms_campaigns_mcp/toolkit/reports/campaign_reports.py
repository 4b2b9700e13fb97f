"""The report of a campaign's state, for the tool and the resource."""

from dataclasses import asdict

from atoms_campaigns_mcp.schemas.campaign_status import CampaignReport
from atoms_campaigns_mcp.toolkit.campaign_states import FINISHED, next_step
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import is_terminal, progress


async def report_of(campaign_id: str, ctx: ToolContext) -> CampaignReport:
    """Read where a campaign is; what of it cannot be read is said to be unknown."""
    details = await ctx.atoms.get_campaign(campaign_id)
    now = await progress(details, ctx)
    report = CampaignReport.of(details, asdict(now))
    over = is_terminal(details) and now.calls_in_progress == 0 and now.retries_due == 0
    report.next_step = FINISHED if over else next_step(details.campaign)
    return report
