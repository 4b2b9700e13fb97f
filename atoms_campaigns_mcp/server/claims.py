"""Keeping equal calls apart: of two that would change the same thing at once, one goes ahead."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex

from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, WrongState
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.telemetry import log

# A claim ends by itself, so that a server that is killed keeps nobody out for long.
LOOKING = 25  # seconds that looking at the facts may take
SENDING = 40  # seconds for the change, looking for its effect, and a few looks more


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one call."""

    runtime: Runtime
    owner: str = field(default_factory=lambda: token_hex(8))
    ends: dict[str, float] = field(default_factory=dict[str, float])

    @asynccontextmanager
    async def holding(self, subject: str, busy: AtomsCampaignsError) -> AsyncGenerator[None]:
        """Hold `subject` meanwhile.

        Raises:
            AtomsCampaignsError: `busy`, if another call holds it.
        """
        now = self.runtime.clocks.seconds()
        if not await self.runtime.store.claim(self._key(subject), self.owner, now, now + LOOKING):
            raise busy
        self.ends[subject] = now + LOOKING
        try:
            yield
        finally:
            del self.ends[subject]
            await self._release(subject)

    async def still_holding(self, subject: str) -> bool:
        """Say whether it is still ours, and hold it for as long as a change takes."""
        until = self.runtime.clocks.seconds() + SENDING
        held = await self.runtime.store.keep_claim(self._key(subject), self.owner, until)
        if held:
            self.ends[subject] = until
        return held

    def require(self) -> None:
        """Look once more before something is sent: a machine that slept holds nothing any more.

        Raises:
            WrongState: A claim has ended; another call may be sending the same.
        """
        if any(until <= self.runtime.clocks.seconds() for until in self.ends.values()):
            raise WrongState(
                "Nothing was sent: this server stood still for too long to be sure that no other "
                "call does the same.",
                next_step="Look with get_campaign_status or list_campaigns, then call again.",
            )

    async def _release(self, subject: str) -> None:
        try:
            await self.runtime.store.release(self._key(subject), self.owner)
        except NotRecorded:
            # What was sent meanwhile must not be reported as not sent.
            log.exception("a claim stays for up to %s seconds", SENDING)

    def _key(self, subject: str) -> str:
        return self.runtime.own(subject)
