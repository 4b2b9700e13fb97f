"""From an argument to contacts: CSV text, an allowed file, or those a campaign did not reach."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import anyio

from atoms_campaigns_mcp.contacts import table
from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.contacts.vocabulary import is_zone
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound, Refused
from atoms_campaigns_mcp.schemas.arguments import ContactsArgs
from atoms_campaigns_mcp.state.results import Stored
from atoms_campaigns_mcp.tools._list_reports import listed
from atoms_campaigns_mcp.tools._tool import ToolContext


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


def sources(args: ContactsArgs) -> dict[str, str | None]:
    """Give the arguments of which exactly one says where contacts come from."""
    return {"csv": args.csv, "file": args.file, "upload_id": args.upload_id}


async def _given(args: ContactsArgs, ctx: ToolContext) -> str | bytes:
    if args.csv is not None:
        return args.csv
    if args.upload_id is None:
        return await read_file(args.file or "", ctx)
    content = await ctx.upload(args.upload_id)
    if content is None:
        raise NotFound(
            "upload_id: there is no such upload, or it has expired. Nothing was created.",
            next_step="Send the list again with PUT /contacts.",
        )
    return content


async def read_file(name: str, ctx: ToolContext) -> bytes:
    """Read a contact file that lies in an allowed folder, at most a little over the bound."""
    paths = allowed_paths(name, ctx)
    content = await anyio.to_thread.run_sync(_first_readable, paths)
    if content is None:
        raise InvalidArguments(
            "file: there is no such file in the allowed folders, or it cannot be read.",
            next_step="Check its name, or pass the list as csv.",
        )
    return content


def _first_readable(paths: Sequence[Path]) -> bytes | None:
    for path in paths:
        try:
            if path.is_file():
                with path.open("rb") as file:
                    if _is_still(path, file):
                        table.check_size(os.fstat(file.fileno()).st_size)
                        return file.read(table.LARGEST + 1)
        except OSError:
            continue
    return None


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Say whether what was opened is what lies at the path that was allowed, links resolved."""
    return path.resolve() == path and os.path.samestat(os.fstat(file.fileno()), path.lstat())


async def write_file(
    path: Path, content: bytes, argument: str = "file", *, or_same: bool = False
) -> None:
    """Write a new file; one that exists is never replaced, since it may be the user's list.

    `or_same` accepts one that has this content, which an equal call has written.
    """
    if path.suffix.casefold() != ".csv" or path.name.startswith(".") or ":" in path.name:
        raise InvalidArguments(
            f"{argument}: the name must end in .csv, have no : and no dot first.",
            next_step="Give another name in an allowed folder.",
        )

    def write() -> None:
        try:
            with os.fdopen(_created(path), "wb") as file:
                file.write(content)
        except OSError as error:
            exists = isinstance(error, FileExistsError)
            if exists and or_same and _holds(path, content):
                return
            raise InvalidArguments(
                f"{argument}: it {'exists already' if exists else 'cannot be written there'}.",
                next_step="Give another name in an allowed folder.",
            ) from error

    await anyio.to_thread.run_sync(write)


def _created(path: Path) -> int:
    """Create a file by handles of its folders, so that none of them has become a link since.

    Only its owner can read it: the rows hold full numbers.
    """
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    if os.open not in os.supports_dir_fd:  # Windows
        return os.open(path, new | getattr(os, "O_BINARY", 0), 0o600)
    step = os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)
    folder = os.open(path.anchor, step)
    try:
        for name in path.parent.parts[1:]:
            outer, folder = folder, os.open(name, step, dir_fd=folder)
            os.close(outer)
        return os.open(path.name, new | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    finally:
        os.close(folder)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def allowed_paths(
    name: str, ctx: ToolContext, instead: str = "Pass the list as csv", argument: str = "file"
) -> list[Path]:
    """Resolve a path in each allowed folder, links included; refuse one outside all of them."""
    if not ctx.files:
        raise Refused(
            f"{argument}: the operator of this server allows no folder (ATOMS_MCP_FILES, and not "
            "ATOMS_MCP_READ_ONLY).",
            next_step=f"{instead}, or ask the operator to allow a folder.",
        )
    places = {folder: _resolved(folder / name) for folder in ctx.files}
    inside = [path for folder, path in places.items() if path and path.is_relative_to(folder)]
    if not inside:
        raise Refused(
            f"{argument}: it is not in a folder that the operator allows (ATOMS_MCP_FILES).",
            next_step=f"Use one that is allowed. {instead}, or ask the operator which are.",
        )
    return inside


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return None


def of_results(rows: Sequence[Stored]) -> table.Contacts:
    """Make a list of a campaign's contacts with the columns that they had."""
    columns = [column for row in rows for column in row.data]
    others = [c for c in dict.fromkeys(columns) if not _is_number_column(c, rows)]
    return table.Contacts(
        columns=(PHONE, *others),
        zone_places=tuple(place for place, c in enumerate(others, 1) if is_zone(c)),
        rows=tuple((r.phone, *(_text(r.data.get(c)) for c in others)) for r in rows),
    )


def _is_number_column(column: str, rows: Sequence[Stored]) -> bool:
    return column == PHONE or all(
        _text(row.data.get(column)).lstrip("+") == row.phone.lstrip("+") for row in rows
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
