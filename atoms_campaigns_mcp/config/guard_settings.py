"""The settings of the guard, which watches over what dials; each rule is off until it is set."""

from dataclasses import dataclass
from datetime import datetime

from atoms_campaigns_mcp.config import parsing as read
from atoms_campaigns_mcp.config.narrowing import ALL_OF, EARLIER, HIGHER, LOWER
from atoms_campaigns_mcp.config.sources import setting


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What the guard pauses for, besides the calling hours, and whom it tells."""

    guard_until: datetime | None = setting(
        "guard: nothing is dialled after this moment, such as 2027-01-04T20:00-05:00",
        read.moment,
        narrow=EARLIER,
    )
    guard_spend: float | None = setting(
        "guard: most US dollars that the calls of one campaign may cost",
        read.amount,
        narrow=LOWER,
    )
    guard_after: int = setting(
        "guard: number of calls from which on percentages count",
        read.count,
        "50",
        narrow=LOWER,
    )
    guard_min_answered: float | None = setting(
        "guard: lowest percentage of calls that are answered",
        read.share,
        narrow=HIGHER,
    )
    guard_max_failed: float | None = setting(
        "guard: highest percentage of calls that fail",
        read.share,
        narrow=LOWER,
    )
    guard_max_short: float | None = setting(
        "guard: highest percentage of talks under 10 seconds",
        read.share,
        narrow=LOWER,
    )
    guard_max_opt_outs: float | None = setting(
        "guard: highest percentage of talks after which somebody wants no further call",
        read.share,
        narrow=LOWER,
    )
    guard_opt_outs: tuple[str, ...] = setting(
        "guard: dispositions of an opt-out: name=value or name (yes or true), separated by commas",
        read.names,
        "opt_out,do_not_call",
        narrow=ALL_OF,
        separator=",",
    )
    guard_webhook: str = setting(
        "guard: address that is told of what it paused, resumed, or could not pause",
        read.exact_url,
    )
    guard_webhook_secret: tuple[bytes, ...] = setting(
        "guard: secret of 32 bytes or more that signs what the address is told; several, separated "
        "by commas: all sign",
        read.secrets,
        secret=True,
    )
