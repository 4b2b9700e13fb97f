from collections.abc import Sequence

from atoms_campaigns_mcp.contacts.selection import split
from atoms_campaigns_mcp.schemas.arguments import CreateAudienceArgs
from atoms_campaigns_mcp.schemas.audiences import Audience, AudienceCreated
from atoms_campaigns_mcp.schemas.text import quoted
from atoms_campaigns_mcp.toolkit.audiences import (
    contact_sources,
    do_not_call,
    list_reports,
    selection,
)
from atoms_campaigns_mcp.toolkit.audiences.making import Part
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Made, key_of
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.CHANGES, title="Create an audience")
async def run(args: CreateAudienceArgs, ctx: ToolContext) -> AudienceCreated:
    """Create an audience from one source of contacts, less what filters leave out.

    Duplicates merge, bad rows are reported, other columns become call variables. If it asks how
    to read a list, put that to the user. Dials nobody.
    """
    selection.check(args)
    contacts = await selection.source(args, ctx)
    chosen = await selection.selected(contacts, args, ctx)
    kept = contacts.only(chosen.kept)
    sample, others = kept, None
    if args.sample is not None:
        drawn, left = await ctx.shared.work(split, kept.numbers(), args.sample, ctx.sampling())
        sample, others = kept.only(drawn), kept.only(left)
    on_dnc = 0 if args.exclude_dnc else await do_not_call.hits(ctx.atoms, sample.numbers())
    parts = [await Part.of(args.name, sample, ctx)]
    if others is not None and args.remainder_name:
        parts.append(await Part.of(args.remainder_name, others, ctx))
    made = [] if args.dry_run else await _make(parts, args, ctx)
    step = "Call again without dry_run to make it."
    if made:
        advice = do_not_call.advice(on_dnc, len(sample.opted_out()), ctx.operator.policy)
        step = advice or f"Pass {made[0].thing.id} as audience_id to create_campaign."
    notes = [f"{quoted(one.thing.name)}: {one.note}" for one in made if one.note]
    return AudienceCreated(
        audience_id=made[0].thing.id if made else None,
        name=(made[0].thing.name if made else "") or args.name,
        contacts=len(sample),
        on_dnc=on_dnc,
        dry_run=args.dry_run,
        excluded=selection.reasons(chosen),
        excluded_contacts=sum(chosen.excluded.values()),
        remainder_id=made[1].thing.id if len(made) > 1 else None,
        remainder_name=args.remainder_name,
        remainder=None if others is None else len(others),
        **await ctx.shared.work(list_reports.report, sample, ctx),
        rejects_file=contact_sources.rejects_file(contacts, args),
        next_step=" ".join([*notes, step]),
    )


async def _make(
    parts: Sequence[Part], args: CreateAudienceArgs, ctx: ToolContext
) -> list[Made[Audience]]:
    about = args.description or ""
    if len(parts) == 1:
        return [await parts[0].creation(about, ctx).once(ctx)]
    # One job: what an earlier request of it has made is taken, so that asking again finishes it.
    job = key_of("audiences", *(part.key for part in parts))
    made: list[Made[Audience]] = []
    async with ctx.memory.alone(job):
        for part in parts:
            there = await part.there(ctx)
            await ctx.memory.keep_alone(job)
            made.append(there or await part.creation(about, ctx).once(ctx))
    return made
