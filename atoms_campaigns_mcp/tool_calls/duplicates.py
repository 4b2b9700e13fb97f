"""What the journal knows of equal creations, as the tools that create things ask it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from atoms_campaigns_mcp.errors import NotRecorded, WrongState
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls.locks import SENDING, Locks
from atoms_campaigns_mcp.toolkit.context import Earlier

LATELY = 3600  # seconds in which a start that the API was sent may still take effect


@dataclass(frozen=True, slots=True)
class JournalLedger:
    """See `tools._tool.Ledger`."""

    locks: Locks

    def alone(self, key: str) -> AbstractAsyncContextManager[None]:
        """See `Ledger.alone`."""
        return self.locks.holding(key, _busy())

    async def keep_alone(self, key: str) -> None:
        """See `Ledger.keep_alone`."""
        if not await self.locks.extend(key):
            raise _busy()

    async def unresolved(self, key: str) -> list[Earlier]:
        """See `Ledger.unresolved`."""
        runtime = self.locks.runtime
        entries = await runtime.store.unresolved(runtime.own(key))
        return [Earlier(entry.id, entry.intent.known) for entry in entries]

    async def resolve(self, earlier: Sequence[Earlier], *, found: str) -> None:
        """See `Ledger.resolve`."""
        told = "done" if found else "absent", "looked for again later", "", found
        for one in earlier:
            await self.locks.runtime.store.finish(one.entry, *told)

    async def begun(self, besides: str = "") -> list[str]:
        """See `Ledger.begun`."""
        runtime = self.locks.runtime
        found = await runtime.store.begun(runtime.account, runtime.clocks.seconds() - LATELY)
        but = {besides, runtime.own(besides)} if besides else set[str]()
        others = [e.intent for e in found if not {e.intent.campaign_id, e.intent.key} & but]
        known = dict.fromkeys(intent.campaign_id for intent in others if intent.campaign_id)
        return [*known, *("" for intent in others if not intent.campaign_id)]

    async def saw(self, campaign_id: str) -> None:
        """See `Ledger.saw`."""
        runtime = self.locks.runtime
        try:
            await runtime.store.saw(runtime.account, campaign_id)
        except NotRecorded as error:  # then it is looked at again
            log.warning("%s", error.message)


def _busy() -> WrongState:
    return WrongState(
        "Another request for the same thing is being carried out at this moment. Nothing was sent.",
        next_step="Wait, then call again: it finds what the other one made. A server that was "
        f"ended in the middle keeps others out for up to {SENDING} seconds.",
    )
