"""Calling hours in the contacts' own time zones."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails.policy import Hours

LONGEST = 2 * 24 * 60 * 60  # seconds: no day of any zone is as long
INSTANT = timedelta(microseconds=1)  # the smallest step between two moments


def allowed(zones: Iterable[str], start: datetime, end: datetime, hours: Hours) -> bool:
    """Return whether every moment from `start` to `end` is within `hours` in every one of `zones`.

    A contact who may be in several zones is judged by the strictest. The API cannot be told to
    stop at night, so a span that outlasts the day is only allowed when the hours are all of it.
    """
    return hours.all_day or all(_within(zone, start, end, hours) for zone in zones)


def closing(zones: Iterable[str], now: datetime, hours: Hours) -> datetime | None:
    """Return when the first of `zones` leaves `hours`; None if that never comes.

    It is `now` where it is not within them already.
    """
    if hours.all_day:
        return None
    return min((_leaving(zone, now, hours) for zone in set(zones)), default=None)


def _leaving(zone: str, now: datetime, hours: Hours) -> datetime:
    if not _within(zone, now, now, hours):
        return now
    last = now + timedelta(seconds=_seconds_left(zone, now, hours) + 1)
    # Hours end, and clocks change, at a whole minute.
    return last.replace(second=0, microsecond=0)


def _seconds_left(zone: str, now: datetime, hours: Hours) -> int:
    """Count the whole seconds from `now` that are all within `hours`: less than two days."""
    inside, outside = 0, LONGEST
    while outside - inside > 1:
        middle = (inside + outside) // 2
        if _within(zone, now, now + timedelta(seconds=middle), hours):
            inside = middle
        else:
            outside = middle
    return inside


def _within(zone: str, start: datetime, end: datetime, hours: Hours) -> bool:
    first, last = start.astimezone(UTC), max(start, end - INSTANT).astimezone(UTC)
    moments = [first, last]
    if _offset(zone, first) != _offset(zone, last):
        moments += _around_change(zone, first, last)
    local = [moment.astimezone(_zone(zone)) for moment in moments]
    # Between changes of the clock local time only grows, so its ends tell about what lies between.
    return len({moment.date() for moment in local}) == 1 and all(
        hours.start <= moment.hour * 60 + moment.minute < hours.end for moment in local
    )


def _around_change(zone: str, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """Return the moments before and after the clocks of `zone` change."""
    while last - first > INSTANT:
        middle = first + (last - first) / 2
        if _offset(zone, middle) == _offset(zone, first):
            first = middle
        else:
            last = middle
    return first, last


def _offset(zone: str, moment: datetime) -> timedelta | None:
    return moment.astimezone(_zone(zone)).utcoffset()


@lru_cache(maxsize=512)
def _zone(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)
