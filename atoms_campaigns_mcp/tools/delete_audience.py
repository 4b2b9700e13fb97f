from collections.abc import Sequence

from atoms_campaigns_mcp.errors import WrongState
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.schemas.arguments import DeleteAudienceArgs
from atoms_campaigns_mcp.schemas.audiences import AudienceDeleted
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.audiences.members import contacts_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


async def locks(args: DeleteAudienceArgs, ctx: ToolContext) -> Sequence[str]:
    """Let nobody else change the audience, or have it called."""
    return [members_of((await lookup.audience(ctx.atoms, args.audience_id)).id)]


async def plan(args: DeleteAudienceArgs, ctx: ToolContext) -> Proposal:
    """Read what would be lost; an audience that a campaign refers to stays."""
    audience = await lookup.audience(ctx.atoms, args.audience_id)
    if audience.campaigns or audience.used:
        named = ", ".join(
            f"{c.label} ({word(c.id)}, {word(c.status)})" for c in audience.campaigns[:5]
        )
        raise WrongState(
            f"audience_id: audience {audience.label} is used by campaigns: {named or 'some'}. "
            "Nothing was sent.",
            next_step="Delete those campaigns first, or keep the audience.",
        )
    contacts = await contacts_of(ctx.atoms, audience)
    return Proposal(
        Plan(
            action="delete_audience",
            name=audience.name,
            audience_id=audience.id,
            audience=audience.name,
            people=len(contacts),
            members=fingerprint(contact.number for contact in contacts),
        )
    )


@tool(Effect.DESTROYS, title="Delete an audience", plan=plan, locks=locks)
async def run(args: DeleteAudienceArgs, ctx: ToolContext) -> AudienceDeleted:  # noqa: ARG001
    """Delete an audience and its contacts for good, after confirmation.

    Refused while any campaign refers to it, whatever that campaign's state. Where no person can be
    asked, the first call is refused with a confirm_token.
    """
    facts = ctx.agreed()
    await ctx.atoms.delete_audience(facts.audience_id)
    return AudienceDeleted(
        audience_id=facts.audience_id,
        name=facts.name,
        next_step="list_audiences shows what is left.",
    )
