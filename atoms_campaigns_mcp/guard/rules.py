"""The guard's rules: from the facts about one campaign to why it must be stopped. No I/O."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.guardrails.estimate import LONGEST
from atoms_campaigns_mcp.guardrails.hours import closing
from atoms_campaigns_mcp.guardrails.policy import Hours
from atoms_campaigns_mcp.schemas.campaigns import percent
from atoms_campaigns_mcp.schemas.text import counted

Rule = Literal[
    "calling_hours", "until", "spend", "answered", "failed", "short_talks", "opt_outs", "unread"
]
# Before a window closes: a poll, a lost answer that is looked for, a guard that is started again
# and waits for the lease of the one before it, and the time that the API takes to pause.
LEAD = timedelta(minutes=3)
BLIND = timedelta(minutes=1)  # without facts, after which what dials is paused
SHORT = 10.0  # seconds of a talk that was hardly one


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator set; None is off. Shares are percentages, `spend` is in US dollars.

    Shares count once there are `after` calls to take them of. `opt_outs` are dispositions by which
    somebody asked not to be called again, as name=value; a name alone stands for yes or true.
    """

    hours: Hours | None = None
    until: datetime | None = None
    spend: float | None = None
    after: int = 50
    min_answered: float | None = None
    max_failed: float | None = None
    max_short: float | None = None
    max_opt_outs: float | None = None
    opt_outs: tuple[str, ...] = ()
    lead: timedelta = LEAD

    @classmethod
    def of(cls, settings: Settings, *, lead: timedelta = LEAD) -> Self:
        """Take the rules out of the settings."""
        return cls(
            hours=Hours(*settings.calling_hours) if settings.calling_hours else None,
            until=settings.guard_until,
            spend=settings.guard_spend,
            after=settings.guard_after,
            min_answered=settings.guard_min_answered,
            max_failed=settings.guard_max_failed,
            max_short=settings.guard_max_short,
            max_opt_outs=settings.guard_max_opt_outs,
            opt_outs=settings.guard_opt_outs,
            lead=lead,
        )

    @property
    def keeps_hours(self) -> bool:
        """Whether there are moments at which nobody may be called."""
        return self.hours is not None and not self.hours.all_day

    @property
    def reads_calls(self) -> bool:
        """Whether a rule needs every call of a campaign."""
        shares = self.min_answered, self.max_failed, self.max_short, self.max_opt_outs
        return any(limit is not None for limit in (self.spend, *shares))

    def told(self) -> tuple[str, ...]:
        """Say each rule that is on, in a few words."""
        since = f" of {self.after} calls or more"
        found = (
            ("calling hours {}", self.hours),
            ("until {:%Y-%m-%d %H:%M %Z}", self.until),
            ("at most {:g} USD a campaign", self.spend),
            ("at least {:g}% answered" + since, self.min_answered),
            ("at most {:g}% failed" + since, self.max_failed),
            (f"at most {{:g}}% of talks under {SHORT:g} s" + since, self.max_short),
            ("at most {:g}% opt-outs" + since, self.max_opt_outs),
        )
        return tuple(text.format(value) for text, value in found if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Calls of one campaign, counted.

    `cost` is that of all that are over, `unpriced` of them talked and have no cost, `live` are
    under way, and `highest` is what one has cost at most. The others count calls since the campaign
    was last started or resumed: those that are over and rang or could not be placed (`settled`),
    and of these the `answered` and `failed` ones, `short` talks and `opt_outs`.
    """

    settled: int = 0
    answered: int = 0
    failed: int = 0
    short: int = 0
    opt_outs: int = 0
    cost: float = 0.0
    unpriced: int = 0
    live: int = 0
    highest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read about one campaign that dials, or whose last calls are not over, at `now`.

    `zones` are the time zones of whoever may still be called; None if they could not be read.
    `unplaced` contacts are in no known zone. A contact is called up to `max_retries` times more,
    `retry_delay` minutes apart. `tally` is None if the calls were not, or could not be, read.
    `unread_since` says since when something that a rule needs could not be read.
    """

    now: datetime
    zones: frozenset[str] | None = frozenset()
    unplaced: int = 0
    max_retries: int = 0
    retry_delay: int = 0
    tally: Tally | None = None
    unread_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """A rule that a campaign has run into, and the figures that say so."""

    rule: Rule
    figures: str

    @property
    def passes(self) -> bool:
        """Whether time alone ends it, so that a guard may resume what it paused for it."""
        return self.rule == "calling_hours"


def trips(facts: Facts, rules: Rules) -> tuple[Trip, ...]:
    """Return every rule that the campaign has run into; those that need a person come first."""
    found = [trip for check in _CHECKS for trip in check(facts, rules)]
    return tuple(sorted(found, key=lambda trip: trip.passes))


def tail(facts: Facts, attempt: int = 0) -> timedelta:
    """Return how long after a call of that `attempt` begins the last retry of it may begin.

    Once the API calls a campaign completed it cannot be paused, and dials retries all the same.
    """
    left = max(facts.max_retries - attempt, 0)
    return left * timedelta(minutes=facts.retry_delay, seconds=LONGEST)


def too_late(
    facts: Facts, rules: Rules, attempt: int = 0, *, working: timedelta = timedelta()
) -> bool:
    """Return whether a call that begins now may be tried again after the window has closed.

    `working` is how long it takes to keep the others from beginning.
    """
    if not rules.keeps_hours or rules.hours is None:
        return False
    if facts.zones is None or facts.unplaced:
        return True
    closes = closing(facts.zones, facts.now, rules.hours)
    return closes is not None and facts.now + rules.lead + working + tail(facts, attempt) >= closes


def _calling_hours(facts: Facts, rules: Rules) -> Iterator[Trip]:
    if not rules.keeps_hours or rules.hours is None or facts.zones is None:
        return
    if facts.unplaced:
        people = counted(facts.unplaced, "contact")
        yield Trip("calling_hours", f"{people} in an unknown time zone; hours {rules.hours}")
    elif too_late(facts, rules):
        closes = closing(facts.zones, facts.now, rules.hours)
        figures = f"hours {rules.hours} end at {_clock(closes)}{_retries(facts)}"
        yield Trip("calling_hours", figures)


def _until(facts: Facts, rules: Rules) -> Iterator[Trip]:
    if rules.until is not None and facts.now + rules.lead + tail(facts) >= rules.until:
        figures = f"nothing is dialled after {_clock(rules.until)}{_retries(facts)}"
        yield Trip("until", figures)


def _retries(facts: Facts) -> str:
    minutes = tail(facts) // timedelta(minutes=1)
    return f", and retries may take {minutes} min" if minutes else ""


def _spend(facts: Facts, rules: Rules) -> Iterator[Trip]:
    tally = facts.tally
    if rules.spend is None or tally is None:
        return
    if tally.unpriced and not tally.highest:
        yield Trip("spend", f"the API tells no cost of {counted(tally.unpriced, 'answered call')}")
        return
    # A call under way, or one whose cost is not told, may cost as much as the dearest one did.
    spent = tally.cost + (tally.live + tally.unpriced) * tally.highest
    if spent >= rules.spend:
        yield Trip(
            "spend",
            f"{tally.cost:.2f} USD spent, up to {spent:.2f} with {tally.live} calls under way; "
            f"at most {rules.spend:g}",
        )


def _shares(facts: Facts, rules: Rules) -> Iterator[Trip]:
    tally = facts.tally
    if tally is None:
        return
    if rules.min_answered is not None and tally.settled >= rules.after:
        share = percent(tally.answered, tally.settled)
        # The rounded share is for reading; what is compared is exact.
        if 100 * tally.answered < rules.min_answered * tally.settled:
            yield Trip(
                "answered",
                f"{tally.answered} of {tally.settled} calls answered ({share}%), "
                f"at least {rules.min_answered:g}%",
            )
    upper: tuple[tuple[Rule, str, int, int, float | None], ...] = (
        ("failed", "calls failed", tally.failed, tally.settled, rules.max_failed),
        ("short_talks", f"talks under {SHORT:g} s", tally.short, tally.answered, rules.max_short),
        ("opt_outs", "talks with an opt-out", tally.opt_outs, tally.answered, rules.max_opt_outs),
    )
    for rule, what, part, whole, limit in upper:
        if limit is not None and whole >= rules.after and 100 * part > limit * whole:
            share = percent(part, whole)
            yield Trip(rule, f"{part} of {whole} {what} ({share}%), at most {limit:g}%")


def _unread(facts: Facts, rules: Rules) -> Iterator[Trip]:  # noqa: ARG001 - a check among others
    since = facts.unread_since
    if since is not None and facts.now - since >= BLIND:
        seconds = round((facts.now - since).total_seconds())
        yield Trip("unread", f"what its rules need could not be read for {seconds} s")


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M %Z}" if moment else "an unknown time"


_CHECKS: tuple[Callable[[Facts, Rules], Iterator[Trip]], ...] = (
    _calling_hours,
    _until,
    _spend,
    _shares,
    _unread,
)
