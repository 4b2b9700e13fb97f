"""Files in the folders that the operator allows."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import anyio

from atoms_campaigns_mcp.contacts import table
from atoms_campaigns_mcp.errors import InvalidArguments, Refused
from atoms_campaigns_mcp.toolkit.context import ToolContext


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
    """Return whether what was opened is what lies at the path that was allowed, links resolved."""
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
    if not ctx.operator.files:
        raise Refused(
            f"{argument}: the operator of this server allows no folder (ATOMS_MCP_FILES, and not "
            "ATOMS_MCP_READ_ONLY).",
            next_step=f"{instead}, or ask the operator to allow a folder.",
        )
    places = {folder: _resolved(folder / name) for folder in ctx.operator.files}
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
