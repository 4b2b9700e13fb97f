"""What the journal knows of equal creations, as the tools that create things ask it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from atoms_campaigns_mcp.errors import WrongState
from atoms_campaigns_mcp.server.claims import SENDING, Claims
from atoms_campaigns_mcp.tools._tool import Earlier


@dataclass(frozen=True, slots=True)
class JournalLedger:
    """See `tools._tool.Ledger`."""

    claims: Claims

    def alone(self, key: str) -> AbstractAsyncContextManager[None]:
        """See `Ledger.alone`."""
        return self.claims.holding(key, _busy())

    async def keep_alone(self, key: str) -> None:
        """See `Ledger.keep_alone`."""
        if not await self.claims.still_holding(key):
            raise _busy()

    async def unresolved(self, key: str) -> list[Earlier]:
        """See `Ledger.unresolved`."""
        runtime = self.claims.runtime
        entries = await runtime.store.unresolved(runtime.own(key))
        return [Earlier(entry.id, entry.intent.known) for entry in entries]

    async def resolve(self, earlier: Sequence[Earlier], *, found: bool) -> None:
        """See `Ledger.resolve`."""
        outcome = "done" if found else "absent"
        for one in earlier:
            await self.claims.runtime.store.finish(one.entry, outcome, "looked for again later")


def _busy() -> WrongState:
    return WrongState(
        "Another request for the same thing is being carried out at this moment. Nothing was sent.",
        next_step="Wait, then call again: it finds what the other one made. A server that was "
        f"ended in the middle keeps others out for up to {SENDING} seconds.",
    )
