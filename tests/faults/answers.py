"""Whether one answer agrees with what the API did and with what the sandbox says."""

import re
from collections.abc import Iterator

from tests.faults.records import Answer, Change, Evidence, Truth

# What a campaign may have become by itself between the server's look and ours.
ALONE = {
    "processing": {"processing", "running", "completed", "failed"},
    "running": {"running", "completed", "failed"},
}
NOTHING = re.compile(
    r"\bnothing (?:was|has been|is) "
    r"(?:sent|done|created|changed|started|paused|deleted|added|dialled|scheduled)\b"
    r"(?! (?:again|anew|twice|a second|now)\b)",  # of an earlier call's work, that is honest
    re.IGNORECASE,
)
BY_ID = {"start_campaign", "pause_campaign", "delete_campaign", "delete_audience"}


class Contradictions:
    """Judges answers against `evidence`."""

    def __init__(self, evidence: Evidence) -> None:
        self._changes: dict[tuple[str, str], list[Change]] = {}
        self._of: dict[str, list[Change]] = {}
        for change in evidence.changes:
            self._changes.setdefault((change.action, change.subject), []).append(change)
            self._of.setdefault(change.subject, []).append(change)

    def sent_by(self, answer: Answer) -> list[Change]:
        """Return the changes that this call sent: its lifecycle has no other call at the time."""
        changes = self._changes.get((answer.tool, answer.subject), [])
        return [c for c in changes if answer.began <= c.received_at <= answer.ended]

    def hidden(self, answer: Answer) -> list[Change]:
        """Return the accepted changes that an error other than "unknown" passes over."""
        if answer.outcome != "error" or answer.code in {"", "outcome_unknown"}:
            return []
        return [change for change in self.sent_by(answer) if change.accepted]

    def false(self, answer: Answer) -> list[str]:
        """Return what the answer says and is not so, in words."""
        if answer.outcome in {"killed", "broken"}:
            return []
        wrong = list(self._of_nothing(answer))
        if answer.truth is None:
            return wrong
        if answer.outcome == "error":
            missing = answer.code == "not_found" and answer.tool != "create_campaign"
            if missing and answer.truth.exists and _names(answer):
                wrong.append("it says that there is none, and there is one")
            return wrong
        return [*wrong, *self._of_success(answer, answer.truth)]

    def overtaken(self, answer: Answer) -> bool:
        """Return whether late work changed the subject after the server's last look at it."""
        subject = str(answer.data.get("campaign_id") or answer.subject)
        return any(
            change.accepted
            and change.lateness > 0
            and answer.looked_at < (change.done_at or 0) <= answer.seen_at
            for change in self._of.get(subject, [])
        )

    def _of_nothing(self, answer: Answer) -> Iterator[str]:
        said = NOTHING.search(answer.text)
        if said and any(change.accepted for change in self.sent_by(answer)):
            yield f'it says "{said[0]}", and the API did it for this call'

    def _of_success(self, answer: Answer, truth: Truth) -> Iterator[str]:
        if answer.tool in {"delete_campaign", "delete_audience"}:
            if truth.exists:
                yield "it says deleted, and it is still there"
            return
        if not truth.exists:
            yield "it speaks of something that is not there"
            return
        if answer.tool == "create_campaign" and truth.name != answer.subject:
            yield "it gives a campaign of another name"
        if answer.expected and truth.members != answer.expected:
            yield f"{answer.expected} members were wanted, {truth.members} are there"
        if answer.status and truth.status not in self._possible(answer):
            yield f"it says {answer.status}, and it is {truth.status}"
        if answer.data.get("finished") and truth.status not in {"completed", "failed"}:
            yield f"it says finished, and it is {truth.status}"
        if answer.data.get("changed") and not self._was_done(answer):
            yield "it says that it changed it, and the API never did this since it was wanted"

    def _possible(self, answer: Answer) -> set[str]:
        possible = ALONE.get(answer.status, {answer.status})
        if answer.status in ALONE and self._pausing(answer):
            return possible | {"paused"}
        return possible

    def _pausing(self, answer: Answer) -> bool:
        """A pause takes effect a moment after it was accepted."""
        subject = str(answer.data.get("campaign_id") or answer.subject)
        done = [c for c in self._of.get(subject, []) if c.accepted and c.done_at is not None]
        past = [c for c in done if (c.done_at or 0) <= answer.seen_at]
        last = max(past, key=lambda change: change.done_at or 0, default=None)
        return last is not None and last.action == "pause_campaign"

    def _was_done(self, answer: Answer) -> bool:
        """Whether it was done since it was wanted; a pause may find the campaign over instead."""
        if answer.tool not in BY_ID or answer.status in {"completed", "failed"}:
            return True
        return any(
            change.accepted and answer.step_began <= (change.done_at or 0) <= answer.seen_at
            for change in self._changes.get((answer.tool, answer.subject), [])
        )


def _names(answer: Answer) -> bool:
    """Whether the call is about the subject itself, by its id."""
    return bool(answer.subject) and answer.tool != "create_audience"
