"""From an argument to contacts: CSV text, an allowed file, or those a campaign did not reach."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp.atoms.members import Member
from atoms_campaigns_mcp.contacts import table
from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.contacts.numbers.stored import e164
from atoms_campaigns_mcp.contacts.vocabulary import is_zone
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound
from atoms_campaigns_mcp.results.store import Stored
from atoms_campaigns_mcp.schemas.arguments import ContactsArgs
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.toolkit.allowed_files import allowed_paths, read_file, write_file
from atoms_campaigns_mcp.toolkit.audiences.list_reports import listed
from atoms_campaigns_mcp.toolkit.audiences.members import number_of
from atoms_campaigns_mcp.toolkit.context import ToolContext

Row = tuple[str, Mapping[str, Any]]
"""A number and the columns beside it."""


async def from_arguments(args: ContactsArgs, ctx: ToolContext) -> table.Contacts:
    """Read and normalise the list.

    Raises:
        InvalidArguments: Nothing in it can be called, or it is not a list; nothing was created.
        Refused: The file is not in a folder that the operator allows.
    """
    target = _rejects_path(args, ctx)
    source = await _given(args, ctx)

    def parse() -> table.Contacts:
        return table.parse(
            source,
            phone_columns=_phone_columns(args),
            region=args.default_region,
            sheet=args.sheet,
        )

    contacts = await ctx.shared.work(parse)
    written = ""
    if target and (contacts.rejected or contacts.doubtful):
        content = await ctx.shared.work(contacts.rejects_csv)
        await write_file(target, content, "rejects_file", or_same=True)
        written = f" They are in {args.rejects_file}, with their reasons."
    if not len(contacts):
        rows = "; ".join(listed(contacts.rejected))
        raise InvalidArguments(
            f"csv: no row can be called, so nothing was created: {rows}.{written}",
            next_step="Correct what the reasons name; default_region gives numbers without a "
            "country code theirs.",
        )
    return contacts


def rejects_file(contacts: table.Contacts, args: ContactsArgs) -> str | None:
    """Name the file to which rows were written, if there were any."""
    return args.rejects_file if contacts.rejected or contacts.doubtful else None


def _phone_columns(args: ContactsArgs) -> Sequence[str]:
    if args.phone_column and args.phone_columns:
        raise InvalidArguments(
            "phone_column, phone_columns: only one of them may be given. Nothing was created.",
            next_step="Call again with phone_columns, the preferred column first.",
        )
    return args.phone_columns or ([args.phone_column] if args.phone_column else [])


def _rejects_path(args: ContactsArgs, ctx: ToolContext) -> Path | None:
    if args.rejects_file is None:
        return None
    without = "Leave it out"
    return allowed_paths(args.rejects_file, ctx, without, argument="rejects_file")[0]


def only_one(sources: Mapping[str, str | None]) -> None:
    """Check that one of the sources is given.

    Raises:
        InvalidArguments: None is, or several are.
    """
    given = [name for name, source in sources.items() if source is not None]
    if len(given) != 1:
        names = ", ".join(sources).replace("upload_id", "upload_id (over HTTP only)")
        raise InvalidArguments(
            f"{names}: exactly one of them must be given. Nothing was sent.",
            next_step=f"Call again with {'only one' if given else 'one'} of them.",
        )


def none_for_reading(args: ContactsArgs, source: str) -> None:
    """Check that nothing says how to read a list, for contacts that come from `source` instead.

    Raises:
        InvalidArguments: Something does, and would be ignored.
    """
    given = [name for name in _READING if getattr(args, name)]
    if given:
        raise InvalidArguments(
            f"{', '.join(given)}: only for a list from csv, file or upload_id; {source} has its "
            "numbers and columns already. Nothing was created.",
            next_step=f"Call again without {' and '.join(given)}.",
        )


_READING = ("phone_columns", "phone_column", "default_region", "sheet", "rejects_file")


def sources(args: ContactsArgs) -> dict[str, str | None]:
    """Return the arguments of which exactly one says where contacts come from."""
    return {"csv": args.csv, "file": args.file, "upload_id": args.upload_id}


async def _given(args: ContactsArgs, ctx: ToolContext) -> str | bytes:
    if args.csv is not None:
        return args.csv
    if args.upload_id is None:
        return await read_file(args.file or "", ctx)
    content = await ctx.memory.upload(args.upload_id)
    if content is None:
        raise NotFound(
            "upload_id: there is no such upload, or it has expired. Nothing was created.",
            next_step="Send the list again with PUT /contacts.",
        )
    return content


def of_members(members: Sequence[Member], audience: Audience) -> table.Contacts:
    """Make a list of an audience's contacts with the columns that they have."""
    number = audience.phone_column or PHONE
    return _of_data([(number_of(member, audience), member.data) for member in members], number)


def of_results(rows: Sequence[Stored]) -> table.Contacts:
    """Make a list of a campaign's contacts with the columns that they had."""
    return _of_data([(row.phone, row.data) for row in rows])


def _of_data(rows: Sequence[Row], number: str = PHONE) -> table.Contacts:
    columns = dict.fromkeys(column for _, data in rows for column in data)
    others = [c for c in columns if c != number and not _is_number_column(c, rows)]
    return table.Contacts(
        columns=(PHONE, *others),
        zone_places=tuple(place for place, c in enumerate(others, 1) if is_zone(c)),
        rows=tuple(
            (e164(phone) or phone, *(_text(data.get(c)) for c in others)) for phone, data in rows
        ),
    )


def _is_number_column(column: str, rows: Sequence[Row]) -> bool:
    return column == PHONE or all(
        _text(data.get(column)).lstrip("+") == phone.lstrip("+") for phone, data in rows
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
