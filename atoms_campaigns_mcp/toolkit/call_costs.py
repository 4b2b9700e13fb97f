"""What calls of this account's finished campaigns have cost."""

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails.cost import CostEstimate, estimate_cost
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.toolkit.context import ToolContext

CAMPAIGNS = 10  # the newest that are over; their calls are one request
CALLS = 200  # of these campaigns, the latest first
UNDIALLED = LIVE | {"blocked", "cancelled"}  # calls that cost nothing because nobody was dialled


async def cost_of(dials: tuple[int, int], ctx: ToolContext) -> CostEstimate | None:
    """Estimate the cost of as many dials, by two requests; None without enough history.

    A call of which the API does not tell the cost is no history.
    """
    try:
        over, _ = await ctx.atoms.list_campaigns(status="completed", limit=CAMPAIGNS)
        if not over:
            return None
        campaigns = ",".join(sorted(campaign.id for campaign in over))
        calls, _ = await ctx.atoms.list_calls(campaigns, limit=CALLS)
    except AtomsCampaignsError:
        return None
    return estimate_cost(
        [
            (call.status, call.cost)
            for call in calls
            if call.cost is not None and call.status not in UNDIALLED
        ],
        dials,
    )
