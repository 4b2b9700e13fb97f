"""When it is day for somebody who may be in several time zones: spans of UTC between local hours.

A local time that the clock skips or shows twice is taken so that nobody is called too early or too
late: the later moment to begin, the earlier one to end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.config.parsing import MIDNIGHT
from atoms_campaigns_mcp.guardrails.policy import Hours

DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Window:
    """Local hours on certain local days: from `first` on, `days` of them, Monday is weekday 0."""

    first: date
    days: int
    hours: Hours
    weekdays: frozenset[int] = EVERY_DAY


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A span of UTC, without its end."""

    start: datetime
    end: datetime


def spans(zones: Sequence[str], window: Window) -> Iterator[Span]:
    """Yield, in order, the spans in which the clocks of all `zones` are within the window.

    There may be none, and with zones far apart there may be two a day.
    """
    days = [_days(zone, window) for zone in zones]
    try:
        at = [next(spans_of_zone) for spans_of_zone in days]
        while at:
            start, end = max(span.start for span in at), min(span.end for span in at)
            if start < end:
                yield Span(start, end)
            for place, span in enumerate(at):
                if span.end == end:
                    at[place] = next(days[place])
    except StopIteration:
        return


def unusual(zone: str, day: date, minute: int) -> bool:
    """Return whether the clock of `zone` skips that minute of the day, or shows it twice."""
    early, late = _readings(zone, day, minute)
    return early != late


def _days(zone: str, window: Window) -> Iterator[Span]:
    for count in range(window.days):
        day = window.first + count * DAY
        if day.weekday() in window.weekdays:
            _, start = _readings(zone, day, window.hours.start)
            end, _ = _readings(zone, day, window.hours.end)
            if start < end:
                yield Span(start, end)


@lru_cache(maxsize=8192)
def _readings(zone: str, day: date, minute: int) -> tuple[datetime, datetime]:
    """Return the earlier and the later moment that a clock's time can mean; mostly they are one."""
    if minute == MIDNIGHT:
        day, minute = day + DAY, 0
    wall = datetime.combine(day, time(*divmod(minute, 60)), ZoneInfo(zone))
    moments = [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return min(moments), max(moments)
