"""Opening the state where the settings say it is."""

from importlib.util import find_spec

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.state.folder import state_folder
from atoms_campaigns_mcp.state.journal import EVERY, Entry, Wanted
from atoms_campaigns_mcp.state.store import Store


def open_state(settings: Settings) -> Store:
    """Open the state; a Redis is connected to when it is first needed.

    Raises:
        ConfigurationError: The folder or file cannot be used, or Redis needs a package.
    """
    if isinstance(settings.state, RedisAddress):
        require_client(settings)
        from atoms_campaigns_mcp.state.redis.store import RedisStore  # noqa: PLC0415 - optional

        return RedisStore.open(settings.state)
    from atoms_campaigns_mcp.state.sqlite.store import SqliteStore  # noqa: PLC0415 - sqlite3

    return SqliteStore.open(state_folder(settings))


def may_hold_entries(settings: Settings) -> bool:
    """Return whether there may be a journal already, so that it is worth opening."""
    if isinstance(settings.state, RedisAddress):
        return True
    try:
        return (state_folder(settings) / "state.sqlite3").exists()
    # Of another user, too long a name, or no home: opening it says so.
    except (OSError, ConfigurationError):
        return True


def require_client(settings: Settings) -> None:
    """Refuse to start without the package that a shared state needs.

    Raises:
        ConfigurationError: It is not installed.
    """
    if isinstance(settings.state, RedisAddress) and find_spec("redis") is None:
        raise ConfigurationError(
            "ATOMS_MCP_STATE names a Redis, and its client is not installed.",
            next_step="Install atoms-campaigns-mcp[redis].",
        )


async def journal_entries(settings: Settings, limit: int, wanted: Wanted = EVERY) -> list[Entry]:
    """Return the latest entries that are wanted, the latest first."""
    store = open_state(settings)
    try:
        return await store.journal.entries(limit, wanted)
    finally:
        await store.close()


async def prune_journal(settings: Settings, before: float) -> int:
    """Delete what began before then, see `JournalStore.prune`."""
    store = open_state(settings)
    try:
        return await store.journal.prune(before)
    finally:
        await store.close()
