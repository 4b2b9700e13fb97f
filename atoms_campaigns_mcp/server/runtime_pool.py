"""The runtimes of a server: one for its own account, or one for each tenant that calls."""

import gc
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import Busy
from atoms_campaigns_mcp.shutdown import Shutdown
from atoms_campaigns_mcp.workers import Workers

if TYPE_CHECKING:
    import httpx2

    from atoms_campaigns_mcp.runtime import Clocks, Runtime
    from atoms_campaigns_mcp.state.store import Store

MOST = 1000  # accounts at hand
RESTING = 300.0  # seconds after its last call began, after which an account makes room


class RuntimePool:
    """Opens a runtime on the first call that needs it, not for the first reply."""

    def __init__(
        self,
        settings: Settings,
        *,
        clocks: "Clocks | None" = None,
        network: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        """Open with `settings`; `clocks` and `network` are replaced by tests."""
        self._settings = settings
        self._clocks = clocks
        self._network = network
        self._lock = anyio.Lock()
        self._opened: dict[str, tuple[Runtime, float]] = {}
        self._store: Store | None = None
        self._workers = Workers()
        self.shutdown = Shutdown()

    async def __call__(self, principal: Principal) -> "Runtime":
        """Return the runtime of a tenant, which shares its account's with others of the same key.

        Raises:
            Busy: Too many accounts call at the same time.
        """
        async with self._lock:
            found = self._opened.pop(principal.account, None)
            runtime = found[0] if found else await self._new(principal)
            self._opened[principal.account] = runtime, runtime.clocks.monotonic()
        return runtime.of(principal.tenant)

    def store(self) -> "Store":
        """Return the state that all runtimes share."""
        from atoms_campaigns_mcp.runtime import open_store  # noqa: PLC0415 - heavy

        if self._store is None:
            self._store = open_store(self._settings)
        return self._store

    async def _new(self, principal: Principal) -> "Runtime":
        from atoms_campaigns_mcp.runtime import Runtime  # noqa: PLC0415 - heavy

        settings = self._settings
        if principal.tenant != LOCAL:
            settings = replace(settings, api_key=principal.key)
        await self._make_room()
        runtime = Runtime.open(
            settings,
            clocks=self._clocks,
            network=self._network,
            shutdown=self.shutdown,
            tenant=principal.tenant,
            store=self.store(),
            workers=self._workers,
        )
        if not self._opened:
            # What is loaded now stays: left out of collections, they stop a preview of 10,000
            # contacts for a third of the time.
            gc.freeze()
        return runtime

    async def _make_room(self) -> None:
        if len(self._opened) < MOST:
            return
        for account, (runtime, used) in self._opened.items():  # the one not used for longest first
            if runtime.clocks.monotonic() - used < RESTING:
                break
            if not runtime.shared.calls:  # a call may wait for its user for longer than that
                del self._opened[account]
                await runtime.rest()
                return
        raise Busy("This server serves as many accounts as it can.", wait=round(RESTING))

    def end(self, grace: float) -> None:
        """Allow changes in flight `grace` seconds, and answer those who wait for something."""
        self.shutdown.hurry(grace)
        for runtime, _ in self._opened.values():
            runtime.shared.waits.end()

    async def close(self) -> None:
        """Close every runtime that was opened, and the state that they share."""
        for runtime, _ in self._opened.values():
            await runtime.rest()
        if self._store is not None:
            await self._store.close()
