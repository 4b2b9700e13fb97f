"""The results of a campaign, read once for each state that it is in."""

from dataclasses import dataclass

from atoms_campaigns_mcp.results.store import Results
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import TERMINAL, CampaignDetails
from atoms_campaigns_mcp.toolkit.context import ToolContext

CALLS_PAGE = 500  # calls a request, the most that the API gives
CALLS_PAGES = 40  # requests for what the export does not tell: 20,000 calls


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is left of a campaign; the live API may say "completed" while calls still run."""

    calls_in_progress: int
    retries_due: int

    def __bool__(self) -> bool:
        return bool(self.calls_in_progress or self.retries_due)


async def results_of(details: CampaignDetails, ctx: ToolContext) -> Results:
    """Return the results as they are now; unchanged ones are not read again."""
    return await _read(details, await _live(details, ctx), ctx)


async def unfinished(details: CampaignDetails, ctx: ToolContext) -> Unfinished:
    """Count the calls in progress and the retries due."""
    live = await _live(details, ctx)
    if not _may_retry(details):
        return Unfinished(live, 0)
    return await _left(details, live, await _read(details, live, ctx), ctx)


async def results_and_rest(
    details: CampaignDetails, ctx: ToolContext
) -> tuple[Results, Unfinished]:
    """Return the results as they are now, and what is left to happen."""
    live = await _live(details, ctx)
    results = await _read(details, live, ctx)
    return results, await _left(details, live, results, ctx)


def _may_retry(details: CampaignDetails) -> bool:
    # A failed campaign dials no more.
    return details.campaign.status != "failed" and bool(details.campaign.max_retries)


async def _live(details: CampaignDetails, ctx: ToolContext) -> int:
    _, live = await ctx.atoms.list_calls(details.campaign.id, statuses=LIVE)
    return live.total or 0


async def _read(details: CampaignDetails, live: int, ctx: ToolContext) -> Results:
    campaign = details.campaign
    _, calls = await ctx.atoms.list_calls(campaign.id)
    version = f"{campaign.updated_at} {campaign.status} {details.metrics} {calls.total} {live}"
    return await ctx.shared.results.get(campaign.id, version, ctx.atoms.export)


async def _left(
    details: CampaignDetails, live: int, results: Results, ctx: ToolContext
) -> Unfinished:
    campaign = details.campaign
    if not _may_retry(details):
        return Unfinished(live, 0)
    delay = campaign.retry_delay or 0
    return Unfinished(live, await results.retries_due(campaign.max_retries or 0, delay, ctx.now()))


async def completed(results: Results, campaign_id: str, ctx: ToolContext) -> bool:
    """Read from the list of calls what the export does not tell of how they ended.

    What an exported call holds is not documented, what a listed one does is. Gives false if there
    are more calls than are read.
    """
    async with results.completing:
        if results.whole is None:
            lacking = (await results.endings.coverage()).lacking
            results.whole = not lacking or await _add_listed(results, campaign_id, ctx)
    return results.whole


async def _add_listed(results: Results, campaign_id: str, ctx: ToolContext) -> bool:
    for page in range(1, CALLS_PAGES + 1):
        calls, listed = await ctx.atoms.list_calls(campaign_id, page=page, limit=CALLS_PAGE)
        await results.endings.add(calls)
        if not listed.has_more or not calls:
            return True
    return False


def is_terminal(details: CampaignDetails) -> bool:
    """Return whether the API calls the campaign over."""
    return details.campaign.status in TERMINAL
