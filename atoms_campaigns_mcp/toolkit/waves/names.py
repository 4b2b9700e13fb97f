"""Names of waves: a common name, the city of the zone, and which of several: `Calls · Lima 1/2`."""

from collections import Counter
from collections.abc import Sequence

from atoms_campaigns_mcp.schemas.fields import CAMPAIGN_NAME_MAX
from atoms_campaigns_mcp.schemas.text import clean

JOINT = " · "
LEFT = "not scheduled"  # the audience of those who are in no wave
_NUMBER = len(" 50/50")


def names_of(common: str, zones: Sequence[str]) -> list[str]:
    """Name waves by the zone of each, in their order; no two names are the same."""
    room = CAMPAIGN_NAME_MAX - len(common) - len(JOINT) - _NUMBER
    cities = [_city(zone, room) for zone in zones]
    totals, seen = Counter(cities), Counter[str]()
    names: list[str] = []
    for city in cities:
        seen[city] += 1
        number = f" {seen[city]}/{totals[city]}" if totals[city] > 1 else ""
        names.append(f"{common}{JOINT}{city}{number}")
    return names


def is_wave_of(name: str, common: str) -> bool:
    """Return whether a campaign of this name is a wave of that common name."""
    return name.casefold().startswith(f"{clean(common)}{JOINT}".casefold())


def is_of(name: str, common: str) -> bool:
    """Return whether a campaign has this name, or is a wave of it."""
    return name.casefold() == str(clean(common)).casefold() or is_wave_of(name, common)


def _city(zone: str, room: int) -> str:
    city = zone.rpartition("/")[2].replace("_", " ")
    return city if len(city) <= room else f"{city[: room - 1].rstrip()}…"
