"""Names of time zones as lists have them, made into those of the IANA database."""

from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from atoms_campaigns_mcp.contacts.vocabulary import is_zone

_EMPTY = frozenset({"", "-", "n/a", "na", "none", "null", "unknown"})
# In the database, but no clock of people: EST stays an hour behind New York all summer.
_NOT_MEANT = {"Factory", "EST", "MST"}


@lru_cache(maxsize=4096)
def zone_of(text: str) -> str | None:
    """Return the IANA name of a zone, such as Asia/Kolkata; "" if the text is empty.

    Case, spaces for underscores, and spaces around the slash do not matter. Abbreviations (PST)
    and offsets (GMT-10) name no zone: they mean different clocks to different people, or hide
    the changes of the clock.

    Returns:
        None if it is no name of a zone.
    """
    name = text.strip().casefold()
    if name in _EMPTY:
        return ""
    joined = "/".join("_".join(part.split()) for part in name.split("/"))
    return _names().get(joined)


def zones_in(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return the IANA names of the zones that a contact's columns name, each once."""
    cells = (str(held) for name, held in data.items() if is_zone(name) and held)
    return tuple(dict.fromkeys(zone for cell in cells if (zone := zone_of(cell))))


@cache
def _names() -> dict[str, str]:
    # The same on every machine: a system's folder of zones also has `localtime` and the like.
    text = files("tzdata").joinpath("zones").read_text("utf-8")
    return {name.casefold(): name for name in text.split() if name not in _NOT_MEANT}
