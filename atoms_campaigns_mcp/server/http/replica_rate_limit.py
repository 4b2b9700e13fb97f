"""The rate limit of a tenant, counted together with the other replicas of this server."""

from collections import Counter
from collections.abc import Callable

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.store import Store

AT_A_TIME = 0.1  # seconds' worth of a tenant's requests that are booked with replicas together


class ReplicaRateLimit:
    """Books requests of tenants in the store that replicas share."""

    def __init__(self, store: Callable[[], Store], seconds: Callable[[], float]) -> None:
        """Book in `store`; `seconds` is the time since 1970."""
        self._store = store
        self._seconds = seconds
        self._ahead = Counter[str]()  # requests of tenants that are booked and not yet made

    async def __call__(self, tenant: str, step: float) -> float:
        """Return the seconds to wait until replicas on the same Redis may be asked once more.

        `step` is the seconds between two requests of the tenant.
        """
        store = self._store()
        if store.shared_state is None:
            return 0.0
        # Several at a time: Redis may write each booking to its disk before it answers.
        block = max(int(AT_A_TIME / step), 1)
        if self._ahead[tenant] <= 0:
            slot = Slot(self._seconds(), step * block, patience=0)
            try:
                wait = await store.pace.book(f"client {tenant}", slot)
            except NotRecorded:  # each replica keeps to its own limit all the same
                return 0.0
            if wait:
                return wait
            self._ahead[tenant] += block
        self._ahead[tenant] -= 1
        if not self._ahead[tenant]:
            del self._ahead[tenant]
        return 0.0
