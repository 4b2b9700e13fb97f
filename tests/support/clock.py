"""A clock that moves only when told, and the sleep that tells it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio.lowlevel

from atoms_campaigns_mcp.runtime import Clocks


@dataclass
class FakeClock:
    """Starts at noon of 2027-01-04 UTC, a Monday."""

    moment: datetime = field(default_factory=lambda: datetime(2027, 1, 4, 12, tzinfo=UTC))

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def advance(self, **delta: float) -> None:
        self.moment += timedelta(**delta)

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        await anyio.lowlevel.checkpoint()

    def clocks(self) -> Clocks:
        return Clocks(now=self.now, monotonic=self.monotonic, sleep=self.sleep)
