"""When a start ends within calling hours for everybody: the next such start, and the latest."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.policy import Hours
from atoms_campaigns_mcp.guardrails.windows import DAY, Window, spans

DAYS = 8  # that are looked at: hours repeat every day, clocks change for one of them
CLOCKS = 5  # local times that are told


@dataclass(frozen=True, slots=True)
class StartTimes:
    """The first and the last moment (UTC) of one span in which every start ends in time.

    `zones` are those that it is told for, the most frequent first.
    """

    first: datetime
    last: datetime
    zones: tuple[str, ...]

    def local(self, moment: datetime) -> str:
        """Return a moment as the clocks of the most frequent zones show it, each clock once."""
        clocks: dict[str, str] = {}
        for zone in self.zones:
            clocks.setdefault(f"{moment.astimezone(ZoneInfo(zone)):%a %H:%M}", zone)
        return ", ".join(f"{clock} {zone}" for clock, zone in list(clocks.items())[:CLOCKS])

    def told(self) -> str:
        """Write both moments for a sentence, in UTC and local time."""
        first, last = (f"{at:%Y-%m-%dT%H:%MZ} ({self.local(at)})" for at in (self.first, self.last))
        return f"next start that ends in time: {first}; latest: {last}"


def start_times(facts: Facts, hours: Hours, minutes: int) -> StartTimes | None:
    """Find the next span of starts after which all possible calls are within `hours`.

    The last call ends at most `minutes` after the start.

    Contacts of no known zone are left out: nobody knows when it is day for them. None if in the
    next days there is no such start, or if no zone is known, or every hour is allowed.
    """
    zones = _zones(facts)
    if hours.all_day or not zones:
        return None
    lasts = timedelta(minutes=minutes)
    begin = facts.start.astimezone(UTC)
    window = Window((begin - DAY).date(), DAYS + 2, hours)
    for span in spans(zones, window):
        first, last = max(span.start, begin), span.end - lasts
        if first <= last:
            return StartTimes(first, last, zones)
    return None


def _zones(facts: Facts) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for contact in facts.concerned:
        for zone in contact.zones:
            counts[zone] = counts.get(zone, 0) + 1
    return tuple(sorted(counts, key=lambda zone: (-counts[zone], zone)))
