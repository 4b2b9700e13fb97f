from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.schemas.arguments import AddContactsArgs
from atoms_campaigns_mcp.schemas.audiences import ContactsAdded
from atoms_campaigns_mcp.tools import _contacts, _list_reports, _resolve
from atoms_campaigns_mcp.tools._creation import ledger_of
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool
from atoms_campaigns_mcp.tools._uses import resting


@tool(Effect.CHANGES, title="Add contacts to an audience")
async def run(args: AddContactsArgs, ctx: ToolContext) -> ContactsAdded:
    """Add contacts from CSV text or a file to an audience that no campaign calls or will call.

    Works like create_audience; contacts that are already in the audience are skipped.
    """
    _contacts.only_one(_contacts.sources(args))
    contacts = await _contacts.from_arguments(args, ctx)
    audience = await _resolve.audience(ctx.atoms, args.audience_id)
    column = audience.phone_column or PHONE
    columns = (column, *contacts.columns[1:])
    members = [dict(zip(columns, row, strict=True)) for row in contacts.rows]
    async with resting(audience, ledger_of(ctx), ctx):
        added, skipped = await ctx.atoms.add_members(audience, members, column)
    return ContactsAdded(
        audience_id=audience.id,
        name=audience.name,
        added=added,
        skipped=skipped,
        **await ctx.shared.work(_list_reports.report, contacts, ctx),
        rejects_file=_contacts.rejects_file(contacts, args),
        next_step=f"Pass {audience.id} as audience_id to create_campaign.",
    )
