"""Times inside the sandbox are whole milliseconds since 1970 in UTC; here they meet the outside."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970; a naive time counts as UTC, as the vendor's SDK sends it (S24)."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // MILLISECOND


def to_datetime(ms: int) -> datetime:
    """The aware UTC time of a number of milliseconds; nothing is later than the year 9999."""
    return EPOCH + timedelta(milliseconds=min(ms, LATEST))


def iso(ms: int) -> str:
    """ISO-8601 with milliseconds and `Z`, as the Atoms API writes times."""
    minute, rest = divmod(ms, MINUTE)
    return f"{_to_the_minute(minute)}:{rest // SECOND:02}.{rest % SECOND:03}Z"


@lru_cache(maxsize=4096)
def _to_the_minute(minute: int) -> str:
    return to_datetime(minute * MINUTE).strftime("%Y-%m-%dT%H:%M")
