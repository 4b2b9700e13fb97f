"""The sandbox's world: its stored state, its virtual time, and the one way both change."""

import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from atoms_campaigns_mcp.sandbox.engine.clock import Clock
from atoms_campaigns_mcp.sandbox.engine.costs import spent
from atoms_campaigns_mcp.sandbox.engine.database import StoreError, connect, reset, transaction
from atoms_campaigns_mcp.sandbox.engine.dialer import Dialer
from atoms_campaigns_mcp.sandbox.engine.faults import Fault, FaultPlan
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.roster import Roster
from atoms_campaigns_mcp.sandbox.engine.times import SECOND, to_datetime, to_ms

__all__ = ["Moment", "Options", "StoreError", "World", "reset"]

STEP_SECONDS = 0.006  # of working off events; storing them takes about as long again
LEFT_ALONE = 5 * SECOND  # of the wall clock


@dataclass(slots=True)
class Moment:
    """The world at one instant: an open transaction and the virtual time it happens at.

    Attributes:
        db: The connection, inside the transaction.
        now: Virtual time in milliseconds since 1970.
        options: The sandbox's settings.
        wakes_dialer: Set by a request that changed what the dialer works on.
    """

    db: sqlite3.Connection
    now: int
    options: Options
    wakes_dialer: bool = field(default=False)


class World:
    """One sandbox: organizations, campaigns and calls in an SQLite file, and their clock.

    Several processes may open the same file. An instance belongs to one event loop or thread at a
    time, and no transaction stays open between its calls.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        now: Callable[[], datetime],
        options: Options,
        monotonic: Callable[[], float],
    ) -> None:
        self._db = db
        self._wall_clock = now
        self._monotonic = monotonic
        self.options = options
        self.faults = FaultPlan(options.faults, seed=options.seed)
        self._adopt_speed()

    @classmethod
    def open(
        cls,
        db: str | Path,
        *,
        now: Callable[[], datetime],
        options: Options | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> Self:
        """Open a sandbox, creating its file and folder (mode 0700) when missing.

        Args:
            db: A path, or ":memory:".
            now: The wall clock; returns aware times.
            options: Settings; the defaults when None. The speed given last holds for every
                process on the file.
            monotonic: Seconds by which the work of one step is measured.

        Raises:
            StoreError: The file is of a newer release, or no sandbox database.
        """
        return cls(connect(db), now=now, options=options or Options(), monotonic=monotonic)

    def close(self) -> None:
        """Close the file; nothing is lost, stored state is always complete."""
        self._db.close()

    def now(self) -> datetime:
        """The virtual time, in UTC.

        Cheap and without a change to the world, unless an event has been due for more than five
        seconds of the wall clock: then nobody has looked for a while, and only catching up tells
        whether virtual time is still ahead of the wall clock.
        """
        wall = self.wall()
        clock = Clock.load(self._db)
        if clock.speed and clock.overdue(wall - LEFT_ALONE):
            while not self.advance():
                pass
            clock = Clock.load(self._db)
        return to_datetime(clock.at(wall))

    def wall(self) -> int:
        """The wall clock, in milliseconds since 1970."""
        return to_ms(self._wall_clock())

    def inject(self, *faults: Fault) -> None:
        """Replace the fault rules of this process; without an argument, end all faults."""
        self.faults = FaultPlan(faults, seed=self.options.seed)

    def advance(self) -> bool:
        """Process what is due, for about 20 ms of work.

        At the speed "max" everything that waits is due, and one step also ends when a campaign
        changes its status, so that a client that polls sees every state.

        Returns:
            Whether the world has reached now; at the speed "max" always, as one step a request
            is what that speed means.
        """
        wall = self.wall()
        if not Clock.load(self._db).overdue(wall):
            return True
        with transaction(self._db, write=True):
            clock = Clock.load(self._db)
            if clock.overdue(wall):
                clock = self._step(clock, wall, patience=STEP_SECONDS)
        return clock.speed is None or not clock.overdue(wall)

    @contextmanager
    def reading(self) -> Generator[Moment]:
        """A consistent view of the world at its present time."""
        with transaction(self._db, write=False):
            clock = Clock.load(self._db)
            yield Moment(self._db, clock.at(self.wall()), self.options)

    @contextmanager
    def writing(self, *, wall: int | None = None) -> Generator[Moment]:
        """The only transaction that changes the world meanwhile; an exception undoes it.

        Args:
            wall: The wall clock to act at, for what was asked some time ago; now when None.
        """
        with transaction(self._db, write=True):
            wall = self.wall() if wall is None else wall
            clock = Clock.load(self._db)
            if clock.speed and clock.overdue(wall):
                clock = self._step(clock, wall, patience=None)
            moment = Moment(self._db, clock.at(wall), self.options)
            yield moment
            if moment.wakes_dialer:
                self._wake(clock, wall, moment.now)

    def play_history(self, organization: int) -> None:
        """Let what was scheduled in an organization's past happen, inside an open transaction."""
        roster = Roster(self._db, organization=organization)
        dialer = Dialer(roster, slots=Options().slots, has_credit=lambda _: True)
        dialer.work(None, enough=lambda: False)
        roster.save()

    def _step(self, clock: Clock, wall: int, *, patience: float | None) -> Clock:
        roster, dialer = self._dialer()
        started = self._monotonic()

        def enough() -> bool:
            if clock.speed is None and dialer.milestone:
                return True
            return patience is not None and self._monotonic() - started > patience

        until = clock.at(wall) if clock.speed else None
        last = dialer.work(until, enough=enough)
        roster.save()
        if last is not None and clock.speed is None:
            clock = clock.leapt(last, wall=wall)
        clock = clock.expecting(dialer.next_event_at, wall=wall)
        clock.save(self._db)
        return clock

    def _wake(self, clock: Clock, wall: int, now: int) -> None:
        roster, dialer = self._dialer()
        dialer.tidy(now)
        dialer.work(now, enough=lambda: False)
        roster.save()
        clock.expecting(dialer.next_event_at, wall=wall).save(self._db)

    def _dialer(self) -> tuple[Roster, Dialer]:
        roster = Roster(self._db)
        return roster, Dialer(roster, slots=self.options.slots, has_credit=self._has_credit)

    def _has_credit(self, organization: int) -> bool:
        if not self.options.enforce_credits:
            return True
        return self.options.credits > spent(self._db, organization)

    def _adopt_speed(self) -> None:
        with transaction(self._db, write=True):
            wall = self.wall()
            Clock.load(self._db).running_at(self.options.speed, wall=wall).save(self._db)
