"""What happens to one dial: a pure function of (seed, campaign, contact, attempt)."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

from atoms_campaigns_mcp.sandbox.engine.options import Odds
from atoms_campaigns_mcp.sandbox.engine.times import SECOND

SPAN = float(1 << 32)
SALT = 95  # makes the first campaign of every organization replay the seed's sample (S32)


class Outcome(StrEnum):
    """How a dial ends, in the words of the campaign dialer rather than of the wire."""

    CONNECTED = "connected"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    FAILED = "failed"


class Fate(NamedTuple):
    """What will happen to a dial.

    Attributes:
        outcome: How it ends.
        ring: Milliseconds until it is answered or given up.
        talk: Milliseconds of conversation; 0 unless connected.
        reason: `disconnectionReason` on the wire.
        script: Number of the canned conversation, 0 to 3.
    """

    outcome: Outcome
    ring: int
    talk: int
    reason: str
    script: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Shortest and longest time in milliseconds, both included."""

    low: int
    high: int

    def pick(self, draw: float) -> int:
        return self.low + int(draw * (self.high - self.low + 1))


RING = {
    Outcome.CONNECTED: _Span(4 * SECOND, 20 * SECOND),
    Outcome.NO_ANSWER: _Span(25 * SECOND, 40 * SECOND),
    Outcome.VOICEMAIL: _Span(18 * SECOND, 30 * SECOND),
    Outcome.BUSY: _Span(2 * SECOND, 5 * SECOND),
    Outcome.FAILED: _Span(1 * SECOND, 4 * SECOND),
}
TALK = _Span(12 * SECOND, 95 * SECOND)
REASONS = {
    Outcome.NO_ANSWER: ("dial_no_answer",),
    Outcome.VOICEMAIL: ("voicemail",),
    Outcome.BUSY: ("dial_busy",),
    Outcome.CONNECTED: ("user_hangup", "agent_hangup", "agent_hangup", "user_hangup"),
    Outcome.FAILED: ("connection_error", "system_error", "connection_error", "timeout"),
}
SCRIPTS = 4


class Chances:
    """Outcomes under one seed and set of odds."""

    def __init__(self, seed: int, odds: Odds) -> None:
        self._seed = seed
        weights = [getattr(odds, outcome.value) for outcome in Outcome]
        total = sum(weights)
        self._limits = list(
            zip(accumulate(weight / total for weight in weights), Outcome, strict=True)
        )
        self._last = next(o for o, w in zip(reversed(Outcome), reversed(weights), strict=True) if w)

    def fate(self, campaign: int, contact: int, attempt: int) -> Fate:
        """What happens to a dial.

        Args:
            campaign: Ordinal of the campaign in its organization.
            contact: Position of the contact in the campaign, from 1.
            attempt: 0 for the first dial, 1 for the first retry.
        """
        text = f"{self._seed}:{campaign}:{contact}:{attempt}"
        digest = blake2b(text.encode(), digest_size=16, salt=bytes([SALT])).digest()
        draws = [int.from_bytes(digest[i : i + 4]) / SPAN for i in range(0, 16, 4)]
        outcome = next((o for limit, o in self._limits if draws[0] < limit), self._last)
        script = int(draws[3] * SCRIPTS)
        return Fate(
            outcome=outcome,
            ring=RING[outcome].pick(draws[1]),
            talk=TALK.pick(draws[2]) if outcome is Outcome.CONNECTED else 0,
            reason=REASONS[outcome][script % len(REASONS[outcome])],
            script=script,
        )
