"""The results of a campaign, read once for each state that it is in."""

from dataclasses import dataclass

from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import TERMINAL, CampaignDetails
from atoms_campaigns_mcp.state.results import Results
from atoms_campaigns_mcp.tools._tool import ToolContext


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is left of a campaign; the live API may say "completed" while calls still run."""

    calls_in_progress: int
    retries_due: int

    def __bool__(self) -> bool:
        return bool(self.calls_in_progress or self.retries_due)


async def results_of(details: CampaignDetails, ctx: ToolContext) -> Results:
    """Give the results as they are now; unchanged ones are not read again."""
    campaign, metrics = details.campaign, details.metrics
    _, calls = await ctx.atoms.list_calls(campaign.id)
    _, live = await ctx.atoms.list_calls(campaign.id, statuses=LIVE)
    version = f"{campaign.updated_at} {campaign.status} {metrics} {calls.total} {live.total}"
    return await ctx.shared.results.get(campaign.id, version, ctx.atoms.export)


async def unfinished(details: CampaignDetails, ctx: ToolContext) -> Unfinished:
    """Count the calls in progress and the retries due."""
    campaign = details.campaign
    _, live = await ctx.atoms.list_calls(campaign.id, statuses=LIVE)
    due = 0
    # A failed campaign dials no more.
    if campaign.status != "failed" and campaign.max_retries:
        results = await results_of(details, ctx)
        due = await results.retries_due(campaign.max_retries, campaign.retry_delay or 0, ctx.now())
    return Unfinished(live.total or 0, due)


def is_terminal(details: CampaignDetails) -> bool:
    """Say whether the API calls the campaign over."""
    return details.campaign.status in TERMINAL
