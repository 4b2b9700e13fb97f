"""Everything about the sandbox that can be chosen."""

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Literal

from atoms_campaigns_mcp.sandbox.engine.faults import Fault

Speed = float | Literal["max"]
Completion = Literal["settled", "dispatched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """How often a dial ends in each outcome, as weights of any sum (ours; not measured).

    Attributes:
        connected: A person answers and talks; the call ends as `completed`.
        no_answer: It rings out.
        voicemail: A machine answers; counted as not answered.
        busy: The line is engaged; counted as not answered.
        failed: The call cannot be placed.
    """

    connected: float = 0.45
    no_answer: float = 0.25
    voicemail: float = 0.15
    busy: float = 0.08
    failed: float = 0.07

    def __post_init__(self) -> None:
        weights = asdict(self).values()
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
            raise ValueError("odds must be finite numbers of at least 0")
        if sum(weights) <= 0:
            raise ValueError("at least one of the odds must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one sandbox. Numbers in brackets name the decision in `docs/sandbox.md`.

    Attributes:
        speed: Virtual seconds per second of the clock passed in, above 0; "max" makes each
            request advance the world by about 20 ms of work instead.
        seed: Outcomes derive from it; any integer.
        odds: How often each outcome occurs.
        completion: "settled" completes a campaign when every contact is settled, "dispatched"
            as soon as every contact was handed to the dialer, as recorded runs do (D7, S4).
        idempotent_start: Starting a processing or running campaign answers 202, not 400 (S1).
        stop_route: `POST /campaign/{id}/stop` pauses instead of being unknown (D2).
        org_limit: Calls an organization may have in progress at once, at least 0 (S13).
        foreign_calls: Calls of other traffic that hold slots all the time (S13).
        rate_limit: Requests a second and organization before a 429; None for no limit (S21).
        allowed_keys: Keys that are let in; None lets in any that starts with `sk_` (S34).
        credits: US dollars on the account before the first call.
        enforce_credits: Campaigns fail at start when no credit is left (S29).
        faults: What goes wrong on purpose, first match wins (S21).
    """

    speed: Speed = 60.0
    seed: int = 1
    odds: Odds = field(default_factory=Odds)
    completion: Completion = "settled"
    idempotent_start: bool = False
    stop_route: bool = False
    org_limit: int = 20
    foreign_calls: int = 0
    rate_limit: float | None = None
    allowed_keys: frozenset[str] | None = None
    credits: float = 100.0
    enforce_credits: bool = False
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if self.speed != "max" and not (math.isfinite(self.speed) and self.speed > 0):
            raise ValueError('speed must be a finite number above 0, or "max"')
        if self.org_limit < 0 or self.foreign_calls < 0:
            raise ValueError("org_limit and foreign_calls must be at least 0")
        if self.rate_limit is not None and not self.rate_limit > 0:
            raise ValueError("rate_limit must be above 0 requests a second, or None")

    def rules(self) -> str:
        """What a campaign keeps of the options it was created under, as JSON."""
        rules = {"seed": self.seed, "odds": asdict(self.odds), "completion": self.completion}
        return json.dumps(rules)

    @property
    def slots(self) -> int:
        """Calls the dialer may have in progress at once in an organization."""
        return max(0, self.org_limit - self.foreign_calls)
