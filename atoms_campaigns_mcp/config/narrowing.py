"""How two values of one limit or mode become one: the stricter one holds, whoever set it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from atoms_campaigns_mcp.config.parsing import InvalidError

STRICTEST_FIRST = ("human", "ask", "token", "never")


class Narrow(NamedTuple):  # made sooner than a dataclass, on the way to the first reply
    """A rule: `both` takes what two sources set, in any order; `help` says it in a few words."""

    help: str
    both: Callable[[Any, Any], Any]


def _lower(one: float | None, other: float | None) -> float | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _higher(one: float | None, other: float | None) -> float | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _all_of(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _overlap(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    first, last = max(one[0], other[0]), min(one[1], other[1])
    if first >= last:
        raise InvalidError("have no hour in common")
    return first, last


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if not one or not other:  # an empty list allows all
        return one or other
    common = tuple(name for name in one if name in other)
    if not common:
        raise InvalidError("have no entry in common; write the same ones in both")
    return common


def _inside(one: tuple[Path, ...], other: tuple[Path, ...]) -> tuple[Path, ...]:
    found = [
        folder
        for mine, yours in ((one, other), (other, one))
        for folder in mine
        if any(folder.is_relative_to(parent) for parent in yours)
    ]
    return tuple(dict.fromkeys(found))


def _either(one: bool, other: bool) -> bool:  # noqa: FBT001 - what a switch is
    return one or other


def _both(one: bool, other: bool) -> bool:  # noqa: FBT001
    return one and other


def _stricter(one: str, other: str) -> str:
    return min(one, other, key=STRICTEST_FIRST.index)


ONLY_ON = Narrow("can only be switched on", _either)
ONLY_OFF = Narrow("can only be switched off", _both)
LOWER = Narrow("the lower number holds", _lower)
HIGHER = Narrow("the higher number holds", _higher)
EARLIER = Narrow("the earlier moment holds", _earlier)
ALL_OF = Narrow("what either names", _all_of)
OVERLAP = Narrow("the hours that both allow", _overlap)
COMMON = Narrow("what both name", _common)
INSIDE = Narrow("the folders that are inside both", _inside)
STRICTER = Narrow(f"the stricter holds: {', '.join(STRICTEST_FIRST)}", _stricter)
