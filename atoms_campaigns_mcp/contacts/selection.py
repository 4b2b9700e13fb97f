"""Choosing contacts of a list: whom filters leave out and why, and a sample with its remainder."""

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from atoms_campaigns_mcp.contacts.numbers.stored import as_digits

DUPLICATE = "duplicate"
NO_NUMBER = "no_number"
OPTED_OUT = "opted_out"
COUNTRY = "other_country"
TIME_ZONE = "other_time_zone"
UNKNOWN_ZONE = "unknown_time_zone"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact to choose from: its number as the list has it, country, and possible zones.

    It has `opted_out` if a column of the list says not to call it.
    """

    number: str = field(repr=False)
    country: str = ""
    zones: tuple[str, ...] = ()
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """Whom to leave out.

    Attributes:
        without: By reason, digits of numbers (with country code) that are left out; in this order.
        countries: Only these (US); all if empty.
        time_zones: Only contacts all of whose possible zones are among these; all if empty.
        opted_out: Leave out whom a column of the list says not to call.
    """

    without: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    countries: Collection[str] = ()
    time_zones: Collection[str] = ()
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What became of a list: places that are kept, in order, and how many were left out by reason.

    `unread` counts numbers that nobody can compare with those to leave out. They are in neither.
    """

    kept: tuple[int, ...]
    excluded: Mapping[str, int]
    unread: int = 0


def select(candidates: Sequence[Candidate], filters: Filters) -> Selection:
    """Choose contacts. Each is left out for the first reason that holds, or kept."""
    kept: list[int] = []
    excluded: dict[str, int] = {}
    seen: set[str] = set()
    unread = 0
    for place, candidate in enumerate(candidates):
        digits = as_digits(candidate.number)
        if digits is None:
            unread += 1
            continue
        reason = DUPLICATE if digits in seen else _reason(candidate, digits, filters)
        seen.add(digits)
        if reason:
            excluded[reason] = excluded.get(reason, 0) + 1
        else:
            kept.append(place)
    return Selection(tuple(kept), excluded, unread)


def split(numbers: Sequence[str], size: int, key: bytes) -> tuple[list[int], list[int]]:
    """Draw `size` places by a keyed hash of their digits; give them and the others, in order.

    The same key and numbers give the same sample, in whatever order they stand.
    """

    def drawn(place: int) -> bytes:
        digits = as_digits(numbers[place]) or numbers[place]
        return hmac.digest(key, digits.encode(), "sha256")

    sample = set(sorted(range(len(numbers)), key=drawn)[:size])
    places = range(len(numbers))
    return [p for p in places if p in sample], [p for p in places if p not in sample]


def _reason(candidate: Candidate, digits: str, filters: Filters) -> str:
    return next(_reasons(candidate, digits, filters), "")


def _reasons(candidate: Candidate, digits: str, filters: Filters) -> Iterator[str]:
    if not digits:
        yield NO_NUMBER
    if filters.opted_out and candidate.opted_out:
        yield OPTED_OUT
    for reason, numbers in filters.without.items():
        if digits in numbers:
            yield reason
    if filters.countries and candidate.country not in filters.countries:
        yield COUNTRY
    if filters.time_zones and not candidate.zones:
        yield UNKNOWN_ZONE
    if filters.time_zones and not set(candidate.zones) <= set(filters.time_zones):
        yield TIME_ZONE
