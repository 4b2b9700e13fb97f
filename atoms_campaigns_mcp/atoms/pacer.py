"""Pacing: a request waits until no second holds more of them than the operator allows."""

from collections.abc import Awaitable, Callable

from atoms_campaigns_mcp.errors import NotRecorded, RateLimited
from atoms_campaigns_mcp.rate_limit import Slot, booked, held
from atoms_campaigns_mcp.telemetry import log

Book = Callable[[Slot], Awaitable[float]]
"""Books a request for every process that uses the same key; gives its delay in seconds."""
Hold = Callable[[float, float], Awaitable[None]]
"""Takes now and a time until which nobody may send, both in seconds since 1970."""


class OwnBook:
    """The book of one process, which is also used while the shared one cannot be written."""

    def __init__(self) -> None:
        self._due = 0.0

    async def book(self, slot: Slot) -> float:
        """See `Book`."""
        self._due, delay = booked(self._due, slot)
        return delay

    async def hold(self, now: float, until: float) -> None:
        """See `Hold`."""
        self._due = held(self._due, now, until)


class Pacer:
    """Lets `rate` requests a second through, in bursts of one second's worth."""

    def __init__(
        self,
        rate: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        *,
        book: Book | None = None,
        hold: Hold | None = None,
    ) -> None:
        """Keep the pace with those who share `book`; `now` is in seconds since 1970."""
        self._own = OwnBook()
        self._step = 1 / rate
        self._now = now
        self._sleep = sleep
        self._book = book or self._own.book
        self._hold = hold or self._own.hold

    async def wait(self) -> None:
        """Return when the next request may be sent.

        Raises:
            RateLimited: The queue is too long; nothing was sent.
        """
        slot = Slot(self._now(), self._step)
        try:
            delay = await self._book(slot)
        except NotRecorded:
            log.warning("the pace cannot be shared with other processes now")
            delay = await self._own.book(slot)
        if delay > slot.patience:
            raise RateLimited("Too many requests to the Atoms API are waiting.", retry_after=delay)
        if delay > 0:
            await self._sleep(delay)

    async def slow_down(self, seconds: float) -> None:
        """Have everyone wait, since the API said that there are too many requests."""
        now = self._now()
        await self._own.hold(now, now + seconds)
        try:
            await self._hold(now, now + seconds)
        except NotRecorded:
            log.warning("other processes cannot be told to slow down now")
