"""What a guard and the tools tell each other through the state.

A guard says that it is there, by which rules, and what it has stopped lately; a person who stops
something says so too, since no guard may resume that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from pydantic import TypeAdapter, ValidationError

LEASE = 45.0  # seconds that a guard counts as there after it was heard last
STOPPED = "stopped "  # before the id of a campaign that a person stopped
EVERYTHING = "*"  # in place of an id: all that there is
WATCH = "watch"  # the subject under which a guard says that it is there
LONGEST = 7 * 24 * 3600.0  # seconds after which a guard does not resume its own pause any more
TOLD = 20  # stops that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A campaign that was stopped for a rule, and whether the API has confirmed it.

    `at` is in seconds since 1970; `outcome` is confirmed, unconfirmed or resumed.
    """

    at: float
    campaign_id: str
    name: str
    rule: str
    figures: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A guard that is there until `until` (seconds since 1970), its rules and its last stops."""

    owner: str
    until: float
    resumes: bool
    rules: tuple[str, ...]
    stops: tuple[Stop, ...] = ()

    def dump(self) -> str:
        """Write it for the state."""
        return _FORM.dump_json(self).decode()

    def after(self, stop: Stop) -> Self:
        """Return it with one more stop; the same stop is told once, as it is now."""
        same = stop.campaign_id, stop.rule
        others = [s for s in self.stops if (s.campaign_id, s.rule) != same or s.at != stop.at]
        return replace(self, stops=tuple([*others, stop][-TOLD:]))

    @classmethod
    def read(cls, kept: Mapping[str, str], now: float) -> "Watch | None":
        """Return the guard that is there now; None if there is none, or it cannot be read.

        One whose end lies further ahead than a guard ever says is of a clock that was wrong.
        """
        watch = cls.last(kept)
        return watch if watch and now < watch.until <= now + 2 * LEASE else None

    @classmethod
    def last(cls, kept: Mapping[str, str]) -> "Watch | None":
        """Return what the last guard said, whether it is still there or not."""
        try:
            return _FORM.validate_json(kept.get(WATCH, ""))
        except ValidationError:  # absent, or from another version
            return None


_FORM = TypeAdapter(Watch)


def told(watch: Watch | None) -> str:
    """Say by which rules a guard watches, or that none does."""
    if watch is None:
        return "no: nothing is enforced once a campaign dials"
    resumes = "; resumes what it paused for the hours" if watch.resumes else ""
    return f"yes: {', '.join(watch.rules)}{resumes}"


def stopped_at(kept: Mapping[str, str], campaign_id: str) -> float:
    """Return when a person last stopped the campaign, or everything; 0 if nobody did."""
    texts = [kept.get(STOPPED + subject, "") for subject in (campaign_id, EVERYTHING)]
    return max(_moment(text) for text in texts)


def old_stops(kept: Mapping[str, str], now: float) -> list[str]:
    """Return the subjects of stops that no guard needs to know any more."""
    return [
        subject
        for subject, text in kept.items()
        if subject.startswith(STOPPED) and _moment(text) < now - LONGEST
    ]


def _moment(text: str) -> float:
    try:
        return float(text) if text else 0.0
    except ValueError:
        return float("inf")  # unreadable: nobody knows that it was not just now
