"""What was last found out about each of many keys, in bounded memory."""

from collections.abc import Callable

KEPT = 10_000


class RecentKeys:
    """Keys, each with the time at which it was noted; the oldest make room."""

    def __init__(self, monotonic: Callable[[], float], kept: int = KEPT) -> None:
        """Measure by `monotonic`, in seconds; keep at most `kept` keys."""
        self._monotonic = monotonic
        self._kept = kept
        self._noted: dict[str, float] = {}

    def note(self, key: str) -> None:
        """Note `key` now."""
        self.forget(key)
        self._noted[key] = self._monotonic()
        if len(self._noted) > self._kept:
            del self._noted[next(iter(self._noted))]

    def forget(self, key: str) -> None:
        """Know nothing of `key`."""
        self._noted.pop(key, None)

    def within(self, seconds: float, key: str) -> bool:
        """Return whether `key` was noted in the last `seconds`."""
        noted = self._noted.get(key)
        return noted is not None and self._monotonic() - noted < seconds

    def __contains__(self, key: str) -> bool:
        """Return whether `key` was noted and had not to make room."""
        return key in self._noted
