"""From an argument to contacts: CSV text, an allowed file, or those a campaign did not reach."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from atoms_campaigns_mcp.contacts import table
from atoms_campaigns_mcp.errors import InvalidArguments, Refused
from atoms_campaigns_mcp.schemas.arguments import ContactsArgs
from atoms_campaigns_mcp.schemas.audiences import SHOWN
from atoms_campaigns_mcp.state.results import Stored
from atoms_campaigns_mcp.tools._tool import ToolContext

COUNTRIES_SHOWN = 10


async def from_arguments(args: ContactsArgs, ctx: ToolContext) -> table.Contacts:
    """Read and normalise the list.

    Raises:
        InvalidArguments: Nothing in it can be called, or it is not a list; nothing was created.
        Refused: The file is not in a folder that the operator allows.
    """
    text = args.csv if args.csv is not None else await read_file(args.file or "", ctx)

    def parse() -> table.Contacts:
        return table.parse(text, phone_column=args.phone_column, region=args.default_region)

    contacts = await anyio.to_thread.run_sync(parse)
    if not len(contacts):
        lines = "; ".join(rejected(contacts)) or "the list is empty"
        raise InvalidArguments(
            f"csv: no row can be called, so nothing was created: {lines}.",
            next_step="Correct the numbers, or give default_region for numbers without a country.",
        )
    return contacts


async def read_file(name: str, ctx: ToolContext) -> bytes:
    """Read a contact file that lies in an allowed folder, at most a little over the bound."""
    path = allowed_path(name, ctx)
    if not path.is_file():
        raise InvalidArguments(
            "file: there is no such file in the allowed folders.",
            next_step="Check its name, or pass the list as csv.",
        )

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(table.LARGEST + 1)

    return await anyio.to_thread.run_sync(read)


def allowed_path(name: str, ctx: ToolContext) -> Path:
    """Resolve a path, links included, and refuse it outside the allowed folders."""
    if not ctx.files:
        raise Refused(
            "file: the operator of this server allows no folder (ATOMS_MCP_FILES).",
            next_step="Pass the list as csv, or ask the operator to allow a folder.",
        )
    for folder in ctx.files:
        path = (folder / name).resolve()
        if path.is_relative_to(folder):
            return path
    raise Refused(
        "file: it is not in a folder that the operator allows (ATOMS_MCP_FILES).",
        next_step="Put it there, or pass the list as csv.",
    )


def of_results(rows: Sequence[Stored]) -> table.Contacts:
    """Make a list of a campaign's contacts with the columns that they had."""
    columns = [column for row in rows for column in row.data]
    others = [c for c in dict.fromkeys(columns) if not _is_number_column(c, rows)]
    return table.Contacts(
        columns=("phoneNumber", *others),
        rows=tuple((r.phone, *(_text(r.data.get(c)) for c in others)) for r in rows),
    )


def _is_number_column(column: str, rows: Sequence[Stored]) -> bool:
    return column == "phoneNumber" or all(
        _text(row.data.get(column)).lstrip("+") == row.phone.lstrip("+") for row in rows
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def rejected(contacts: table.Contacts) -> list[str]:
    """List the first rejected rows with their reasons."""
    return [f"line {line} {reason}" for line, reason in contacts.rejected[:SHOWN]]


def report(contacts: table.Contacts, ctx: ToolContext) -> dict[str, Any]:
    """Give what every list's result tells about it."""
    directory = ctx.shared.directory
    return {
        "rejected_rows": len(contacts.rejected),
        "rejected": rejected(contacts),
        "duplicates": len(contacts.duplicates),
        "columns": contacts.columns,
        "countries": _counts(contacts.countries(directory)),
        "time_zones": _counts(contacts.zones(directory)),
    }


def _counts(counts: dict[str, int]) -> list[str]:
    shown = [
        f"{key or 'unknown'}: {count}" for key, count in list(counts.items())[:COUNTRIES_SHOWN]
    ]
    more = len(counts) - len(shown)
    return [*shown, f"and {more} more"] if more else shown
