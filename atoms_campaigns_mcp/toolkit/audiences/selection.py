"""From the arguments of `create_audience` to contacts: one source, and filters over it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.contacts.countries import country_of
from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.contacts.selection import OPTED_OUT, Filters, Selection, select
from atoms_campaigns_mcp.contacts.table import Contacts
from atoms_campaigns_mcp.contacts.zone_names import current, zone_of
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound, WrongState
from atoms_campaigns_mcp.results.store import Stored
from atoms_campaigns_mcp.schemas.arguments import CreateAudienceArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignDetails
from atoms_campaigns_mcp.schemas.results import AGAIN
from atoms_campaigns_mcp.schemas.text import counted
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences import contact_sources, do_not_call
from atoms_campaigns_mcp.toolkit.audiences.members import contacts_of, members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import is_terminal, results_of, unfinished

ON_DNC = "do_not_call"
IN_CAMPAIGN = "in_excluded_campaign"
IN_AUDIENCE = "in_excluded_audience"


def check(args: CreateAudienceArgs) -> None:
    """Check what can be checked without reading anything.

    Raises:
        InvalidArguments: Not one source, arguments that do not go together, or what is no time zone
            or no country.
    """
    contact_sources.only_one(
        contact_sources.sources(args)
        | {"from_audience_id": args.from_audience_id, "from_campaign_id": args.from_campaign_id}
    )
    if args.outcomes and args.from_campaign_id is None:
        raise InvalidArguments(
            "outcomes: only goes with from_campaign_id. Nothing was sent.",
            next_step="Leave it out, or give from_campaign_id.",
        )
    for name in ("from_audience_id", "from_campaign_id"):
        if getattr(args, name) is not None:
            contact_sources.none_for_reading(args, name)
    if args.remainder_name and args.sample is None:
        raise InvalidArguments(
            "remainder_name: only goes with sample. Nothing was sent.",
            next_step="Leave it out, or give sample.",
        )
    if args.remainder_name and args.remainder_name.casefold() == args.name.casefold():
        raise InvalidArguments(
            "remainder_name: must differ from name. Nothing was sent.",
            next_step="Ask the user what the others are to be called.",
        )
    _zones(args)
    _countries(args)


async def source(args: CreateAudienceArgs, ctx: ToolContext) -> Contacts:
    """Read the list that the audience is made from.

    Raises:
        AtomsCampaignsError: It cannot be read, has nobody, or is a campaign that is not over.
    """
    if args.from_campaign_id is not None:
        return await _of_campaigns(args.from_campaign_id.split(", "), args, ctx)
    if args.from_audience_id is None:
        return await contact_sources.from_arguments(args, ctx)
    audience = await lookup.audience(ctx.atoms, args.from_audience_id, argument="from_audience_id")
    members = await members_of(ctx.atoms, audience)
    return await ctx.shared.work(contact_sources.of_members, members, audience)


async def selected(contacts: Contacts, args: CreateAudienceArgs, ctx: ToolContext) -> Selection:
    """Choose by the filters.

    Raises:
        WrongState: What a filter needs cannot be read, or the number of a contact.
        NotFound: Nobody is left.
    """
    filters = await _filters(args, ctx)

    def choose() -> Selection:
        return select(contacts.candidates(ctx.shared.directory), filters)

    found = await ctx.shared.work(choose)
    _check_left(found, args)
    return found


def without_opt_outs(contacts: Contacts) -> Contacts:
    """Return a list without those whom its own columns say not to call, and say so in its notes.

    Raises:
        NotFound: Nobody is left.
    """
    out = set(contacts.opted_out())
    if not out:
        return contacts
    told = f"{counted(len(out), 'contact')} whose own columns say not to call them left out."
    if len(out) == len(contacts):
        raise NotFound(
            f"Nobody is left: {told} Nothing was sent.",
            next_step="Tell the user that the list itself says not to call them.",
        )
    kept = contacts.only([place for place in range(len(contacts)) if place not in out])
    return replace(kept, notes=(*kept.notes, told))


def reasons(selection: Selection) -> list[str]:
    """Report how many were left out, by reason."""
    return [f"{reason}: {count}" for reason, count in selection.excluded.items()]


async def _filters(args: CreateAudienceArgs, ctx: ToolContext) -> Filters:
    without: dict[str, Collection[str]] = {}
    if args.exclude_dnc:
        without[ON_DNC] = await do_not_call.everybodys(ctx.atoms)
    if args.exclude_campaign_ids:
        ids = dict.fromkeys(args.exclude_campaign_ids)
        called = await all_of({one: partial(_called, one, ctx) for one in ids})
        without[IN_CAMPAIGN] = set[str]().union(*called)
    for reference in args.exclude_audience_ids or ():
        numbers = await _members(reference, "exclude_audience_ids", ctx)
        without[IN_AUDIENCE] = {*without.get(IN_AUDIENCE, ()), *numbers}
    return Filters(without, _countries(args), _zones(args), opted_out=args.exclude_dnc)


def _check_left(found: Selection, args: CreateAudienceArgs) -> None:
    if found.unread:
        raise WrongState(
            f"The numbers of {counted(found.unread, 'contact')} of the source cannot be read, so "
            "they cannot be compared with those to leave out. Nothing was created.",
            next_step="Ask the user for the list with these numbers written with + and country "
            "code, and make the audience from it.",
        )
    if not found.kept:
        raise NotFound(
            f"Nobody is left ({', '.join(reasons(found)) or 'the source is empty'}). "
            "Nothing was created.",
            next_step="Tell the user that all of them asked not to be called."
            if {ON_DNC, OPTED_OUT} & found.excluded.keys() and not _filtered(args)
            else "Tell the user, and ask which of the filters is not meant.",
        )
    if args.sample is not None and args.sample > len(found.kept):
        raise InvalidArguments(
            f"sample: more than the {len(found.kept)} that are left. Nothing was created.",
            next_step="Ask the user how many; without sample it is all of them.",
        )
    if args.remainder_name and args.sample == len(found.kept):
        raise InvalidArguments(
            f"remainder_name: a sample of all {len(found.kept)} leaves nobody for it. Nothing was "
            "created.",
            next_step="Ask the user how many the sample is to have.",
        )


def _zones(args: CreateAudienceArgs) -> frozenset[str]:
    named = [zone_of(zone) for zone in args.time_zones or ()]
    _check_known("time_zones", named, "name of the IANA database, such as Asia/Kolkata")
    return frozenset(current(zone) for zone in named if zone)


def _countries(args: CreateAudienceArgs) -> frozenset[str]:
    named = [country_of(country) for country in args.countries or ()]
    _check_known("countries", named, "country, such as IN or India")
    return frozenset(country for country in named if country)


def _check_known(argument: str, found: Sequence[str | None], kind: str) -> None:
    wrong = [str(place) for place, one in enumerate(found, 1) if not one]
    if wrong:
        raise InvalidArguments(
            f"{argument}: entry {', '.join(wrong)} is no {kind}. Nothing was created.",
            next_step="Give such names; create_audience with dry_run lists those of a list.",
        )


def _filtered(args: CreateAudienceArgs) -> bool:
    given = args.countries, args.time_zones, args.exclude_campaign_ids, args.exclude_audience_ids
    return any(given)


async def _of_campaigns(
    campaign_ids: Sequence[str], args: CreateAudienceArgs, ctx: ToolContext
) -> Contacts:
    """Return the contacts of a campaign or of all waves of a name."""
    found = await all_of({one: partial(_left_by, one, args, ctx) for one in campaign_ids})
    rows = [row for some in found for row in some]
    if not rows:
        raise NotFound(
            "from_campaign_id: no contact of this campaign has such an outcome. Nothing was "
            "created.",
            next_step="get_campaign_results shows which outcomes there are.",
        )
    return await ctx.shared.work(contact_sources.of_results, rows)


async def _left_by(campaign_id: str, args: CreateAudienceArgs, ctx: ToolContext) -> list[Stored]:
    details = await ctx.atoms.get_campaign(campaign_id)
    if not is_terminal(details) or await unfinished(details, ctx):
        raise WrongState(
            f"from_campaign_id: campaign {details.campaign.label} is not finished, so contacts "
            "that it still calls would be called twice. Nothing was created.",
            next_step="It has called nobody: take its audience (from_audience_id)."
            if details.campaign.status in {"draft", "scheduled"}
            else "Wait with watch_campaign until finished, then call again; a paused one does not "
            "finish by itself.",
        )
    return await (await results_of(details, ctx)).contacts(args.outcomes or AGAIN)


async def _called(campaign_id: str, ctx: ToolContext) -> set[str]:
    """Return the digits of whom a campaign has called or may still call."""
    details = await ctx.atoms.get_campaign(campaign_id)
    rows = await (await results_of(details, ctx)).contacts()
    if is_terminal(details) and not await unfinished(details, ctx):
        return _digits([row.phone for row in rows if row.attempts], "exclude_campaign_ids")
    numbers = _digits([row.phone for row in rows], "exclude_campaign_ids")
    return numbers | await _members(_audience_of(details), "exclude_campaign_ids", ctx)


def _audience_of(details: CampaignDetails) -> str:
    if not details.campaign.audience_id:
        raise WrongState(
            f"exclude_campaign_ids: campaign {details.campaign.label} is not finished, and the API "
            "does not say whom it may still call. Nothing was created.",
            next_step="Give its audience in exclude_audience_ids.",
        )
    return details.campaign.audience_id


async def _members(reference: str, argument: str, ctx: ToolContext) -> set[str]:
    audience = await lookup.audience(ctx.atoms, reference, argument=argument)
    contacts = await contacts_of(ctx.atoms, audience)
    return await ctx.shared.work(_digits, [contact.number for contact in contacts], argument)


def _digits(numbers: Sequence[str], argument: str) -> set[str]:
    found = [as_digits(number) for number in numbers]
    unread = found.count(None)
    if unread:
        raise WrongState(
            f"{argument}: {counted(unread, 'number')} of what is to be left out cannot be read, so "
            "nobody is known not to be among them. Nothing was created.",
            next_step="Ask the user for a list with these numbers written with + and country code.",
        )
    return {number for number in found if number}
