"""What the API's documentation leaves unknown, and the answers that a run saw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tests.probe.tape import Exchange


class Question(StrEnum):
    """The questions, by the names that the report and docs/contract.md use."""

    PAUSE_SCHEDULED = "pause_scheduled"
    START_WHILE_RUNNING = "start_while_running"
    COMPLETED_EARLY = "completed_early"
    PAUSE_COMPLETED = "pause_completed"
    REDIALS = "redials"
    DO_NOT_CALL = "do_not_call"
    CANCEL_CALL = "cancel_call"
    PAUSE_QUEUED = "pause_queued"
    RESUME_CANCELLED = "resume_cancelled"
    RESUME_PAUSED = "resume_paused"
    START_COMPLETED = "start_completed"
    DELETE_AUDIENCE_IN_USE = "delete_audience_in_use"


ASKED: Final = {
    Question.PAUSE_SCHEDULED: "Can a campaign be paused that is scheduled and not begun?",
    Question.START_WHILE_RUNNING: "What does a start answer while the campaign runs?",
    Question.COMPLETED_EARLY: "Is a campaign called completed before its last call is over?",
    Question.PAUSE_COMPLETED: "Can a completed campaign be paused?",
    Question.REDIALS: "Which calls are tried again, and when?",
    Question.DO_NOT_CALL: "Is a number on the do-not-call list dialled?",
    Question.CANCEL_CALL: "Can a call be cancelled before it is answered?",
    Question.PAUSE_QUEUED: "Does a pause cancel queued calls, and let live ones go on?",
    Question.RESUME_CANCELLED: "Is a phone dialled after a resumption whose call was cancelled?",
    Question.RESUME_PAUSED: "Is a phone dialled after a resumption whose call the pause cancelled?",
    Question.START_COMPLETED: "Does a start of a completed campaign dial again?",
    Question.DELETE_AUDIENCE_IN_USE: "Can an audience be deleted that a campaign refers to?",
}

NOT_SEEN: Final = "not_seen"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen: a word, figures, and the requests that showed it."""

    word: str
    seen: dict[str, Any] = field(default_factory=dict[str, Any])
    requests: Sequence[Exchange] = ()

    def document(self, question: Question) -> dict[str, Any]:
        """Return it for the report."""
        return {
            "question": question.value,
            "asked": ASKED[question],
            "answer": self.word,
            "seen": self.seen,
            "requests": [one.document() for one in self.requests],
        }
