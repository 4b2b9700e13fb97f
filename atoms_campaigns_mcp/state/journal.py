"""Reading the journal for its command."""

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import open_state
from atoms_campaigns_mcp.state.store import Entry


async def entries(settings: Settings, limit: int) -> list[Entry]:
    """Return the latest entries of the journal, the latest first."""
    store = open_state(settings)
    try:
        return await store.journal.entries(limit)
    finally:
        await store.close()
