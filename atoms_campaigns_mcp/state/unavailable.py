"""The store of a server whose state cannot be opened: it reads nothing and records nothing.

What changes anything is refused, for it could not be recorded; the emergency stop goes ahead.
"""

from typing import TYPE_CHECKING, Any, NoReturn

from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded

if TYPE_CHECKING:
    from atoms_campaigns_mcp.state.journal import JournalStore
    from atoms_campaigns_mcp.state.store import (
        CallerIdStore,
        GuardStore,
        LockStore,
        PaceStore,
        PlanStore,
        UploadStore,
    )


class UnavailableStore:
    """See `store.Store`; every method of every part raises `NotRecorded`."""

    shared_state = None

    def __init__(self, trouble: ConfigurationError) -> None:
        """Keep what the operator must be told."""
        refusing: Any = _Refusing(trouble)
        self.plans: PlanStore = refusing
        self.locks: LockStore = refusing
        self.journal: JournalStore = refusing
        self.uploads: UploadStore = refusing
        self.caller_ids: CallerIdStore = refusing
        self.guard: GuardStore = refusing
        self.pace: PaceStore = refusing

    async def close(self) -> None:
        """See `Store.close`."""


class _Refusing:
    """A part of the store, whichever it is."""

    def __init__(self, trouble: ConfigurationError) -> None:
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        """Return the method that is asked for: it refuses."""

        async def refuse(*_: Any, **__: Any) -> NoReturn:
            raise NotRecorded(self._trouble.message, next_step=self._trouble.next_step)

        return refuse
