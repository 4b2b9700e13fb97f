"""From an argument to contacts: CSV text, an allowed file, or those a campaign did not reach."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import anyio

from atoms_campaigns_mcp.contacts import table
from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound, Refused
from atoms_campaigns_mcp.schemas.arguments import ContactsArgs
from atoms_campaigns_mcp.schemas.audiences import SPANS_SHOWN
from atoms_campaigns_mcp.schemas.fields import counted
from atoms_campaigns_mcp.state.results import Stored
from atoms_campaigns_mcp.tools._tool import ToolContext

COUNTRIES_SHOWN = 10


async def from_arguments(args: ContactsArgs, ctx: ToolContext) -> table.Contacts:
    """Read and normalise the list.

    Raises:
        InvalidArguments: Nothing in it can be called, or it is not a list; nothing was created.
        Refused: The file is not in a folder that the operator allows.
    """
    text = await _given(args, ctx)

    def parse() -> table.Contacts:
        return table.parse(text, phone_column=args.phone_column, region=args.default_region)

    contacts = await ctx.shared.work(parse)
    if not len(contacts):
        lines = "; ".join(rejected(contacts)) or "the list is empty"
        raise InvalidArguments(
            f"csv: no row can be called, so nothing was created: {lines}.",
            next_step="Correct what the reasons name; default_region gives numbers without a "
            "country code theirs.",
        )
    return contacts


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


def notes(contacts: table.Contacts) -> list[str]:
    """Say what was changed in a list that is used."""
    found: list[str] = []
    others = [name for name in contacts.renamed.values() if name != PHONE]
    if others:
        found.append(
            f"{counted(len(others), 'column')} renamed to letters, digits and underscores."
        )
    if contacts.shortened:
        found.append(
            f"{counted(contacts.shortened, 'value')} cut at {table.LONGEST_VALUE:,} characters."
        )
    return found


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
    if len(content) > table.LARGEST:
        raise InvalidArguments(
            f"file: it is larger than {table.LARGEST // 1_000_000} MB, the most that an audience "
            "may be made of. Nothing was created.",
            next_step="Leave out columns that the agent does not need, or split it.",
        )
    return content


def _first_readable(paths: Sequence[Path]) -> bytes | None:
    for path in paths:
        try:
            if path.is_file():
                with path.open("rb") as file:
                    if _is_still(path, file):
                        return file.read(table.LARGEST + 1)
        except OSError:
            continue
    return None


def _is_still(path: Path, file: BinaryIO) -> bool:
    """Say whether what was opened is what lies at the path that was allowed, links resolved."""
    return path.resolve() == path and os.path.samestat(os.fstat(file.fileno()), path.lstat())


async def write_file(path: Path, content: bytes) -> None:
    """Write a new file; one that exists is never replaced, since it may be the user's list."""
    if path.suffix.casefold() != ".csv" or path.name.startswith(".") or ":" in path.name:
        raise InvalidArguments(
            "file: results are written to a name that ends in .csv, without : and no dot first.",
            next_step="Give another name in an allowed folder.",
        )

    def write() -> None:
        try:
            with os.fdopen(_created(path), "wb") as file:
                file.write(content)
        except OSError as error:
            exists = isinstance(error, FileExistsError)
            raise InvalidArguments(
                f"file: it {'exists already' if exists else 'cannot be written there'}.",
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


def allowed_paths(name: str, ctx: ToolContext, instead: str = "Pass the list as csv") -> list[Path]:
    """Resolve a path in each allowed folder, links included; refuse one outside all of them."""
    if not ctx.files:
        raise Refused(
            "file: the operator of this server allows no folder (ATOMS_MCP_FILES, and not "
            "ATOMS_MCP_READ_ONLY).",
            next_step=f"{instead}, or ask the operator to allow a folder.",
        )
    places = {folder: _resolved(folder / name) for folder in ctx.files}
    inside = [path for folder, path in places.items() if path and path.is_relative_to(folder)]
    if not inside:
        raise Refused(
            "file: it is not in a folder that the operator allows (ATOMS_MCP_FILES).",
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
        rows=tuple((r.phone, *(_text(r.data.get(c)) for c in others)) for r in rows),
    )


def _is_number_column(column: str, rows: Sequence[Stored]) -> bool:
    return column == PHONE or all(
        _text(row.data.get(column)).lstrip("+") == row.phone.lstrip("+") for row in rows
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def rejected(contacts: table.Contacts) -> list[str]:
    """List the rejected rows by reason, lines that follow each other as one."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for line, reason in contacts.rejected:
        found = spans.setdefault(reason, [])
        first = found.pop()[0] if found and found[-1][1] == line - 1 else line
        found.append((first, line))
    texts: list[str] = []
    room, hidden = SPANS_SHOWN, 0
    for reason, found in spans.items():
        shown, rest = found[:room], found[room:]
        room -= len(shown)
        hidden += sum(last - first + 1 for first, last in rest)
        if shown:
            texts.append(f"{_lines(shown)} {reason}")
    return [*texts, f"and {hidden} more"] if hidden else texts


def _lines(spans: Sequence[tuple[int, int]]) -> str:
    one = len(spans) == 1 and spans[0][0] == spans[0][1]
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    return f"{'line' if one else 'lines'} {', '.join(texts)}"


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
