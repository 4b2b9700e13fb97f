"""What calls of this account's finished campaigns have cost."""

from collections.abc import Sequence

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails.cost import CostEstimate, estimate_cost
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.toolkit.context import ToolContext

CAMPAIGNS = 10  # the newest that are over; their calls are one request
CALLS = 200  # of these campaigns, the latest first
UNDIALLED = LIVE | {"blocked", "cancelled"}  # calls that cost nothing because nobody was dialled


async def history(ctx: ToolContext) -> Sequence[Call]:
    """Read the latest calls, by two requests; none if they cannot be read."""
    try:
        over, _ = await ctx.atoms.list_campaigns(status="completed", limit=CAMPAIGNS)
        if not over:
            return []
        campaigns = ",".join(sorted(campaign.id for campaign in over))
        calls, _ = await ctx.atoms.list_calls(campaigns, limit=CALLS)
    except AtomsCampaignsError:
        return []
    return calls


def cost_of(calls: Sequence[Call], dials: tuple[int, int]) -> CostEstimate | None:
    """Estimate the cost of as many dials from a history; None if it is too short.

    A call of which the API does not tell the cost is no history.
    """
    return estimate_cost(
        [
            (call.status, call.cost)
            for call in calls
            if call.cost is not None and call.status not in UNDIALLED
        ],
        dials,
    )
