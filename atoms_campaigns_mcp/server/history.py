"""Reading the journal: for its command, and for what an earlier server left open."""

from datetime import UTC, datetime

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.state.opening import may_hold_entries, open_state
from atoms_campaigns_mcp.state.store import Entry
from atoms_campaigns_mcp.telemetry import log


async def entries(settings: Settings, limit: int) -> list[Entry]:
    """Give the latest entries of the journal, the latest first."""
    store = open_state(settings)
    try:
        return await store.entries(limit)
    finally:
        await store.close()


async def report_unfinished(settings: Settings) -> None:
    """Log, once each, the journal's intents without an outcome."""
    if not may_hold_entries(settings):
        return

    try:
        store = open_state(settings)
        for entry in await store.unfinished():
            log.warning(
                "journal entry %s has no outcome: %s %s at %s was sent or about to be sent when "
                "its server ended; check with get_campaign_status or list_campaigns",
                entry.id,
                entry.intent.tool,
                entry.intent.arguments,
                datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds"),
            )
        await store.close()
    except AtomsCampaignsError as error:
        log.warning("the journal could not be read: %s", error)
