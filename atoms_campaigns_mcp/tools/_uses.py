"""Changing an audience while no campaign calls it, or begins to.

Whoever agreed to a start agreed to certain contacts; those added afterwards would be called all the
same, past every limit.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from atoms_campaigns_mcp.errors import WrongState
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign
from atoms_campaigns_mcp.schemas.resources import Audience
from atoms_campaigns_mcp.tools._tool import Ledger, ToolContext

PAGE = 100  # campaigns a request
DIALS = ACTIVE | {"scheduled"}


def members_of(audience_id: str) -> str:
    """Name what is held by whoever changes the audience's contacts, or agrees to calling them."""
    return f"audience {audience_id}"


@asynccontextmanager
async def resting(audience: Audience, ledger: Ledger, ctx: ToolContext) -> AsyncGenerator[None]:
    """Let no campaign of the audience be started or scheduled through this server meanwhile.

    Raises:
        WrongState: One dials, or will by itself, or is being started at this moment.
    """
    async with ledger.alone(members_of(audience.id)):
        for campaign in await _campaigns(audience, DIALS, ctx):
            raise WrongState(
                f"audience_id: campaign {campaign.label} ({campaign.id}) is {campaign.status} on "
                "this audience, and nobody agreed that it calls others. Nothing was sent.",
                next_step="Make an audience (create_audience) and a campaign for the new contacts"
                + (
                    ", or delete_campaign it and schedule it again."
                    if campaign.status == "scheduled"
                    else ", or add them after pause_campaign: its resumption asks anew."
                ),
            )
        await ledger.keep_alone(members_of(audience.id))
        yield


async def _campaigns(
    audience: Audience, statuses: frozenset[str], ctx: ToolContext
) -> list[Campaign]:
    # What an audience says of its campaigns is documented as the active ones only.
    found: list[Campaign] = []
    for status in sorted(statuses):
        page, more = 0, True
        while more:
            page += 1
            rows, listed = await ctx.atoms.list_campaigns(status=status, limit=PAGE, page=page)
            found += [row for row in rows if row.audience_id == audience.id]
            more = listed.has_more and bool(rows)
    return found
