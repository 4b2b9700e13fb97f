from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.contacts.numbers.plans import Reading, international
from atoms_campaigns_mcp.contacts.numbers.stored import e164
from atoms_campaigns_mcp.contacts.table import Contacts
from atoms_campaigns_mcp.redaction import mask_number
from atoms_campaigns_mcp.results.csv_export import hidden
from atoms_campaigns_mcp.schemas.arguments import GetAudienceArgs
from atoms_campaigns_mcp.schemas.audiences import Audience, AudienceContents, AudienceMember
from atoms_campaigns_mcp.schemas.base import nothing_here
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.schemas.fields import named, word
from atoms_campaigns_mcp.schemas.text import clean, quoted
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences import contact_sources, do_not_call, list_reports
from atoms_campaigns_mcp.toolkit.audiences.members import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

NEWEST = 300  # campaigns that are looked at for those that use it
CAMPAIGNS_PAGE = 100
CAMPAIGNS_SHOWN = 20
COLUMNS_SHOWN = 50
COLUMN_MAX = 40  # characters of a column's name
VALUE_MAX = 100  # characters of a field
FIELDS_MAX = 400  # bytes of a contact's fields; a page has a hundred contacts


@tool(Effect.READS, title="Look into an audience")
async def run(args: GetAudienceArgs, ctx: ToolContext) -> AudienceContents:
    """Look into an audience: a page of contacts, numbers masked.

    For all of it: countries, time zones, invalid and doubtful numbers, do-not-call hits, campaigns.
    """
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "contacts": partial(_contacts, args.audience_id, ctx),
        "listed": partial(do_not_call.known, ctx.atoms),
        "campaigns": partial(_newest, ctx),
    }
    (audience, contacts), listed, (newest, more) = await all_of(reads)
    judged = await ctx.shared.work(_judged, contacts)
    on_dnc = do_not_call.count(contacts.numbers(), listed)
    uses = [row for row in newest if row.audience_id == audience.id]
    start = (args.page - 1) * args.limit
    page = contacts.only(range(len(contacts))[start : start + args.limit])
    return AudienceContents(
        audience_id=audience.id,
        name=audience.name,
        contacts=[_row(page.columns, row, ctx) for row in page.rows],
        columns=[clean(name, COLUMN_MAX) for name in contacts.columns[:COLUMNS_SHOWN]],
        **list_reports.places(contacts, ctx),
        invalid=judged["invalid"],
        doubtful=judged["doubtful"],
        on_dnc=on_dnc,
        opted_out=judged["opted_out"],
        campaigns=[
            f"{named(row.name, row.id)} {word(row.status)}" for row in uses[:CAMPAIGNS_SHOWN]
        ],
        more_campaigns=more or len(uses) > CAMPAIGNS_SHOWN,
        page=args.page,
        total=len(contacts),
        has_more=start + args.limit < len(contacts),
        next_step=_next_step(args, len(page), (on_dnc or 0) + judged["opted_out"]),
    )


def _judged(contacts: Contacts) -> Counter[str]:
    counts = Counter[str](opted_out=len(contacts.opted_out()))
    for number in contacts.numbers():
        written = e164(number)
        reading = international(written[1:]) if written else None
        if not isinstance(reading, Reading):
            counts["invalid"] += 1
        elif reading.doubtful:
            counts["doubtful"] += 1
    return counts


async def _contacts(reference: str, ctx: ToolContext) -> tuple[Audience, Contacts]:
    audience = await lookup.audience(ctx.atoms, reference)
    members = await members_of(ctx.atoms, audience)
    return audience, await ctx.shared.work(contact_sources.of_members, members, audience)


async def _newest(ctx: ToolContext) -> tuple[list[Campaign], bool]:
    """Return the newest campaigns, and whether there are more."""
    found, page, more = list[Campaign](), 0, True
    while more and page < NEWEST // CAMPAIGNS_PAGE:
        page += 1
        rows, listed = await ctx.atoms.list_campaigns(page=page, limit=CAMPAIGNS_PAGE)
        more = listed.has_more and bool(rows)
        found += rows
    return found, more


def _row(columns: Sequence[str], row: Sequence[str], ctx: ToolContext) -> AudienceMember:
    number, *values = row
    shows = ctx.operator.show_numbers
    return AudienceMember(
        phone=number if shows else mask_number(number),
        country=ctx.shared.directory.country(e164(number) or ""),
        fields=_fields(dict(zip(columns[1:], values, strict=True)), number, masked=not shows),
    )


def _fields(data: Mapping[str, Any], number: str, *, masked: bool) -> list[str]:
    texts, room = list[str](), FIELDS_MAX
    filled = {column: value for column, value in data.items() if value}
    for column, value in filled.items():
        shown = hidden(value, number) if masked else value
        text = f"{clean(column, COLUMN_MAX)}: {quoted(shown, VALUE_MAX)}"
        room -= len(text.encode())
        if room < 0:
            return [*texts, f"and {len(filled) - len(texts)} more"]
        texts.append(text)
    return texts


def _next_step(args: GetAudienceArgs, shown: int, unwilling: int) -> str:
    if not shown:
        return nothing_here(args.page, "It has no contacts: add_contacts adds some.")
    if unwilling:
        return "create_audience with from_audience_id makes one without those not to be called."
    return "create_audience with from_audience_id and filters makes another audience of it."
