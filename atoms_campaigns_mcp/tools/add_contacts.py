from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.schemas.arguments import AddContactsArgs
from atoms_campaigns_mcp.schemas.audiences import ContactsAdded
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences import (
    contact_sources,
    do_not_call,
    list_reports,
    selection,
)
from atoms_campaigns_mcp.toolkit.audiences.lock import resting
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.CHANGES, title="Add contacts to an audience")
async def run(args: AddContactsArgs, ctx: ToolContext) -> ContactsAdded:
    """Add contacts from CSV text or a file to an audience that no campaign calls or will call.

    Works like create_audience; contacts that are already in the audience are skipped.
    """
    contact_sources.only_one(contact_sources.sources(args))
    given = await contact_sources.from_arguments(args, ctx)
    contacts = await ctx.shared.work(selection.without_opt_outs, given)
    audience = await lookup.audience(ctx.atoms, args.audience_id)
    column = audience.phone_column or PHONE
    columns = (column, *contacts.columns[1:])
    members = [dict(zip(columns, row, strict=True)) for row in contacts.rows]
    on_dnc = await do_not_call.hits(ctx.atoms, contacts.numbers())
    async with resting(audience, ctx):
        added, skipped = await ctx.atoms.add_members(audience, members, column)
    return ContactsAdded(
        audience_id=audience.id,
        name=audience.name,
        added=added,
        skipped=skipped,
        on_dnc=on_dnc,
        **await ctx.shared.work(list_reports.report, contacts, ctx),
        rejects_file=contact_sources.rejects_file(given, args),
        next_step=do_not_call.advice(on_dnc, 0, ctx.operator.policy)
        or f"Pass {audience.id} as audience_id to create_campaign.",
    )
