"""Maintenance of the state while a server runs: what is old goes, open intents are reported."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.state.open import may_hold_entries, open_state
from atoms_campaigns_mcp.telemetry import log

EVERY = 60.0  # seconds between two runs
DAY = 24 * 3600.0  # seconds


async def maintain(
    settings: Settings,
    seconds: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> None:
    """Maintain the state every minute, until cancelled; `seconds` is the time since 1970."""
    while True:
        await maintain_once(settings, seconds())
        await sleep(EVERY)


async def maintain_once(settings: Settings, now: float) -> None:
    """Delete what has expired, and log, once each, intents that got no outcome."""
    if not may_hold_entries(settings):
        return

    try:
        store = open_state(settings)
        try:
            await store.uploads.clear(now)
            if settings.journal_days:
                await store.journal.prune(now - settings.journal_days * DAY)
            for entry in await store.journal.unfinished(now):
                log.warning(
                    "journal entry %s has no outcome: %s %s at %s was sent or about to be sent "
                    "when its server ended; check with get_campaign_status or list_campaigns",
                    entry.id,
                    entry.intent.tool,
                    entry.intent.arguments,
                    datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds"),
                )
        finally:
            await store.close()
    except AtomsCampaignsError as error:
        log.warning("the state could not be maintained: %s", error)
    except Exception:  # noqa: BLE001 - calls are served all the same
        log.exception("the state could not be maintained")
