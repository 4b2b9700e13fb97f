"""Splitting contacts into waves: people with the same clock, on one day, ending in time.

Waves share the calls that an account may make at once, so each is as large as surely ends before
its window closes although every wave beside it takes as long as it may.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Literal

from atoms_campaigns_mcp.guardrails.windows import Span, Window, spans

MOST_WAVES = 50
COMPARED = 3  # spans by which zones are found to have the same clock

Zones = tuple[str, ...]
Minutes = Callable[[int], int]
Reason = Literal["unknown_zone", "no_common_hour", "too_short", "no_room"]
"""Why contacts are in no wave: nobody knows their zone; it is never day in all zones where they may
be; no window is long enough for one contact and its retries; or the days and waves are used up."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Contacts who are called together.

    Attributes:
        zones: All zones in which they may be, the one that most of them have first.
        members: Places of the contacts, ascending.
        start: When it begins (UTC).
        latest_end: When its last call has ended at the latest, retries included.
        closes: When the window closes.
    """

    zones: Zones
    members: tuple[int, ...]
    start: datetime
    latest_end: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Waves:
    """All waves in the order of their start, and who is in none of them, by reason."""

    waves: tuple[Wave, ...] = ()
    left: dict[Reason, tuple[int, ...]] = field(default_factory=dict["Reason", tuple[int, ...]])


def split(
    contacts: Sequence[Zones],
    window: Window,
    *,
    after: datetime,
    minutes: Minutes,
    most: int = MOST_WAVES,
) -> Waves:
    """Split contacts, given by the zones in which each may be, into at most `most` waves.

    No wave begins before `after`. `minutes` says how long so many contacts take at the slow end
    if nobody else is called meanwhile; it never falls as they grow.
    """
    groups = _grouped(contacts, window)
    placed = _placed(groups, window, after, cache(minutes), most)
    left: dict[Reason, list[int]] = {}
    if unknown := [place for place, zones in enumerate(contacts) if not zones]:
        left["unknown_zone"] = unknown
    for group in groups:
        if group.waiting:
            left.setdefault(group.reason, []).extend(group.waiting)
    waves = (Wave(p.group.zones, p.members, p.span.start, p.end, p.span.end) for p in placed)
    return Waves(tuple(waves), {reason: tuple(sorted(places)) for reason, places in left.items()})


@dataclass(slots=True)
class _Group:
    """Contacts with the same clock; those `waiting` are in no wave yet, for a reason.

    `fits` says whether some window was long enough for one of them.
    """

    zones: Zones
    waiting: list[int]
    reason: Reason
    fits: bool = False


@dataclass(slots=True)
class _Placed:
    group: _Group
    span: Span
    members: tuple[int, ...]
    end: datetime


def _grouped(contacts: Sequence[Zones], window: Window) -> list[_Group]:
    """Group contacts whose days begin and end together, the zones of most contacts first."""
    counts = Counter(zones for zones in contacts if zones)
    together: dict[tuple[Span, ...], list[Zones]] = {}
    for zones, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        together.setdefault(tuple(islice(spans(zones, window), COMPARED)), []).append(zones)
    places: dict[Zones, list[int]] = {zones: [] for zones in counts}
    for place, zones in enumerate(contacts):
        if zones:
            places[zones].append(place)
    return [
        _Group(
            tuple(dict.fromkeys(zone for zones in alike for zone in zones)),
            sorted(place for zones in alike for place in places[zones]),
            "no_room" if days else "no_common_hour",
        )
        for days, alike in together.items()
    ]


def _placed(
    groups: Sequence[_Group], window: Window, after: datetime, minutes: Minutes, most: int
) -> list[_Placed]:
    """Give the groups waves until nobody waits, always in the span that begins next."""
    placed: list[_Placed] = []
    days = [_later(spans(group.zones, window), after) for group in groups]
    opening = [(span, place) for place, of in enumerate(days) if (span := next(of, None))]
    heapq.heapify(opening)
    while opening and len(placed) < most:
        span, place = heapq.heappop(opening)
        group = groups[place]
        if span.start + timedelta(minutes=minutes(1)) <= span.end:
            group.fits = True
            _place(group, span, placed, minutes)
        if group.waiting and (following := next(days[place], None)):
            heapq.heappush(opening, (following, place))
        elif not group.fits:
            group.reason = "too_short"
    return placed


def _later(days: Iterator[Span], after: datetime) -> Iterator[Span]:
    return (span for span in days if span.start >= after)


def _place(group: _Group, span: Span, placed: list[_Placed], minutes: Minutes) -> None:
    """Add the largest wave of the group that ends in time and lets all others do so."""
    waiting = group.waiting
    largest, ends = 0, None
    low, high = 0, len(waiting) + 1  # `low` fits, `high` does not
    count = len(waiting)  # mostly all fit
    while high - low > 1:
        found = _ends([*placed, _Placed(group, span, tuple(waiting[:count]), span.start)], minutes)
        if found:
            low, largest, ends = count, count, found
        else:
            high = count
        count = (low + high) // 2
    if ends:
        wave = _Placed(group, span, tuple(waiting[:largest]), span.start)
        placed.append(wave)
        group.waiting = waiting[largest:]
        for one, end in zip(placed, ends, strict=True):
            one.end = end


def _ends(waves: Sequence[_Placed], minutes: Minutes) -> list[datetime] | None:
    """Return when each wave has ended at the latest; None if one would outlast its window.

    While a wave lasts, no call that may be made at once is idle as long as one of its contacts
    waits for it, so it lasts no longer than all waves beside it would take as one.
    """
    ends = [wave.end for wave in waves]
    settled = False
    while not settled:
        settled = True
        for place, wave in enumerate(waves):
            total = sum(
                len(other.members)
                for other, end in zip(waves, ends, strict=True)
                if other is wave or (other.span.start < ends[place] and wave.span.start < end)
            )
            end = wave.span.start + timedelta(minutes=minutes(total))
            if end > wave.span.end:
                return None
            if end > ends[place]:
                ends[place], settled = end, False
    return ends
