"""A job of waves: what was agreed to, so that a call which was cut off can go on with the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_letters, digits

from atoms_campaigns_mcp.guardrails.waves.sizes import MOST_WAVES, Waves, Zones
from atoms_campaigns_mcp.toolkit.waves.names import names_of

# One character for each contact says in which wave it is.
_MARKS = (ascii_letters + digits)[:MOST_WAVES]
_LEFT, _NOBODY = "-", "."


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """A wave by its name; `members` are places in the list, times are UTC."""

    name: str
    zones: Zones
    members: tuple[int, ...]
    start: datetime
    latest_end: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """All waves of one list of numbers, which `numbers` identifies in its order.

    Attributes:
        left: Places of those who are in no wave, although they could be called.
        reasons: How many are in no wave, by reason; those without a valid number are among them.
    """

    waves: tuple[PlannedWave, ...]
    left: tuple[int, ...]
    reasons: dict[str, int]
    numbers: str

    @classmethod
    def of(cls, name: str, found: Waves, places: Sequence[int], numbers: Sequence[str]) -> "Job":
        """Name the waves of those contacts of the list that are at `places`."""
        names = names_of(name, [wave.zones[0] for wave in found.waves])
        waves = [
            PlannedWave(named, w.zones, tuple(places[m] for m in w.members), w.start, w.latest_end)
            for named, w in zip(names, found.waves, strict=True)
        ]
        left = sorted(places[member] for members in found.left.values() for member in members)
        reasons: dict[str, int] = {reason: len(found.left[reason]) for reason in found.left}
        return cls(tuple(waves), tuple(left), reasons, fingerprint(numbers))

    def parts(self, count: int) -> tuple[str, ...]:
        """Write it down, for a list of `count` contacts."""
        marks = [_NOBODY] * count
        for place in self.left:
            marks[place] = _LEFT
        for mark, wave in zip(_MARKS, self.waves, strict=False):
            for place in wave.members:
                marks[place] = mark
        head = {"numbers": self.numbers, "reasons": self.reasons, "marks": "".join(marks)}
        rows = [
            {
                "name": wave.name,
                "zones": wave.zones,
                "start": wave.start.isoformat(),
                "latest_end": wave.latest_end.isoformat(),
            }
            for wave in self.waves
        ]
        return tuple(json.dumps(row, ensure_ascii=False) for row in (head, *rows))

    @classmethod
    def read(cls, parts: Sequence[str]) -> "Job":
        """Read what `parts` has written."""
        head, *rows = map(json.loads, parts)
        members: dict[str, list[int]] = {}
        for place, mark in enumerate(head["marks"]):
            members.setdefault(mark, []).append(place)
        waves = [
            PlannedWave(
                row["name"],
                tuple(row["zones"]),
                tuple(members[mark]),
                datetime.fromisoformat(row["start"]),
                datetime.fromisoformat(row["latest_end"]),
            )
            for mark, row in zip(_MARKS, rows, strict=False)
        ]
        return cls(tuple(waves), tuple(members.get(_LEFT, ())), head["reasons"], head["numbers"])


def fingerprint(numbers: Sequence[str]) -> str:
    """Identify a list of numbers in its order, without keeping them."""
    return hashlib.sha256("\n".join(numbers).encode()).hexdigest()
