"""The verdict over a run: what must never happen, counted, with each case in detail.

Pure: it is fed records, so that it can be shown to fail.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.faults.answers import Contradictions
from tests.faults.records import Answer, Change, Evidence

WINDOW = 10.0  # seconds for which the server looks for what it sent and had no answer to

DUPLICATES = "duplicate campaigns"
DOUBLE_STARTS = "double starts"
LOST = "campaigns lost from the journal"
UNRECORDED = "starts and deletions lost from the journal"
FALSE = "answers that claim what did not happen"
HIDDEN = "errors that hide what did happen"
UNHANDLED = "unhandled errors"
NEVER = (DUPLICATES, DOUBLE_STARTS, LOST, UNRECORDED, FALSE, HIDDEN, UNHANDLED)

LATE_DUPLICATES = "duplicates by late work after the window"
LATE_STARTS = "starts by late work after the window"
OVERTAKEN = "answers overtaken by late work"
AUDIENCES = "duplicate audiences"
AGAIN = "starts that the API refused as repeated"
REFUSED = "repeats refused as duplicate"
LATE = (LATE_DUPLICATES, LATE_STARTS, OVERTAKEN)
APART = (*LATE, AUDIENCES, AGAIN, REFUSED)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that must not happen, or that is counted apart."""

    kind: str
    what: str
    details: tuple[str, ...] = ()


@dataclass(slots=True)
class Verdict:
    """The cases of what must not happen and of what late work did, and counts of the rest."""

    cases: list[Case] = field(default_factory=list[Case])
    counts: Counter[str] = field(default_factory=Counter[str])

    def count(self, kind: str) -> int:
        return self.counts[kind] + sum(case.kind == kind for case in self.cases)


def judge(evidence: Evidence) -> Verdict:
    """Judge a run whose late work has settled."""
    return _Judge(evidence).verdict()


