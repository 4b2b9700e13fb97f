"""Where the text of a setting may come from, and what holds when several sources say something."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypedDict, Unpack, cast

from atoms_campaigns_mcp.config.narrowing import Narrow
from atoms_campaigns_mcp.config.parsing import MEANINGS, InvalidError
from atoms_campaigns_mcp.errors import ConfigurationError

PREFIX = "ATOMS_MCP_"


class How(TypedDict, total=False):
    """What else there is to say of a setting; see `Setting`."""

    secret: bool
    switch: bool
    narrow: Narrow | None
    separator: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: how a value is named, read and explained."""

    variable: str
    help: str
    parse: Callable[[str], Any]
    default: str = ""
    secret: bool = False
    switch: bool = False
    narrow: Narrow | None = None
    """How values of several sources are combined; without, that of the nearest one counts."""
    separator: str = ""
    """What is between the entries of a list."""

    @property
    def name(self) -> str:
        """Attribute and flag name: the variable without its prefix."""
        return self.variable.removeprefix(PREFIX).lower()


def setting(
    help: str,  # noqa: A002 - what everybody calls it
    parse: Callable[[str], Any],
    default: str = "",
    **how: Unpack[How],
) -> Any:
    """Declare a setting: its variable, flag, place in policies and documents follow from this."""
    row = partial(Setting, help=help, parse=parse, default=default, **how)
    return field(default=parse(default), repr=not how.get("secret"), metadata={"row": row})


class Source(NamedTuple):
    """Texts of settings, by name, and where they are from.

    `kind` may be told to anybody; `place` is a path, for the operator.
    """

    kind: str
    texts: Mapping[str, str]
    place: str = ""

    def names(self, row: Setting) -> str:
        """Report how the operator finds a setting there."""
        return f"{row.name} in {self.place}" if self.place else row.variable


def sources_of(
    rows: Sequence[Setting],
    policies: Sequence[Source],
    environ: Mapping[str, str],
    flags: Mapping[str, str],
) -> list[Source]:
    """Order what is said by who says it, the nearest last; a flag takes its variable's place.

    Raises:
        ConfigurationError: The environment has a name of ours that is none.
    """
    known = {row.variable: row.name for row in rows}
    for variable in sorted(environ):
        if variable.upper().startswith(PREFIX) and variable not in known:
            raise ConfigurationError(
                f"{clipped(variable)} in the environment is no setting of this server.",
                next_step=nearest(variable, known),
            )
    given = {name: environ[variable] for variable, name in known.items() if variable in environ}
    own = {name: text for name, text in given.items() if name not in flags}
    return [*policies, Source("environment", own), Source("command line", flags)]


def value_of(row: Setting, sources: Sequence[Source], origins: dict[str, str]) -> Any:
    """Return the value that holds, and note in `origins` where it is from.

    Raises:
        ConfigurationError: A text is malformed, or two exclude each other. It names the source.
    """
    said = [
        (source, text) for source in sources if (text := source.texts.get(row.name, "").strip())
    ]
    if not said:
        return row.parse(row.default)
    (first, text), *others = said if row.narrow else said[-1:]
    value, origin = _parsed(row, first, text), first.kind
    for source, other in others:
        value, origin = _narrowed(row, (value, origin), source, _parsed(row, source, other))
    origins[row.name] = origin
    return value


def _narrowed(row: Setting, wider: tuple[Any, str], source: Source, value: Any) -> tuple[Any, str]:
    """Combine a value and its origin with what a nearer source says."""
    before, origin = wider
    if row.narrow is None:
        return value, source.kind
    try:
        both = row.narrow.both(before, value)
    except InvalidError as error:
        raise ConfigurationError(
            f"{source.names(row)} and {row.name} of the {origin} {error}.",
            next_step="A nearer source may narrow what a policy allows, never widen it.",
        ) from None
    if both == before:
        return both, origin if both == value else f"{origin}; the {source.kind} cannot widen it"
    return both, source.kind if both == value else f"{origin} and {source.kind}"


def _parsed(row: Setting, source: Source, text: str) -> Any:
    if text.startswith("${"):
        raise ConfigurationError(
            f"{source.names(row)} holds a placeholder that your client did not fill in.",
            next_step="Write the value itself into the client's configuration, or remove it.",
        )
    try:
        return row.parse(text)
    except (KeyError, ValueError) as error:
        meant = MEANINGS.get(row.parse)
        reason = f"must be {meant}" if meant else "is not valid"
        reason = str(error) if isinstance(error, InvalidError) else reason
        raise ConfigurationError(
            f"{source.names(row)} {reason}.", next_step=f"It means: {row.help}."
        ) from None


def shown(value: Any) -> str:
    """Write a value for people."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        parts = cast("tuple[Any, ...]", value)
        if parts and isinstance(parts[0], int):
            return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in parts)
        return ", ".join(map(str, parts)) or "none"
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    return f"{value:g}" if isinstance(value, float) else str(value)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return what was probably meant, as the end of a sentence."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a start that fails

    known = {_plain(known): known for known in names}
    found = get_close_matches(_plain(name), known, n=1)
    return f"Did you mean {known[found[0]]}?" if found else "docs/configuration.md lists them."


def _plain(name: str) -> str:
    return name.upper().replace("-", "_").removeprefix(PREFIX)


def clipped(name: str) -> str:
    """Return a name that somebody mistyped, with only the characters that a name may have."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "?" for c in name[:40])
