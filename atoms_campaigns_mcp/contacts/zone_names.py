"""Names of time zones as lists have them, made into those of the IANA database."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from atoms_campaigns_mcp.contacts.vocabulary import is_zone

_EMPTY = frozenset({"", "-", "n/a", "na", "none", "null", "unknown"})
# In the database, but no clock of people: EST stays an hour behind New York all summer.
_NOT_MEANT = {"Factory", "EST", "MST"}
# What the database's links would make of these is another place, or one country of many.
_FORMER = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
} | {name: name for name in ("CET", "EET", "MET", "WET")}


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
    return tuple(dict.fromkeys(current(zone) for cell in cells if (zone := zone_of(cell))))


@cache
def current(zone: str) -> str:
    """Return a zone by its name of today: US/Central and Asia/Calcutta are former ones."""
    if zone in _FORMER:
        return _FORMER[zone]
    target = clock_of(zone)
    return target if zone not in _in_use() and target in _in_use() else zone


def clock_of(zone: str) -> str:
    """Return the zone that the database links this one to: their clocks are always the same."""
    return _links().get(zone, zone)


def one_a_clock(zones: Iterable[str]) -> tuple[str, ...]:
    """Return, of zones whose clocks are always the same, only the one that people know.

    Of London, Guernsey, Jersey and Man that is London.
    """
    groups: dict[str, list[str]] = {}
    for zone in zones:
        groups.setdefault(clock_of(zone), []).append(zone)
    return tuple(_known_best(clock, group) for clock, group in groups.items())


def _known_best(clock: str, group: list[str]) -> str:
    continent = clock.partition("/")[0]
    near = [zone for zone in group if zone.partition("/")[0] == continent]
    return clock if clock in group else (near or group)[0]


@cache
def _names() -> dict[str, str]:
    # The same on every machine: a system's folder of zones also has `localtime` and the like.
    text = files("tzdata").joinpath("zones").read_text("utf-8")
    return {name.casefold(): name for name in text.split() if name not in _NOT_MEANT}


@cache
def _links() -> dict[str, str]:
    rows = [row.split() for row in _read("tzdata.zi") if row.startswith("L ")]
    return {name: target for _, target, name in rows}


def zones_of_country(country: str) -> tuple[str, ...]:
    """Return the zones that the database has for a country (ISO 3166); none if it has none."""
    return tuple(zone for zone, of in _in_use().items() if of == country)


@cache
def _in_use() -> dict[str, str]:
    """Return the country of each zone that has one today."""
    rows = [row.split() for row in _read("zone.tab") if not row.startswith("#")]
    return {row[2]: row[0] for row in rows}


def _read(name: str) -> list[str]:
    return files("tzdata").joinpath("zoneinfo", name).read_text("utf-8").splitlines()
