"""Asking whoever is behind a call, without knowing how: MCP clients, terminals and tests differ."""

from dataclasses import dataclass
from typing import Literal, Protocol

Answer = Literal["yes", "unticked", "declined", "cancelled", "invalid"]
TICK = "Yes, do it"
"""The box that a form for a question has; only ticking it is a yes."""


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """A question with which the call ends; the answer to it comes with another call."""

    text: str
    plan_id: str


@dataclass(frozen=True, slots=True)
class Reply:
    """How the question about a plan was answered.

    `seconds` is how long that took; absent if the question was asked in an earlier call.
    """

    plan_id: str
    answer: Answer
    seconds: float | None = None


class Asker(Protocol):
    """The other side of one call."""

    @property
    def can_ask(self) -> bool:
        """Whether it can put a question to its user now."""
        ...

    @property
    def reply(self) -> Reply | None:
        """The answer that this call brings to the question of an earlier one."""
        ...

    async def ask(self, text: str, plan_id: str) -> Reply | PendingQuestion:
        """Ask and wait for the answer; or return the question, for the call to end with."""
        ...


class Nobody:
    """A caller without a user, who is never asked."""

    can_ask = False
    reply = None

    async def ask(self, text: str, plan_id: str) -> Reply:  # noqa: ARG002
        """Count as an answer that is none."""
        return Reply(plan_id, "invalid")
