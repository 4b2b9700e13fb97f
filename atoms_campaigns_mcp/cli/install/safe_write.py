"""Changing somebody's file: a backup beside it, then all of the new text or none of it."""

import contextlib
import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from atoms_campaigns_mcp.errors import ConfigurationError

PRIVATE = 0o600
OTHERS = 0o077  # permissions of anybody but the owner


def text_of(path: Path) -> str | None:
    """Return a file's text with its line ends as they are, or None when there is no file.

    Raises:
        ConfigurationError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as UTF-8 text ({type(error).__name__}).",
            next_step="Nothing was changed: edit it by hand.",
        ) from error


def open_to_others(path: Path) -> bool:
    """Return whether anybody but its owner may read or write it."""
    return bool(stat.S_IMODE(path.stat().st_mode) & OTHERS)


def replace(path: Path, old: str | None, new: str, *, at: datetime, private: bool) -> Path | None:
    """Write `new` in place of `old`; give the backup's path, if there was a file.

    A link is followed, so that a file kept elsewhere stays there. With `private` only the owner
    may read the result; else a file keeps its permissions, and a new one is private.

    Raises:
        ConfigurationError: It cannot be written, cannot be made private, or has been changed by
            another program since `old` was read. Nothing is changed then.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = PRIVATE if private or old is None else stat.S_IMODE(path.stat().st_mode)
        draft = _draft(path, new, mode)
        try:
            if private and open_to_others(draft):
                raise ConfigurationError(
                    f"{path.parent} is on a file system that cannot keep a file private.",
                    next_step="Nothing was changed: leave out --with-key.",
                )
            if text_of(path) != old:
                raise ConfigurationError(
                    f"{path} was changed by another program just now.",
                    next_step="Nothing was changed: close the client, then repeat this.",
                )
            backup = None if old is None else _backup(path, old, at)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({type(error).__name__}).",
            next_step="Nothing was changed: look at the folder's permissions and the disk.",
        ) from error
    return backup


def _draft(path: Path, text: str, mode: int) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    draft = Path(name)
    with contextlib.suppress(PermissionError):  # judged by what came of it
        draft.chmod(mode)
    return draft


def _backup(path: Path, text: str, at: datetime) -> Path:
    """Keep the old text, which may hold keys of other servers, for its owner only."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(100):
        extra = f"-{number}" if number else ""
        backup = path.with_name(f"{path.name}.{stamp}{extra}.bak")
        with contextlib.suppress(FileExistsError):
            handle = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
            return backup
    raise FileExistsError(path)
