from atoms_campaigns_mcp.schemas.agents import AgentPage
from atoms_campaigns_mcp.schemas.arguments import ListAgentsArgs
from atoms_campaigns_mcp.schemas.base import nothing_here
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.READS, title="List agents")
async def run(args: ListAgentsArgs, ctx: ToolContext) -> AgentPage:
    """List the agents (voice and script) that can talk in a campaign, without archived ones."""
    rows, listed = await ctx.atoms.list_agents(**args.model_dump())
    return AgentPage(
        agents=rows,
        page=args.page,
        total=listed.total,
        has_more=listed.has_more,
        next_step="Pass an id or exact name as agent_id to create_campaign."
        if rows
        else nothing_here(
            args.page,
            "Nothing matches: search for less, or create an agent in the Atoms dashboard.",
        ),
    )
