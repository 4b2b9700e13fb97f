"""Virtual time: the wall clock while the world is idle, faster while something is going on.

The anchors live in the database, so every process on one file agrees on the time.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import Self

from atoms_campaigns_mcp.sandbox.engine.options import Speed


@dataclass(frozen=True, slots=True)
class Clock:
    """The stored state of virtual time; times in milliseconds since 1970.

    Attributes:
        speed: Virtual per wall seconds; None leaps from event to event.
        wall_anchor: A moment of the wall clock.
        virtual_anchor: The virtual time at that moment.
        next_event_at: The earliest event not processed yet; None when idle.
    """

    speed: float | None
    wall_anchor: int
    virtual_anchor: int
    next_event_at: int | None

    @classmethod
    def load(cls, db: sqlite3.Connection) -> Self:
        """Read the only row."""
        return cls(
            *db.execute(
                "SELECT speed, wall_anchor, virtual_anchor, next_event_at FROM world"
            ).fetchone()
        )

    def save(self, db: sqlite3.Connection) -> None:
        """Write the only row."""
        db.execute(
            "UPDATE world SET speed = ?, wall_anchor = ?, virtual_anchor = ?, next_event_at = ?",
            (self.speed, self.wall_anchor, self.virtual_anchor, self.next_event_at),
        )

    def at(self, wall: int) -> int:
        """Virtual time at `wall`."""
        if self.next_event_at is None:
            return wall
        if self.speed is None:
            return self.virtual_anchor
        return self.virtual_anchor + int((wall - self.wall_anchor) * self.speed)

    def overdue(self, wall: int) -> bool:
        """Whether an event waits to be processed."""
        if self.next_event_at is None:
            return False
        return self.speed is None or self.next_event_at <= self.at(wall)

    def expecting(self, next_event_at: int | None, *, wall: int) -> Self:
        """The clock after the next event became another one; leaving idleness sets the anchors."""
        if self.next_event_at is None:
            return replace(self, wall_anchor=wall, virtual_anchor=wall, next_event_at=next_event_at)
        return replace(self, next_event_at=next_event_at)

    def leapt(self, virtual: int, *, wall: int) -> Self:
        """The clock after processing events up to `virtual` at unlimited speed."""
        return replace(self, wall_anchor=wall, virtual_anchor=virtual)

    def running_at(self, speed: Speed, *, wall: int) -> Self:
        """The same virtual time from here on at another speed."""
        wanted = None if speed == "max" else float(speed)
        if wanted == self.speed:
            return self
        return replace(self, speed=wanted, wall_anchor=wall, virtual_anchor=self.at(wall))
