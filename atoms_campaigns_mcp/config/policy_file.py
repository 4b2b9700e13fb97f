"""Policy files: settings that no client can drop, as it may drop environment variables.

`policy.toml` is looked for in the site's folder and in the user's. Both are at fixed places, which
no variable but HOME moves; where XDG_CONFIG_HOME names another folder of the user's, that counts
too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from atoms_campaigns_mcp import NAME as APP
from atoms_campaigns_mcp.config.settings import SETTINGS
from atoms_campaigns_mcp.config.sources import Setting, Source, clipped, nearest
from atoms_campaigns_mcp.errors import ConfigurationError

NAME = "policy.toml"
LARGEST = 1_000_000  # bytes; nobody writes as much by hand
SITE, USER = "site policy", "user policy"
_SETTINGS = {row.name: row for row in SETTINGS}


class Folder(NamedTuple):
    """A folder that may hold a policy; `fixed` if it is the same whatever a client passes on."""

    kind: str
    path: Path
    fixed: bool = True

    @property
    def file(self) -> Path:
        """Where the policy is, if there is one."""
        return self.path / NAME


def user_home() -> Path | None:
    """Return the user's home, if HOME or the system's list of users tells it."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def folders(home: Path | None, platform: str, environ: Mapping[str, str]) -> tuple[Folder, ...]:
    """Return the folders in which a policy is looked for, the site's first."""
    if platform == "win32":  # known folders, which no variable moves
        import platformdirs  # noqa: PLC0415 - elsewhere it follows variables, and takes 3 ms

        site = platformdirs.site_config_path(APP, appauthor=False)
        user = platformdirs.user_config_path(APP, appauthor=False)
    elif platform == "darwin":
        site = Path("/Library/Application Support", APP)
        user = home and home / "Library" / "Application Support" / APP
    else:
        site, user = Path("/etc/xdg", APP), home and home / ".config" / APP
    found = [Folder(SITE, site)] + ([Folder(USER, user)] if user else [])
    moved = Path(environ.get("XDG_CONFIG_HOME", "").strip())
    if platform != "win32" and moved.is_absolute() and moved / APP != user:
        found.append(Folder(USER, moved / APP, fixed=False))
    return tuple(found)


def policies(folders: Iterable[Folder]) -> list[Source]:
    """Read the policies that there are.

    Raises:
        ConfigurationError: One cannot be read, or holds something that it may not.
    """
    found = ((folder, _text(folder.file)) for folder in folders)
    return [
        Source(folder.kind, _settings(text, folder.file), str(folder.file))
        for folder, text in found
        if text is not None
    ]


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigurationError(f"{path} is larger than a policy can be.")
        return data.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        # Its limits are not known, so nothing may be done.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"{path} cannot be read ({reason}).",
            next_step="Make it readable for this user, or take it away.",
        ) from None


def _settings(text: str, path: Path) -> dict[str, str]:
    import tomllib  # noqa: PLC0415 - 8 ms, for those who have a policy

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        raise ConfigurationError(
            f"{path} is not TOML{f', at {where[1]}' if where else ''}.",
            next_step="A line is written like: max_contacts = 500",
        ) from None
    return {name: _as_text(name, value, path) for name, value in data.items()}


def _as_text(name: str, value: Any, path: Path) -> str:
    row = _SETTINGS.get(name)
    if row is None:
        open_names = [row.name for row in SETTINGS if not row.secret]
        raise ConfigurationError(
            f"{path}: {clipped(name)} is no setting of this server.",
            next_step=nearest(name, open_names),
        )
    text = _written(row, value)
    if row.secret or (text and _holds_password(row, text)):
        raise ConfigurationError(
            f"{path}: {name} is a secret, which must not stand in this file.",
            next_step=f"Take it out, and set {row.variable} in the environment.",
        )
    if text is None:
        wanted = (
            "true or false"
            if row.switch
            else "a text" + (" or a list of texts" if row.separator else " or a number")
        )
        raise ConfigurationError(
            f"{path}: {name} must be {wanted}.", next_step=f"It means: {row.help}."
        )
    return text


def _written(row: Setting, value: Any) -> str | None:
    """Write a value as the environment would hold it, or None if it has another type."""
    if isinstance(value, bool):
        return str(int(value)) if row.switch else None
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float):
        return None if row.switch or row.separator else str(value)
    if not isinstance(value, list) or not row.separator:
        return None
    parts = cast("Sequence[Any]", value)
    fit = all(isinstance(part, str) and row.separator not in part for part in parts)
    # A list that is empty is said too, and refused for it.
    return (row.separator.join(parts).strip() or row.separator) if fit else None


def _holds_password(row: Setting, text: str) -> bool:
    try:
        return getattr(row.parse(text), "has_password", False)
    except (KeyError, ValueError):
        return False  # found malformed when it is used
