"""Sharing reads: equal ones in flight are one request, and slow-changing lists are kept briefly."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError

KEPT = 100  # different reads whose answers stay at hand


@dataclass(slots=True)
class _Flight:
    """One read and those who want it. `landed` counts its ends, failures included."""

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    wanted_by: int = 0
    landed: int = 0
    answer: Any = None
    failure: AtomsCampaignsError | None = None
    at: float | None = None


class SingleFlight:
    """The reads of one account. Whoever asks while an equal one is under way gets its answer.

    A change of ours ends all sharing with what was asked before it, so that nobody who has changed
    something reads how it was.
    """

    def __init__(self, monotonic: Callable[[], float], kept: int = KEPT) -> None:
        """Measure freshness by `monotonic`, in seconds; keep at most `kept` answers."""
        self._monotonic = monotonic
        self._kept = kept
        self._single_flight: dict[Hashable, _Flight] = {}

    def forget(self) -> None:
        """Keep no earlier answer for anybody who asks from now on."""
        self._single_flight = {}

    async def get(
        self,
        key: Hashable,
        fetch: Callable[[], Awaitable[Any]],
        *,
        fresh_for: float = 0.0,
        keep: bool = False,
    ) -> Any:
        """Return what `fetch` gives, or what it gave within the last `fresh_for` seconds.

        Its answer is kept if this call would take an older one, or if it is to `keep` it for
        others that do.

        Raises:
            AtomsCampaignsError: What the shared read failed with.
        """
        single_flight = self._single_flight
        if len(single_flight) > self._kept:
            self._single_flight = single_flight = {
                k: f for k, f in single_flight.items() if f.wanted_by
            }
        flight = single_flight.setdefault(key, _Flight())
        flight.wanted_by += 1
        landed = flight.landed
        try:
            # If the one that fetches is cancelled, the next in the queue takes over.
            async with flight.turn:
                if flight.landed > landed:
                    return _shared(flight)
                if flight.at is not None and self._monotonic() - flight.at < fresh_for:
                    return flight.answer
                return await self._fetch(flight, fetch)
        finally:
            flight.wanted_by -= 1
            if not flight.wanted_by and not fresh_for and not keep:
                single_flight.pop(key, None)

    async def _fetch(self, flight: _Flight, fetch: Callable[[], Awaitable[Any]]) -> Any:
        # A read that is cancelled has not landed: whoever waits fetches anew.
        flight.at = None
        try:
            flight.answer, flight.failure = await fetch(), None
        except AtomsCampaignsError as error:
            flight.failure = error
            flight.landed += 1
            raise
        flight.at = self._monotonic()
        flight.landed += 1
        return flight.answer


def _shared(flight: _Flight) -> Any:
    if flight.failure is not None:
        raise flight.failure
    return flight.answer
