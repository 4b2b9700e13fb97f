"""Pacing: how long a request must wait so that no second holds more than the allowed number."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# No library: aiolimiter reads the event loop's own clock, and the rule is to be shared between
# replicas later, which needs this arithmetic over a stored value.


@dataclass(slots=True)
class Pacer:
    """Generic cell rate algorithm: `rate` requests a second, bursts of one second's worth.

    `monotonic` gives seconds that only rise; `sleep` waits that long.
    """

    rate: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    _due: float = 0.0

    async def wait(self) -> None:
        """Return when the next request may be sent."""
        now = self.monotonic()
        self._due = max(self._due, now) + 1 / self.rate
        if (delay := self._due - now - 1.0) > 0:
            await self.sleep(delay)
