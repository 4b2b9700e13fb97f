"""What calls of this account's finished campaigns have cost, and how long they have taken."""

from collections.abc import Sequence

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails.cost import CostEstimate, estimate_cost
from atoms_campaigns_mcp.guardrails.estimate import UNKNOWN, CallLength, call_length
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.toolkit.context import ToolContext

CAMPAIGNS = 10  # the newest that are over; their calls are one request
AMONG = 100  # campaigns among which those of one agent are looked for
CALLS = 200  # of these campaigns, the latest first
UNDIALLED = LIVE | {"blocked", "cancelled"}  # calls that cost nothing because nobody was dialled
RINGING = 60  # seconds, which the length of a call does not hold; more than phones ring


async def history(ctx: ToolContext, agent_id: str = "") -> Sequence[Call] | None:
    """Read the latest calls, of one agent or of all, by two requests; None if they cannot be."""
    try:
        over, _ = await ctx.atoms.list_campaigns(
            status="completed", limit=AMONG if agent_id else CAMPAIGNS
        )
        campaigns = [one.id for one in over if agent_id in {"", one.agent_id}]
        if not campaigns:
            return []
        latest = ",".join(sorted(campaigns[:CAMPAIGNS]))
        calls, _ = await ctx.atoms.list_calls(latest, limit=CALLS)
    except AtomsCampaignsError:
        return None
    return calls


async def length_of(agent_id: str, ctx: ToolContext) -> CallLength:
    """Return the slow end of the agent's calls; the fixed one without a history."""
    calls = await history(ctx, agent_id)
    if not calls:
        return UNKNOWN
    return call_length(RINGING + call.duration for call in calls if call.status not in UNDIALLED)


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
