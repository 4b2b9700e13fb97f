from atoms_campaigns_mcp.schemas.arguments import NoArgs
from atoms_campaigns_mcp.schemas.phone_numbers import PhoneNumberList
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

SHOWN = 200  # numbers; the API does not page them, and a reply has 25,000 tokens at most


@tool(Effect.READS, title="List caller IDs")
async def run(args: NoArgs, ctx: ToolContext) -> PhoneNumberList:  # noqa: ARG001
    """List the account's rented numbers that can be caller IDs of a campaign.

    Imported SIP numbers are not listed. Gives id, E.164 number, provider, country, whether it is
    active, and the agent it is assigned to.
    """
    rows = sorted(await ctx.atoms.list_phone_numbers(), key=lambda row: not row.active)
    step = "Pass ids or numbers of active ones as phone_ids to create_campaign."
    if not any(row.active for row in rows):
        step = "No number is active: the account's owner must rent or activate one first."
    if (rest := len(rows) - SHOWN) > 0:
        step = f"{rest} more are not shown; their numbers can be given as phone_ids, too. {step}"
    return PhoneNumberList(phone_numbers=rows[:SHOWN], next_step=step)
