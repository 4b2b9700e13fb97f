"""The rate limit of a tenant, counted together with the other replicas of this server."""

from collections.abc import Callable
from dataclasses import dataclass

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.store import Store

AT_A_TIME = 0.1  # seconds' worth of a tenant's requests that are booked with replicas together
KEPT = 10.0  # seconds in which a tenant may make the requests that were booked for it


@dataclass(slots=True)
class _Booked:
    """Requests of a tenant that were booked at `at`, and of which `left` are not made yet."""

    at: float
    left: int


class ReplicaRateLimit:
    """Books requests of tenants in the store that replicas share."""

    def __init__(self, store: Callable[[], Store], seconds: Callable[[], float]) -> None:
        """Book in `store`; `seconds` is the time since 1970."""
        self._store = store
        self._seconds = seconds
        self._ahead: dict[str, _Booked] = {}  # those booked first come first

    @property
    def tenants(self) -> int:
        """How many are remembered."""
        return len(self._ahead)

    async def __call__(self, tenant: str, step: float) -> float:
        """Return the seconds to wait until replicas on the same Redis may be asked once more.

        `step` is the seconds between two requests of the tenant.
        """
        store = self._store()
        if store.shared_state is None:
            return 0.0
        now = self._seconds()
        self._forget(now)
        booked = self._ahead.get(tenant)
        if booked is None:
            # Several at a time: Redis may write each booking to its disk before it answers.
            block = max(int(AT_A_TIME / step), 1)
            slot = Slot(now, step * block, patience=0)
            try:
                wait = await store.pace.book(f"client {tenant}", slot)
            except NotRecorded:  # each replica keeps to its own limit all the same
                return 0.0
            if wait:
                return wait
            # Another request of the tenant may have booked meanwhile.
            left = self._ahead.pop(tenant, _Booked(now, 0)).left
            booked = self._ahead[tenant] = _Booked(now, left + block)
        booked.left -= 1
        if not booked.left:
            del self._ahead[tenant]
        return 0.0

    def _forget(self, now: float) -> None:
        """Forget what was booked long ago, or by a clock that was set back since."""
        while self._ahead:
            first = next(iter(self._ahead))
            if 0 <= now - self._ahead[first].at < KEPT:
                return
            del self._ahead[first]
