"""How long calls of an agent have taken in this account's finished campaigns."""

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails.estimate import UNKNOWN, CallLength, call_length
from atoms_campaigns_mcp.toolkit.call_costs import CALLS, CAMPAIGNS, UNDIALLED
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # campaigns among which those of the agent are looked for
RINGING = 60  # seconds, which the length of a call does not hold; more than phones ring


async def length_of(agent_id: str, ctx: ToolContext) -> CallLength:
    """Return the slow end of the agent's calls, by two requests; the fixed one if unread."""
    try:
        over, _ = await ctx.atoms.list_campaigns(status="completed", limit=PAGE)
        campaigns = [campaign.id for campaign in over if campaign.agent_id == agent_id]
        if not campaigns:
            return UNKNOWN
        latest = ",".join(sorted(campaigns[:CAMPAIGNS]))
        calls, _ = await ctx.atoms.list_calls(latest, limit=CALLS)
    except AtomsCampaignsError:
        return UNKNOWN
    return call_length(RINGING + call.duration for call in calls if call.status not in UNDIALLED)
