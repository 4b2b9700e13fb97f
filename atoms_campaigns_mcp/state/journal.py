"""The journal for its command."""

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import open_state
from atoms_campaigns_mcp.state.store import EVERY, Entry, Wanted


async def entries(settings: Settings, limit: int, wanted: Wanted = EVERY) -> list[Entry]:
    """Return the latest entries that are wanted, the latest first."""
    store = open_state(settings)
    try:
        return await store.journal.entries(limit, wanted)
    finally:
        await store.close()


async def prune(settings: Settings, before: float) -> int:
    """Delete what began before then, see `JournalStore.prune`."""
    store = open_state(settings)
    try:
        return await store.journal.prune(before)
    finally:
        await store.close()
