"""The request limit of an organization: a token bucket on the wall clock (S21)."""

import math
from collections import defaultdict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: int


class RateLimiter:
    """Lets `rate` requests a second through for each caller, in bursts of up to one second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate)
        self._buckets: defaultdict[str, _Bucket] = defaultdict(lambda: _Bucket(self._size, 0))

    def wait(self, caller: str, now: int) -> int:
        """Take a token at `now` (milliseconds); returns the whole seconds to wait, 0 to go on."""
        bucket = self._buckets[caller]
        gained = max(0, now - bucket.filled_at) / 1000 * self._rate
        bucket.tokens = min(self._size, bucket.tokens + gained)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return max(1, math.ceil((1 - bucket.tokens) / self._rate))
        bucket.tokens -= 1
        return 0
