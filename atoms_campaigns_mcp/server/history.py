"""Reading the journal: for its command, and for what an earlier server left open."""

from datetime import UTC, datetime

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.state.folder import state_folder
from atoms_campaigns_mcp.state.store import Entry
from atoms_campaigns_mcp.telemetry import log


async def entries(settings: Settings, limit: int) -> list[Entry]:
    """Give the latest entries of the journal, the latest first."""
    from atoms_campaigns_mcp.state.sqlite import SqliteStore  # noqa: PLC0415 - sqlite3

    store = SqliteStore.open(state_folder(settings))
    try:
        return await store.entries(limit)
    finally:
        await store.close()


async def report_unfinished(settings: Settings) -> None:
    """Log, once each, the journal's intents without an outcome."""
    folder = state_folder(settings)
    if not (folder / "state.sqlite3").exists():
        return
    from atoms_campaigns_mcp.state.sqlite import SqliteStore  # noqa: PLC0415 - sqlite3

    try:
        store = SqliteStore.open(folder)
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
