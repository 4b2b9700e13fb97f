"""What the resources of a campaign hold."""

from atoms_campaigns_mcp.config.settings import Mode
from atoms_campaigns_mcp.results.csv_export import as_csv
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.tool_calls.session import reading
from atoms_campaigns_mcp.toolkit.contact_keys import contact_keys
from atoms_campaigns_mcp.toolkit.reports.campaign_reports import report_of
from atoms_campaigns_mcp.toolkit.reports.campaign_results import results_of


async def snapshot(runtime: Runtime, campaign_id: str, mode: Mode) -> str:
    """Return what get_campaign_status gives, as JSON."""
    report = await report_of(campaign_id, reading(runtime))
    report.mode = mode
    return report.model_dump_json(exclude_none=True)


async def results_csv(runtime: Runtime, campaign_id: str) -> str:
    """Return every row of the results as CSV, its numbers masked unless the operator shows them."""
    ctx = reading(runtime)
    details = await ctx.atoms.get_campaign(campaign_id)
    results = await results_of(details, ctx)
    shown = ctx.operator.show_numbers
    return (await as_csv(results, ctx.shared.work, contact_keys(ctx), show_numbers=shown)).decode()