class _Judge:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._contradictions = Contradictions(evidence)
        self._counts: Counter[str] = Counter({REFUSED: evidence.refused_repeats})
        self._answers: dict[str, list[Answer]] = {}
        for answer in evidence.answers:
            self._answers.setdefault(answer.subject, []).append(answer)

    def verdict(self) -> Verdict:
        cases = [
            *self._duplicates(),
            *self._double_starts(),
            *self._journal(),
            *self._untrue(),
            *self._unhandled(),
        ]
        starts = [c for c in self._evidence.changes if c.action == "start_campaign"]
        self._counts[AGAIN] = sum(change.status == 400 for change in starts)
        audiences = self._accepted("create_audience").values()
        self._counts[AUDIENCES] = sum(len(made) - 1 for made in audiences)
        return Verdict(cases, self._counts)

    def _accepted(self, action: str) -> dict[str, list[Change]]:
        found: dict[str, list[Change]] = {}
        for change in self._evidence.changes:
            if change.action == action and change.accepted:
                found.setdefault(change.subject, []).append(change)
        return found

    def _duplicates(self) -> Iterator[Case]:
        for name, made in self._accepted("create_campaign").items():
            extra = len(made) - 1
            late = min(extra, sum(map(self._beyond_the_window, made)))
            what = f"{name} was created {len(made)} times"
            for kind in [LATE_DUPLICATES] * late + [DUPLICATES] * (extra - late):
                yield Case(kind, what, self._history(name))

    def _double_starts(self) -> Iterator[Case]:
        pauses = self._accepted("pause_campaign")
        names = {c.made: c.subject for c in self._evidence.changes if c.made}
        for campaign, starts in self._accepted("start_campaign").items():
            # After a pause that came late, the person was asked again within one intention.
            asked_again = sum(pause.lateness > 0 for pause in pauses.get(campaign, []))
            allowed = self._evidence.intents[campaign] + asked_again
            yeses = self._evidence.yeses[names.get(campaign, "")]
            extra = max(len(starts) - min(allowed, yeses), 0)
            late = min(extra, sum(map(self._beyond_the_window, starts)))
            what = f"{campaign} was started {len(starts)} times, wanted {allowed}, yes {yeses}"
            for kind in [LATE_STARTS] * late + [DOUBLE_STARTS] * (extra - late):
                yield Case(kind, what, self._history(campaign))

    def _beyond_the_window(self, change: Change) -> bool:
        """Whether its server could not have seen this late work while it looked for it.

        It could if it was alive: then it is to look for the whole window before it answers.
        """
        if change.broken_at is None or change.done_at is None:
            return False
        if change.lateness > WINDOW:
            return True
        calls = self._answers.get(change.subject, [])
        began = max((a.began for a in calls if a.began <= change.received_at), default=None)
        killed = any(a.outcome == "killed" for a in calls if a.began == began)
        return killed and any(
            change.broken_at <= other.received_at <= change.done_at
            for other in self._evidence.changes
            if other is not change and (other.action, other.subject) == _what(change)
        )

    def _journal(self) -> Iterator[Case]:
        entries = self._evidence.journal
        named = {e.arguments.get("name") for e in entries if e.tool == "create_campaign"}
        for name in self._accepted("create_campaign"):
            if name not in named:
                yield Case(LOST, f"{name} is not in the journal", self._history(name))
        kept = Counter((e.tool, e.arguments.get("campaign_id")) for e in entries)
        for action in ("start_campaign", "delete_campaign"):
            for campaign, done in self._accepted(action).items():
                missing = len(done) - kept[action, campaign]
                what = f"{action} {campaign}: done {len(done)} times, {missing} not in the journal"
                if missing > 0:
                    yield Case(UNRECORDED, what, self._history(campaign))

    def _untrue(self) -> Iterator[Case]:
        for answer in self._evidence.answers:
            for what in self._contradictions.false(answer):
                kind = OVERTAKEN if self._contradictions.overtaken(answer) else FALSE
                yield Case(kind, f"{answer.tool}: {what}", self._details(answer))
            if self._contradictions.hidden(answer):
                what = f"{answer.tool}: {answer.code}, but the API did it"
                yield Case(HIDDEN, what, self._details(answer))

    def _unhandled(self) -> Iterator[Case]:
        for answer in self._evidence.answers:
            if answer.outcome == "broken":
                what = f"{answer.tool}: no result but {answer.text}"
                yield Case(UNHANDLED, what, self._details(answer))
            elif "fault of its own" in answer.text:
                yield Case(UNHANDLED, f"{answer.tool} crashed", self._details(answer))
        for crash in self._evidence.crashes:
            yield Case(UNHANDLED, "a server wrote a traceback or ended by itself", (crash,))

    def _details(self, answer: Answer) -> tuple[str, ...]:
        lines = [show_answer(answer), f"truth at {answer.seen_at:.3f}: {answer.truth}"]
        subject = str(answer.data.get("campaign_id") or answer.subject)
        return (*lines, "history:", *self._history(subject))

    def _history(self, subject: str) -> tuple[str, ...]:
        """Return what was sent and answered about one subject, in order."""
        lines = [
            *((c.received_at, show_change(c)) for c in self._changes_of(subject)),
            *((a.began, show_answer(a)) for a in self._answers.get(subject, [])),
        ]
        return tuple(line for _, line in sorted(lines))

    def _changes_of(self, subject: str) -> Iterable[Change]:
        return (change for change in self._evidence.changes if change.subject == subject)


def _what(change: Change) -> tuple[str, str]:
    return change.action, change.subject


def show_change(change: Change) -> str:
    done = "never reached the API"
    if change.done_at is not None:
        done = f"reached the API at {change.done_at:.3f}: {change.status} {change.made}".rstrip()
    late = f" ({change.lateness:.1f} s late)" if change.lateness else ""
    return f"{change.received_at:9.3f} sent {change.action} [{change.fault}] {done}{late}"


def show_answer(answer: Answer) -> str:
    said = f"{answer.outcome} {answer.code}".rstrip()
    return (
        f"{answer.began:9.3f} lifecycle {answer.lifecycle} called {answer.tool}; "
        f"at {answer.ended:.3f} {said}: {answer.text[:400]}"
    )
