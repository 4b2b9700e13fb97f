"""Canned conversations and dispositions: what is said depends on the dial's draw alone (S31)."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from atoms_campaigns_mcp.sandbox.api.requests.messages import Document
from atoms_campaigns_mcp.sandbox.engine.times import iso


class Turn(NamedTuple):
    """One thing said; `{name}` stands for the contact."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation and what is concluded from it."""

    turns: tuple[Turn, ...]
    summary: str
    interested: str
    follow_up_needed: str
    right_person: str
    confidence: float
    latency: int  # milliseconds on average until the agent answers


DISPOSITIONS = (
    {"identifier": "interested", "type": "ENUM"},
    {"identifier": "follow_up_needed", "type": "BOOLEAN"},
    {"identifier": "right_person", "type": "BOOLEAN"},
)

SCRIPTS = (
    Script(
        (
            Turn("agent", "Hello {name}, is this a good time to talk?"),
            Turn("user", "Yes, go ahead."),
            Turn("agent", "We would like to invite you to renew. Are you interested?"),
            Turn("user", "I am. Please send me the details."),
            Turn("agent", "I will. Thank you and goodbye."),
        ),
        "The contact is interested and asked for the details.",
        "yes",
        "yes",
        "yes",
        0.94,
        640,
    ),
    Script(
        (
            Turn("agent", "Hello {name}, is this a good time to talk?"),
            Turn("user", "Not really, what is it about?"),
            Turn("agent", "About your renewal. May we call another day?"),
            Turn("user", "Tomorrow afternoon is fine."),
        ),
        "The contact asked to be called back tomorrow afternoon.",
        "maybe",
        "yes",
        "yes",
        0.81,
        710,
    ),
    Script(
        (
            Turn("agent", "Hello {name}, is this a good time to talk?"),
            Turn("user", "No thanks, I am not interested."),
            Turn("agent", "I understand. Have a good day."),
        ),
        "The contact is not interested.",
        "no",
        "no",
        "yes",
        0.97,
        580,
    ),
    Script(
        (
            Turn("agent", "Hello {name}, is this a good time to talk?"),
            Turn("user", "You have the wrong person, sorry."),
            Turn("agent", "My apologies, goodbye."),
        ),
        "The number belongs to somebody else.",
        "no",
        "no",
        "no",
        0.88,
        660,
    ),
)


def transcript(script: int, name: str, *, start: int, end: int, now: int) -> list[Document]:
    """What was said until `now`, spread evenly between `start` and `end` (milliseconds)."""
    turns = SCRIPTS[script].turns
    said: list[Document] = []
    for index, turn in enumerate(turns):
        at = start + (end - start) * index // len(turns)
        if at <= now:
            content = turn.text.replace("{name}", name or "there")
            said.append({"role": turn.role, "content": content, "timestamp": iso(at)})
    return said


@cache
def dispositions(script: int) -> dict[str, str]:
    """Metrics of a completed call by identifier."""
    chosen = SCRIPTS[script]
    return {entry["identifier"]: getattr(chosen, entry["identifier"]) for entry in DISPOSITIONS}


@cache
def analytics(script: int) -> Document:
    """The `postCallAnalytics` of a completed call."""
    chosen = SCRIPTS[script]
    metrics = [
        {"identifier": identifier, "value": value, "confidence": chosen.confidence}
        for identifier, value in dispositions(script).items()
    ]
    return {"summary": chosen.summary, "dispositionMetrics": metrics}


def average_latency(script: int) -> int:
    """Milliseconds until the agent answers."""
    return SCRIPTS[script].latency


@cache
def latency(script: int) -> Document:
    """The `turnLatencyMetrics` of a completed call, in milliseconds."""
    average = average_latency(script)
    return {
        "avgLatency": average,
        "medianLatency": average - 15,
        "minLatency": average - 130,
        "maxLatency": average + 190,
        "turns": len(SCRIPTS[script].turns),
    }
