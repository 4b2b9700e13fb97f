"""When a request may be sent again, and how long to wait before that."""

import stamina

from atoms_campaigns_mcp.errors import (
    Garbled,
    RateLimited,
    Unavailable,
    Unreached,
)

ATTEMPTS = 4

DEADLINE = 20.0  # seconds for a read with its retries; hosts give a tool call 30 to 60

REACHING = 10.0  # seconds in which a change that did not arrive is sent again

SHORTEST_PAUSE = 0.5  # seconds before the first repetition

LONGEST_PAUSE = 8.0  # seconds; a longer Retry-After is reported instead of waited for


def may_read_again(error: Exception) -> bool | float:
    """Repeat a read after faults, broken answers, and a 429 whose wait is short enough."""
    return isinstance(error, Unavailable | Garbled) or _wait_is_short(error)


def may_send_again(error: Exception) -> bool | float:
    """Repeat a change that the API has not seen, or has put off."""
    return isinstance(error, Unreached) or _wait_is_short(error)


def _wait_is_short(error: Exception) -> bool | float:
    if not isinstance(error, RateLimited):
        return False
    asked = error.retry_after
    return True if asked is None else asked <= LONGEST_PAUSE and max(asked, SHORTEST_PAUSE)


retrying = stamina.AsyncRetryingCaller(
    attempts=ATTEMPTS, timeout=DEADLINE, wait_initial=SHORTEST_PAUSE, wait_max=LONGEST_PAUSE
)

resending = stamina.AsyncRetryingCaller(
    attempts=ATTEMPTS, timeout=REACHING, wait_initial=SHORTEST_PAUSE, wait_max=LONGEST_PAUSE
)
