"""What the resources of a campaign hold."""

from atoms_campaigns_mcp.config.settings import Mode
from atoms_campaigns_mcp.results.csv_export import as_csv
from atoms_campaigns_mcp.runtime import Runtime, refuse_changes
from atoms_campaigns_mcp.schemas.campaigns import CampaignReport
from atoms_campaigns_mcp.toolkit.campaign_results import results_of


async def snapshot(runtime: Runtime, campaign_id: str, mode: Mode) -> str:
    """Return what get_campaign_status gives, as JSON."""
    context = runtime.context(refuse_changes)
    report = CampaignReport.of(await context.atoms.get_campaign(campaign_id))
    report.mode = mode
    return report.model_dump_json(exclude_none=True)


async def results_csv(runtime: Runtime, campaign_id: str) -> str:
    """Return every row of the results as CSV, its numbers masked unless the operator shows them."""
    ctx = runtime.context(refuse_changes)
    details = await ctx.atoms.get_campaign(campaign_id)
    results = await results_of(details, ctx)
    return (await as_csv(results, ctx.shared.work, show_numbers=ctx.show_numbers)).decode()
