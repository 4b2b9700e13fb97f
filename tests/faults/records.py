"""What the proxy, the agents and the person leave behind for the judge; one clock for all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["success", "error", "killed", "broken"]
SEEDED = "Soak"  # begins the name of every campaign here; the rest is the lifecycle's number


@dataclass(slots=True)
class Change:
    """A request that changes something, as the proxy saw it.

    `subject` is the name of what is created, and the id of what is changed. `done_at` is empty if
    it never reached the API; `broken_at` is when its sender was cut off before that.
    """

    action: str
    subject: str
    received_at: float
    fault: str = ""
    broken_at: float | None = None
    done_at: float | None = None
    status: int = 0
    made: str = ""

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def lateness(self) -> float:
        """Seconds from the cut to the work; 0 if the sender was still there."""
        if self.broken_at is None or self.done_at is None:
            return 0.0
        return self.done_at - self.broken_at


@dataclass(frozen=True, slots=True)
class Truth:
    """What the sandbox itself said right after an answer."""

    exists: bool
    name: str = ""
    status: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One tool call, what was answered, and the truth read right after it.

    `subject` is as in `Change`; `looked_at` is when the server last looked at it upstream;
    `step_began` is when the agent began to want this; `expected` is how many members it wants.
    """

    lifecycle: int
    tool: str
    subject: str
    began: float
    ended: float
    outcome: Outcome
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    truth: Truth | None = None
    seen_at: float = 0.0
    looked_at: float = 0.0
    step_began: float = 0.0
    expected: int = 0

    @property
    def code(self) -> str:
        return str(self.data.get("code", "")) if self.outcome == "error" else ""

    @property
    def status(self) -> str:
        return str(self.data.get("status", "")) if self.outcome == "success" else ""


@dataclass(frozen=True, slots=True)
class Journaled:
    """A journal entry: the tool and its arguments."""

    tool: str
    arguments: dict[str, Any]


@dataclass(slots=True)
class Evidence:
    """All of it.

    `intents` counts by campaign id how often an agent meant to start or resume; `yeses` counts by
    campaign name how often the person agreed to anything about it.
    """

    changes: list[Change] = field(default_factory=list[Change])
    answers: list[Answer] = field(default_factory=list[Answer])
    journal: list[Journaled] = field(default_factory=list[Journaled])
    intents: Counter[str] = field(default_factory=Counter[str])
    yeses: Counter[str] = field(default_factory=Counter[str])
    crashes: list[str] = field(default_factory=list[str])
    completed: int = 0
    gave_up: list[str] = field(default_factory=list[str])
    refused_repeats: int = 0
    kills: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
