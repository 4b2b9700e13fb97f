import hashlib
from collections.abc import Sequence

from atoms_campaigns_mcp.contacts.table import Contacts
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound, WrongState
from atoms_campaigns_mcp.schemas.arguments import CreateAudienceArgs
from atoms_campaigns_mcp.schemas.audiences import Audience, AudienceCreated
from atoms_campaigns_mcp.schemas.results import NOT_REACHED
from atoms_campaigns_mcp.toolkit import contact_sources, list_reports
from atoms_campaigns_mcp.toolkit.campaign_results import is_terminal, results_of, unfinished
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Creation, key_of
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@tool(Effect.CHANGES, title="Create an audience")
async def run(args: CreateAudienceArgs, ctx: ToolContext) -> AudienceCreated:
    """Create an audience (the contacts to call) from one of csv, file and from_campaign_id.

    Numbers become E.164, duplicates are merged, rejected and doubtful rows are reported with their
    reason; other columns become call variables. Where the column of numbers or how to read it is
    not certain, it asks: put that to the user. At most 10,000 rows and 5 MB. Dials nobody.
    """
    contacts = await _chosen(args, ctx)
    upload = await ctx.shared.work(contacts.to_csv)
    made = await _creation(args, upload, len(contacts), ctx).once(ctx)
    step = f"Pass {made.thing.id} as audience_id to create_campaign."
    return AudienceCreated(
        audience_id=made.thing.id,
        name=made.thing.name or args.name,
        contacts=len(contacts),
        **await ctx.shared.work(list_reports.report, contacts, ctx),
        rejects_file=contact_sources.rejects_file(contacts, args),
        next_step=f"{made.note} {step}".strip(),
    )


def _creation(
    args: CreateAudienceArgs, upload: bytes, count: int, ctx: ToolContext
) -> Creation[Audience]:
    key = key_of("audience", args.name, hashlib.sha256(upload).hexdigest())

    async def alike() -> list[Audience]:
        rows = await ctx.atoms.list_audiences()
        return [row for row in rows if row.is_like(args.name, count)]

    async def make(known: Sequence[str]) -> Audience:
        about = args.description or ""
        return await ctx.atoms.create_audience(
            args.name, about, upload, count=count, key=key, known=known
        )

    return Creation(key, alike, make)


async def _chosen(args: CreateAudienceArgs, ctx: ToolContext) -> Contacts:
    contact_sources.only_one(
        contact_sources.sources(args) | {"from_campaign_id": args.from_campaign_id}
    )
    if args.outcomes and args.from_campaign_id is None:
        raise InvalidArguments(
            "outcomes: only goes with from_campaign_id. Nothing was sent.",
            next_step="Leave it out, or give from_campaign_id.",
        )
    if args.from_campaign_id is None:
        return await contact_sources.from_arguments(args, ctx)
    contact_sources.none_for_reading(args, "from_campaign_id")
    details = await ctx.atoms.get_campaign(args.from_campaign_id)
    if not is_terminal(details) or await unfinished(details, ctx):
        raise WrongState(
            f"from_campaign_id: campaign {details.campaign.label} is not finished, so contacts "
            "that it still calls would be called twice. Nothing was created.",
            next_step="It has to be started first: nobody was called."
            if details.campaign.status in {"draft", "scheduled"}
            else "Wait with watch_campaign until finished, then call again; a paused one does not "
            "finish by itself.",
        )
    results = await results_of(details, ctx)
    rows = await results.contacts(args.outcomes or NOT_REACHED)
    if not rows:
        raise NotFound(
            f"from_campaign_id: no contact of campaign {details.campaign.label} has such an "
            "outcome. Nothing was created.",
            next_step="get_campaign_results shows which outcomes there are.",
        )
    return contact_sources.of_results(rows)
