"""Calling hours in the contacts' own time zones."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails.policy import Hours

DAY = 24 * 60  # minutes


def allowed(zones: Iterable[str], start: datetime, end: datetime, hours: Hours) -> bool:
    """Say whether every moment from `start` to `end` is within `hours` in every one of `zones`.

    A contact who may be in several zones is judged by the strictest. The API cannot be told to
    stop at night, so a span that outlasts the day is only allowed when the hours are all of it.
    """
    if (hours.start, hours.end) == (0, DAY):
        return True
    return all(_within(zone, start, end, hours) for zone in zones)


def _within(zone: str, start: datetime, end: datetime, hours: Hours) -> bool:
    opens, closes = _window(zone, start.astimezone(_zone(zone)).date().toordinal(), hours)
    return opens <= start.astimezone(UTC) < closes and end.astimezone(UTC) <= closes


@lru_cache(maxsize=4096)
def _window(zone: str, day: int, hours: Hours) -> tuple[datetime, datetime]:
    """Give when calling opens and closes on a local day, as instants: clocks may change then."""
    local = datetime.fromordinal(day).date()
    return _instant(zone, local, hours.start), _instant(zone, local, hours.end)


def _instant(zone: str, day: date, minute: int) -> datetime:
    extra, rest = divmod(minute, DAY)
    clock = time(rest // 60, rest % 60)
    return datetime.combine(day + timedelta(days=extra), clock, _zone(zone)).astimezone(UTC)


@lru_cache(maxsize=512)
def _zone(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


def known(zone: str) -> bool:
    """Say whether `zone` is the name of a time zone (IANA)."""
    try:
        _zone(zone)
    except (ValueError, OSError):  # a bad key is a ValueError, a folder's name an OSError
        return False
    return True
