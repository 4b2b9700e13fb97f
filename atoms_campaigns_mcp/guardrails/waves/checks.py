"""The checks of waves beyond those of a start: hours, what runs at once, and who is left out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails import checks
from atoms_campaigns_mcp.guardrails.estimate import ASSUMED_SLOTS
from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.findings import Finding, in_order
from atoms_campaigns_mcp.guardrails.policy import CHANGED_BY, Hours, Policy
from atoms_campaigns_mcp.guardrails.windows import unusual
from atoms_campaigns_mcp.schemas.text import counted

# What is not here is judged for each wave by what it is sized and timed by.
_AS_FOR_A_START = (
    checks.audience,
    checks.agent,
    checks.caller_ids,
    checks.do_not_call,
    checks.credit,
)
REASONS = {
    "unknown_zone": "no time zone is known",
    "no_common_hour": "it is never day in all zones where they may be",
    "too_short": "the hours that their zones share are too short for a call and its retries",
    "invalid_number": "the number cannot be read",
    "duplicate": "the number is there twice",
    "too_late": "the time of their wave has passed",
}


class Timed(NamedTuple):
    """What checks need of a wave: its zones and times (UTC)."""

    zones: Sequence[str]
    start: datetime
    latest_end: datetime


def judge(
    facts: Facts, policy: Policy, hours: Hours, waves: Sequence[Timed], left: Mapping[str, int]
) -> tuple[Finding, ...]:
    """Return every finding about waves that call within `hours`, those that block first."""
    found = [finding for check in _AS_FOR_A_START for finding in check(facts, policy)]
    found += _hours(hours, policy)
    found += _running(facts, policy, waves)
    found += _slots(facts)
    found += _clocks(hours, waves)
    for reason, count in left.items():
        found.append(
            Finding(
                "warn",
                reason,
                f"{counted(count, 'contact')} in no wave and not called: {REASONS[reason]}",
                "A column timezone with names such as Asia/Kolkata gives contacts their zone.",
            )
        )
    return in_order(found)


def at_once(waves: Sequence[Timed]) -> int:
    """Count the waves that may run at the same time."""
    return max((sum(w.start <= at.start < w.latest_end for w in waves) for at in waves), default=0)


def _hours(hours: Hours, policy: Policy) -> Iterator[Finding]:
    if policy.hours.start <= hours.start and hours.end <= policy.hours.end:
        return
    reason = f"the waves call at {hours} local time, which is not within {policy.hours}"
    if policy.hours_enforced:
        advice = CHANGED_BY.format("ATOMS_MCP_CALLING_HOURS")
        yield Finding("block", "calling_hours", reason, advice)
    else:
        yield Finding("warn", "calling_hours", reason, "Give other local_start and local_end.")


def _running(facts: Facts, policy: Policy, waves: Sequence[Timed]) -> Iterator[Finding]:
    most, running, more = policy.max_running, facts.running, at_once(waves)
    if most is not None and (running is None or running + more > most):
        yield Finding(
            "block",
            "max_running",
            f"{'unknown' if running is None else running} campaigns run or are scheduled, up to "
            f"{more} waves would run at the same time, and {most} may",
            CHANGED_BY.format("ATOMS_MCP_MAX_RUNNING"),
        )
    elif running:
        yield Finding(
            "warn",
            "other_campaigns",
            f"{counted(running, 'other campaign')} running or scheduled: a wave that has to share "
            "calls at once with them may end later than it says",
            "Schedule them at other times.",
        )


def _slots(facts: Facts) -> Iterator[Finding]:
    if facts.slots is None:
        yield Finding(
            "unknown",
            "slots",
            f"the call limit could not be read; waves are sized for {ASSUMED_SLOTS} calls at once",
            "Try again with get_account.",
        )
    elif facts.slots.reserved:
        yield Finding(
            "warn",
            "slots",
            f"{facts.slots.reserved} of {facts.slots.limit} calls at once are reserved for other "
            f"agents; waves are sized for {facts.slots.usable}",
            "Reservations are changed in the Atoms dashboard.",
        )


def _clocks(hours: Hours, waves: Sequence[Timed]) -> Iterator[Finding]:
    changes = {
        (zone, day)
        for wave in waves
        for zone in wave.zones
        for day in [wave.start.astimezone(ZoneInfo(zone)).date()]
        if any(unusual(zone, day, minute) for minute in (hours.start, hours.end))
    }
    for zone, day in sorted(changes):
        yield Finding(
            "warn",
            "clock_change",
            f"in {zone} the clock changes on {day}: of a time that is skipped or comes twice, "
            "waves begin at the later and end by the earlier",
            "Give local_start and local_end outside the change.",
        )
