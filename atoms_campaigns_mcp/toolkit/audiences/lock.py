"""Which campaigns call an audience; and changing it while none does, or begins to.

Whoever agreed to a start agreed to certain contacts; those added afterwards would be called all the
same, past every limit.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.errors import WrongState
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext

PAGE = 100  # campaigns a request
# In the order in which a campaign passes through them: what begins while lists are read one after
# another is in a later one.
DIALS = ("scheduled", "processing", "running")


def members_of(audience_id: str) -> str:
    """Name what is held by whoever changes the audience's contacts, or agrees to calling them."""
    return f"audience {audience_id}"


@asynccontextmanager
async def resting(audience: Audience, ctx: ToolContext) -> AsyncGenerator[None]:
    """Let no campaign of the audience be started or scheduled through this server meanwhile.

    Raises:
        WrongState: One dials, or will by itself, or is being started at this moment.
    """
    async with ctx.memory.alone(members_of(audience.id)):
        for campaign in await _campaigns(audience, ctx):
            raise WrongState(
                f"audience_id: campaign {campaign.label} ({word(campaign.id)}) is "
                f"{word(campaign.status)} on this audience, and nobody agreed that it "
                "calls others. Nothing was sent.",
                next_step="Make an audience (create_audience) and a campaign for the new contacts"
                + (
                    ", or delete_campaign it and schedule it again."
                    if campaign.status == "scheduled"
                    else ", or add them after pause_campaign: its resumption asks anew."
                ),
            )
        for campaign in on(audience.id, await campaign_states.under_way(ctx)):
            raise WrongState(
                f"audience_id: campaign {campaign.label} ({campaign.id}) on this audience was made "
                "to dial and does not show it yet. Nothing was sent.",
                next_step="Look with get_campaign_status; add them to an audience of their own.",
            )
        await ctx.memory.keep_alone(members_of(audience.id))
        yield


async def in_status(atoms: AtomsClient, status: str) -> tuple[list[Campaign], int | None]:
    """Return every campaign in a status, and how many the API says there are."""
    found, page, more, total = list[Campaign](), 0, True, None
    while more:
        page += 1
        rows, listed = await atoms.list_campaigns(status=status, limit=PAGE, page=page)
        found += rows
        total = listed.total
        more = listed.has_more and bool(rows)
    return found, total


def on(audience_id: str, campaigns: Iterable[Campaign]) -> list[Campaign]:
    """Choose those of an audience."""
    return [campaign for campaign in campaigns if campaign.audience_id == audience_id]


async def _campaigns(audience: Audience, ctx: ToolContext) -> list[Campaign]:
    # What an audience says of its campaigns is documented as the active ones only.
    found = [await in_status(ctx.atoms, status) for status in DIALS]
    return [campaign for rows, _ in found for campaign in on(audience.id, rows)]
