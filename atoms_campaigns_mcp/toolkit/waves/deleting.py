"""Deleting several campaigns, one after the other."""

from collections.abc import Sequence

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.toolkit.context import ToolContext


async def delete_each(campaigns: Sequence[Campaign], ctx: ToolContext) -> None:
    """Delete them in order.

    Raises:
        AtomsCampaignsError: One of several could not be deleted; the text says how many are gone.
    """
    for done, campaign in enumerate(campaigns):
        try:
            await ctx.memory.keep_held()
            await ctx.atoms.delete_campaign(campaign.id)
        except AtomsCampaignsError as error:
            if len(campaigns) > 1:
                gone = ", ".join(row.id for row in campaigns[:done]) or "none"
                error.message = (
                    f"{done} of {len(campaigns)} campaigns are deleted ({gone}); then it stopped "
                    f"at {campaign.id}: {error.message}"
                )
            raise
