"""What goes wrong on purpose, as data: which request is hit derives from seed and count."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Literal

FaultKind = Literal[
    "rate_limit",  # 429 with Retry-After and a body, nothing done
    "error_500",  # the JSON envelope of an internal error
    "error_504",  # a gateway's HTML page
    "html_error",  # a 502 HTML page of a proxy
    "slow",  # the right answer after `delay` seconds
    "reset",  # the connection breaks before any work
    "lost_answer",  # the work is done, then the connection breaks
    "late_work",  # the connection breaks, the work is done up to `delay` seconds later
]

SPAN = float(1 << 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule.

    Attributes:
        kind: What happens, see `FaultKind`.
        route: `METHOD /template` as in the vendor's specification, for example
            `POST /campaign/{id}/start`; `*` stands for any text.
        rate: Share of matching requests that are hit, 0 to 1.
        times: Most requests to hit; None for no limit.
        delay: Seconds of the wall clock: how slow a "slow" answer is, or the longest time after
            which "late_work" is done (0 to 5 there).
        retry_after: Seconds that a 429 asks to wait.
        work_done: "error_500" and "error_504" only: do the work before answering the error.
    """

    kind: FaultKind
    route: str = "*"
    rate: float = 1.0
    times: int | None = None
    delay: float = 5.0
    retry_after: int = 1
    work_done: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError("rate must be between 0 and 1")
        if not (math.isfinite(self.delay) and self.delay >= 0):
            raise ValueError("delay must be a number of seconds of at least 0")


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that applies to one request; `draw` (0 to 1, below 1) is its share of chance."""

    fault: Fault
    draw: float


class FaultPlan:
    """Decides for each request whether a fault applies."""

    def __init__(self, faults: Iterable[Fault], *, seed: int) -> None:
        self._faults = tuple(faults)
        self._seed = seed
        self._matched: Counter[int] = Counter()
        self._hit: Counter[int] = Counter()

    def next(self, route: str) -> Hit | None:
        """The first fault that hits this request to `route` (`METHOD /template`)."""
        for index, fault in enumerate(self._faults):
            if not fnmatchcase(route, fault.route):
                continue
            self._matched[index] += 1
            if fault.times is not None and self._hit[index] >= fault.times:
                continue
            chance, draw = self._draws(index)
            if chance < fault.rate:
                self._hit[index] += 1
                return Hit(fault, draw)
        return None

    def _draws(self, index: int) -> tuple[float, float]:
        text = f"{self._seed}:{index}:{self._matched[index]}"
        digest = blake2b(text.encode(), digest_size=16, person=b"fault").digest()
        first, second = digest[:8], digest[8:]
        return int.from_bytes(first) / SPAN, int.from_bytes(second) / SPAN
