"""How many requests of a tenant are served at once, counted together with the other replicas."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex

import anyio

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.store import Places, SharedState, Store

LEASE = 30.0  # seconds after which the places of a replica that was killed are free again
RENEWED = 10.0  # seconds between two renewals
GIVING_BACK = 1.0  # seconds that the store may take


@dataclass(slots=True)
class _Held:
    """What this replica has of a tenant's places: `taken` by requests, of those `granted`."""

    most: int
    taken: int = 0
    granted: int = 0
    concerned: int = 0
    """Requests that have a place or ask for one."""
    turn: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def spare(self) -> int:
        """How many free places may stay here, so that not every request has to ask for one."""
        return self.most // 16


class ReplicaPlaces:
    """Takes places for requests in the store that replicas share."""

    def __init__(self, store: Callable[[], Store]) -> None:
        """Take them in `store`."""
        self._store = store
        self._owner = token_hex(8)
        self._held: dict[str, _Held] = {}

    @asynccontextmanager
    async def place(self, subject: str, most: int) -> AsyncGenerator[bool]:
        """Hold one of `most` places meanwhile; false if replicas have filled them together."""
        shared = self._store().shared_state
        if shared is None:
            yield True
            return
        held = self._held.setdefault(subject, _Held(most))
        held.concerned += 1
        try:
            if not await self._taken(shared, subject, held):
                yield False
                return
            try:
                yield True
            finally:
                held.taken -= 1
        finally:
            held.concerned -= 1
            if held.granted > held.taken + 2 * held.spare:
                # Now, not with the next renewal: another replica may be asked next.
                with anyio.move_on_after(GIVING_BACK, shield=True):
                    await self._hold(shared, subject, held, held.spare)
            if not (held.concerned or held.granted):
                self._held.pop(subject, None)

    async def _taken(self, shared: SharedState, subject: str, held: _Held) -> bool:
        async with held.turn:
            known = held.taken < held.granted or await self._ask(
                shared, subject, held, 1 + held.spare
            )
            if known and held.taken >= held.granted:
                return False
            held.taken += 1
            return True

    async def _hold(self, shared: SharedState, subject: str, held: _Held, more: int) -> None:
        async with held.turn:
            await self._ask(shared, subject, held, more)

    async def _ask(self, shared: SharedState, subject: str, held: _Held, more: int) -> bool:
        """Hold what is taken, and `more` if there is room; false if the store is away."""
        wanted = Places(self._owner, held.taken, held.taken + more, held.most)
        try:
            held.granted = await shared.hold_places(subject, wanted, LEASE)
        except NotRecorded:  # each replica keeps to its own limit all the same
            held.granted = 0
            return False
        return True

    async def keep(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Renew what is taken and give back what is not, until cancelled."""
        while True:
            await sleep(RENEWED)
            if shared := self._store().shared_state:
                for subject, held in [*self._held.items()]:
                    await self._hold(shared, subject, held, 0)
                    if not (held.concerned or held.granted):
                        self._held.pop(subject, None)
