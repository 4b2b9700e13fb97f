"""Keeping equal calls apart: of two that would change the same thing at once, one goes ahead."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, WrongState
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.state.store import LONGEST_LOCK
from atoms_campaigns_mcp.telemetry import log

# A lock ends by itself, so that a server that is killed keeps nobody out for long.
LOOKING = 25  # seconds that looking at the facts may take
SENDING = 40  # seconds for the change, looking for its effect, and a few looks more
RELEASING = 2.0  # seconds that the store may take
WAITING = 5.0  # seconds that a call waits for what other calls may rightly hold as well
LOOKS = 0.1  # seconds between two tries


@dataclass(slots=True)
class Locks:
    """The locks of one call; they stay until they end by themselves once it is `in_doubt`."""

    runtime: Runtime
    owner: str = field(default_factory=lambda: token_hex(8))
    in_doubt: bool = False
    """Whether something was sent, and nobody has seen what became of it."""
    ends: dict[str, float] = field(default_factory=dict[str, float])

    @asynccontextmanager
    async def holding(
        self, subject: str, busy: AtomsCampaignsError, *, patience: float = 0.0
    ) -> AsyncGenerator[None]:
        """Hold `subject` meanwhile; what is read from now on was asked for after that.

        Raises:
            AtomsCampaignsError: `busy`, if another call holds it for more than `patience` seconds.
        """
        clocks = self.runtime.clocks
        last = clocks.seconds() + patience
        while not await self._acquired(subject):
            if clocks.seconds() >= last:
                raise busy
            await clocks.sleep(LOOKS)
        # A read that others began earlier may show what was so before its last holder let go.
        self.runtime.transport.single_flight.forget()
        try:
            yield
        finally:
            del self.ends[subject]
            if not self.in_doubt:
                await self._release(subject)

    async def _acquired(self, subject: str) -> bool:
        key, now = self.runtime.own(subject), self.runtime.clocks.seconds()
        held = False
        # Whoever is cancelled in the middle of it would not know whether there is one to release.
        with anyio.CancelScope(shield=True):
            held = await self.runtime.store.locks.acquire(key, self.owner, now, now + LOOKING)
        if held:
            self.ends[subject] = now + LOOKING
        return held

    async def extend(self, subject: str) -> bool:
        """Return whether it is still ours, and hold it for as long as a change takes."""
        until = self.runtime.clocks.seconds() + SENDING
        held = await self.runtime.store.locks.extend(self.runtime.own(subject), self.owner, until)
        if held:
            self.ends[subject] = until
        return held

    def require(self) -> None:
        """Look once more before something is sent: a machine that slept holds nothing any more.

        Raises:
            WrongState: A lock has ended; another call may be sending the same.
        """
        now = self.runtime.clocks.seconds()
        # A clock that was set back ends a lock too: others do not respect it any more.
        if not all(now < until <= now + LONGEST_LOCK for until in self.ends.values()):
            raise WrongState(
                "Nothing was sent: this server stood still for too long, or its clock was set, so "
                "another call may be doing the same.",
                next_step="Look with get_campaign_status or list_campaigns, then call again.",
            )

    async def _release(self, subject: str) -> None:
        released = False
        try:
            # The call may be cancelled, and whoever comes next should not wait for that.
            with anyio.move_on_after(RELEASING, shield=True):
                await self.runtime.store.locks.release(self.runtime.own(subject), self.owner)
                released = True
        except NotRecorded as error:
            # What was sent meanwhile must not be reported as not sent.
            log.warning("%s", error.message)
        except Exception:  # noqa: BLE001 - nor must any other trouble
            log.exception("a fault of the store")
        if not released:
            log.error("a lock stays for up to %s seconds", SENDING)
