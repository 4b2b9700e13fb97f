"""The store of a server whose state cannot be opened: it reads nothing and records nothing.

What changes anything is refused, for it could not be recorded; the emergency stop goes ahead.
"""

from typing import Any, NoReturn

from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded


class UnavailableStore:
    """See `store.Store`; every method but `close` raises `NotRecorded`."""

    shared_state = None

    def __init__(self, trouble: ConfigurationError) -> None:
        """Keep what the operator must be told."""
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        """Return the method of any record that is asked for: it refuses."""

        async def refuse(*_: Any) -> NoReturn:
            raise NotRecorded(
                f"{self._trouble.message} Nothing was sent.", next_step=self._trouble.next_step
            )

        return refuse

    async def close(self) -> None:
        """See `Store.close`."""
