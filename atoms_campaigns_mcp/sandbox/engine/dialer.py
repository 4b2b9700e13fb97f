"""The dialer: what becomes of campaigns and calls as virtual time passes.

Whatever waits to happen is an event with a place in one total order (time, kind, campaign, contact,
attempt) that follows from stored rows alone. So a world advanced in one go, in slices, by several
processes or after a crash ends the same.
"""

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush

from atoms_campaigns_mcp.sandbox.engine.ids import call_id
from atoms_campaigns_mcp.sandbox.engine.outcomes import Outcome
from atoms_campaigns_mcp.sandbox.engine.records import Call, Contact, Execution, Run
from atoms_campaigns_mcp.sandbox.engine.roster import Roster
from atoms_campaigns_mcp.sandbox.engine.times import MINUTE, SECOND

PROCESSING_TIME = 1 * SECOND  # S5: short, but observable by polling
PAUSE_TIME = 1 * SECOND
DISPATCH_INTERVAL = SECOND // 2
BATCH = 100  # contacts handed to the dialer at once
RETRY_PAGE = 64
AFTER_ALL_ATTEMPTS = 1 << 30

NO_NUMBERS = "No phone numbers available"
NO_CREDITS = "Insufficient credits"
NO_SLOTS = "No concurrency slots available"
AGENT_ARCHIVED = "Agent is archived"
ON_DNC_LIST = "Number is on the DNC list"
NOT_PLACED = "Call could not be placed"
CANCELLED = "cancelled"

FINAL_STATUS = {
    Outcome.CONNECTED.value: "completed",
    Outcome.NO_ANSWER.value: "no_answer",
    Outcome.VOICEMAIL.value: "no_answer",
    Outcome.BUSY.value: "no_answer",
    Outcome.FAILED.value: "failed",
    CANCELLED: "cancelled",
}


class Kind(IntEnum):
    """What an event is about; at the same millisecond the smaller comes first."""

    CALL = 0
    SCHEDULE = 1
    READY = 2
    PAUSE = 3
    DISPATCH = 4
    RETRY = 5


Event = tuple[int, Kind, int, int, int, Call | Contact | None]


class Dialer:
    """Works off the events of a roster; `Roster.save` then stores what changed.

    Attributes:
        milestone: Whether a campaign changed its status.
    """

    def __init__(self, roster: Roster, *, slots: int, has_credit: Callable[[int], bool]) -> None:
        self._roster = roster
        self._slots = slots
        self._has_credit = has_credit
        self._blocked: dict[int, frozenset[str]] = {}
        self._events: list[Event] = []
        self.milestone = False
        for call in roster.calls:
            self._expect_call(call)
        for run in roster.runs.values():
            scheduled = run.scheduled_at if run.status == "scheduled" else None
            self._expect(scheduled, Kind.SCHEDULE, run)
            self._expect(run.ready_at, Kind.READY, run)
            self._expect(run.pause_at, Kind.PAUSE, run)
            self._expect(run.dispatch_at, Kind.DISPATCH, run)
            if run.dialing:
                self._fetch_retries(run, after=(-1, -1))

    @property
    def next_event_at(self) -> int | None:
        """Time of the earliest event that can happen without a request."""
        while self._events and self._is_on_hold(self._events[0]):
            heappop(self._events)
        return self._events[0][0] if self._events else None

    def work(self, until: int | None, *, enough: Callable[[], bool]) -> int | None:
        """Process events up to and including `until`, or all, until `enough` says stop.

        Returns:
            The time of the last event processed.
        """
        last = None
        while (at := self.next_event_at) is not None and (until is None or at <= until):
            self._process(heappop(self._events))
            last = at
            if enough():
                break
        return last

    def tidy(self, at: int) -> None:
        """Draw the conclusions of a request that changed rows: freed slots, finished campaigns."""
        for organization in list(self._roster.teams):
            self._fill(organization, at)

    def _is_on_hold(self, event: Event) -> bool:
        return event[1] is Kind.RETRY and not self._roster.runs[event[2]].dialing

    def _expect(self, at: int | None, kind: Kind, run: Run) -> None:
        if at is not None:
            heappush(self._events, (at, kind, run.pk, 0, 0, None))

    def _expect_call(self, call: Call) -> None:
        if call.next_at is not None:
            key = (call.next_at, Kind.CALL, call.campaign_pk, call.position, call.attempt, call)
            heappush(self._events, key)

    def _fetch_retries(self, run: Run, *, after: tuple[int, int]) -> None:
        rows = self._roster.due_contacts(run, after, RETRY_PAGE)
        for due_at, attempts, contact in rows:
            self._expect_retry(run, contact, attempt=attempts, due_at=due_at)
        if len(rows) == RETRY_PAGE:
            due_at, _, contact = rows[-1]
            key = (due_at, Kind.RETRY, run.pk, contact.position, AFTER_ALL_ATTEMPTS, None)
            heappush(self._events, key)

    def _expect_retry(self, run: Run, contact: Contact, *, attempt: int, due_at: int) -> None:
        key = (due_at, Kind.RETRY, run.pk, contact.position, attempt, contact)
        heappush(self._events, key)

    def _process(self, event: Event) -> None:
        at, kind, campaign_pk, position, attempt, subject = event
        if isinstance(subject, Call):
            self._advance_call(subject, at)
            return
        run = self._roster.runs[campaign_pk]
        if kind is Kind.SCHEDULE:
            self._process_schedule(run, at)
        elif kind is Kind.READY:
            self._open(run, at)
        elif kind is Kind.PAUSE:
            self._pause(run, at)
        elif kind is Kind.DISPATCH:
            self._dispatch(run, at)
        elif subject is None:
            self._fetch_retries(run, after=(at, position))
            return
        else:
            self._enqueue(run, subject, attempt, at)
        self._fill(run.org_pk, at)

    def _change_status(self, run: Run, status: str, at: int) -> None:
        run.status = status
        run.updated_at = at
        self.milestone = True

    def _process_schedule(self, run: Run, at: int) -> None:
        self._change_status(run, "processing", at)
        run.ready_at = at + PROCESSING_TIME
        self._expect(run.ready_at, Kind.READY, run)
        self._roster.log(run, "started", at)

    def _open(self, run: Run, at: int) -> None:
        """Processing ends: a new execution begins, or the campaign fails."""
        run.ready_at = None
        kind = "resume" if run.executions else "initial"
        if run.contacts is None:
            run.contacts = run.undispatched = run.unsettled = self._roster.freeze_contacts(run)
        run.executions += 1
        run.execution = Execution(
            campaign_pk=run.pk,
            number=run.executions,
            kind=kind,
            status="processing",
            total=run.undispatched,
            processed=0,
            failed=0,
            started_at=at,
            completed_at=None,
        )
        run.set_numbers(self._roster.caller_ids(run))
        if problem := self._obstacle(run):
            self._fail(run, problem, at)
            return
        run.dialing = 1
        self._change_status(run, "running", at)
        self._roster.postpone_retries(run, earliest=at, latest=at + run.retry_delay * MINUTE)
        self._fetch_retries(run, after=(-1, -1))

    def _obstacle(self, run: Run) -> str | None:
        if self._roster.agent_archived(run):
            return AGENT_ARCHIVED
        if not run.numbers:
            return NO_NUMBERS
        return None if self._has_credit(run.org_pk) else NO_CREDITS

    def _fail(self, run: Run, error: str, at: int) -> None:
        self._change_status(run, "failed", at)
        run.error, run.failed_at, run.pause_at = error, at, None
        self._end_execution(run, "failed", at)
        self._roster.log(run, "failed", at)

    def _pause(self, run: Run, at: int) -> None:
        """Queued calls are cancelled and counted; live ones go on (S9)."""
        run.pause_at = run.dispatch_at = None
        run.dialing = 0
        run.paused_at = at
        run.cancelled_calls = (run.cancelled_calls or 0) + len(run.queue)
        while run.queue:
            self._unqueue(run, run.queue.popleft(), at)
        self._end_execution(run, "completed", at)
        self._change_status(run, "paused", at)
        self._roster.log(run, "paused", at)

    def _unqueue(self, run: Run, call: Call, at: int) -> None:
        call.status = CANCELLED
        self._roster.keep_call(call, at)
        if call.attempt:
            self._roster.keep_contact(call, "waiting", attempts=call.attempt, due_at=at)
            return
        self._roster.keep_contact(call, "new", attempts=0)
        run.undispatched += 1
        if run.execution:
            run.execution.processed -= 1

    def _end_execution(self, run: Run, status: str, at: int) -> None:
        if run.execution and run.execution.status == "processing":
            run.execution.status = status
            run.execution.completed_at = at

    def _dispatch(self, run: Run, at: int) -> None:
        """Hand the next batch of contacts to the dialer; listed numbers go no further (S14)."""
        run.dispatch_at = None
        if run.pk not in self._blocked:
            self._blocked[run.pk] = self._roster.do_not_call(run)
        blocked = self._blocked[run.pk]
        batch = self._roster.new_contacts(run, BATCH)
        for contact in batch:
            call = self._enqueue(run, contact, 0, at)
            if contact.phone.lstrip("+") in blocked:
                run.queue.pop()
                call.status, call.failure = "blocked", ON_DNC_LIST
                self._settle(run, call, attempts=0)
            run.cursor = contact.position
        run.undispatched -= len(batch)
        if run.execution:
            run.execution.processed += len(batch)

    def _enqueue(self, run: Run, contact: Contact, attempt: int, at: int) -> Call:
        pk = self._roster.next_call_pk()
        call = Call(
            pk=pk,
            org_pk=run.org_pk,
            call_id=call_id(pk, at),
            campaign_pk=run.pk,
            position=contact.position,
            attempt=attempt,
            member_pk=contact.member_pk,
            agent_pk=run.agent_pk,
            from_number=run.numbers[(contact.position - 1) % len(run.numbers)],
            to_number=contact.phone,
            status="in_queue",
            created_at=at,
            updated_at=at,
        )
        run.queue.append(call)
        self._roster.keep_call(call, at)
        self._roster.keep_contact(call, "busy", attempts=attempt)
        return call

    def _fill(self, organization: int, at: int) -> None:
        """Hand free slots to queued calls, the campaign with the fewest live calls first (S13)."""
        team = [run for run in self._roster.teams[organization] if run.dialing]
        live = self._roster.live
        while live[organization] < self._slots:
            waiting = [run for run in team if run.queue]
            if not waiting:
                break
            run = min(waiting, key=_fewest_live_calls)
            self._dial(run, run.queue.popleft(), at)
        for run in team:
            if self._slots == 0:
                self._refuse_queue(run, at)
            if run.undispatched and not run.queue and run.dispatch_at is None:
                run.dispatch_at = at + DISPATCH_INTERVAL
                self._expect(run.dispatch_at, Kind.DISPATCH, run)
            self._conclude(run, at)

    def _dial(self, run: Run, call: Call, at: int) -> None:
        fate = run.chances.fate(run.ordinal, call.position, call.attempt)
        call.outcome, call.reason, call.script = fate.outcome.value, fate.reason, fate.script
        call.status = "processing"
        call.dialed_at = at
        call.ended_at = at + fate.ring + fate.talk
        call.answered_at = at + fate.ring if fate.talk else None
        call.next_at = call.answered_at or call.ended_at
        run.live += 1
        self._roster.live[run.org_pk] += 1
        self._roster.keep_call(call, at)
        self._expect_call(call)
        if call.attempt:
            run.retry_attempts += 1
            run.updated_at = at

    def _refuse_queue(self, run: Run, at: int) -> None:
        while run.queue:
            call = run.queue.popleft()
            call.status, call.failure, call.reason = "failed", NO_SLOTS, "system_error"
            call.ended_at = at
            self._roster.keep_call(call, at)
            self._count(run, call, was_active=False)
            self._retry_or_settle(run, call, at)

    def _advance_call(self, call: Call, at: int) -> None:
        """A ringing call is answered, or a call ends."""
        run = self._roster.runs.get(call.campaign_pk)
        if call.status == "processing" and call.answered_at == at and call.outcome != CANCELLED:
            call.status = "active"
            call.next_at = call.ended_at
            self._roster.keep_call(call, at)
            self._expect_call(call)
            if run and call.attempt == 0:
                run.called += 1
            return
        was_active = call.status == "active"
        call.next_at = None
        call.status = FINAL_STATUS[call.outcome or CANCELLED]
        if call.status == "failed":
            call.failure = NOT_PLACED
        self._roster.keep_call(call, at)
        self._roster.live[call.org_pk] -= 1
        if run:
            run.live -= 1
            self._count(run, call, was_active=was_active)
            self._retry_or_settle(run, call, at)
        self._fill(call.org_pk, at)

    def _count(self, run: Run, call: Call, *, was_active: bool) -> None:
        """Keep the metrics: a retry's contact was counted when its first call failed."""
        run.connected += call.status == "completed"
        if call.attempt == 0:
            run.called += (call.status != CANCELLED) - was_active

    def _retry_or_settle(self, run: Run, call: Call, at: int) -> None:
        """Failed and unanswered calls enter the retry queue while retries are left (S8, S9)."""
        again = call.status in ("failed", "no_answer") and call.attempt < run.max_retries
        if not again:
            self._settle(run, call, attempts=call.attempt + 1)
            return
        attempt, due_at = call.attempt + 1, at + run.retry_delay * MINUTE
        self._roster.keep_contact(call, "waiting", attempts=attempt, due_at=due_at)
        contact = Contact(call.position, call.member_pk, call.to_number)
        self._expect_retry(run, contact, attempt=attempt, due_at=due_at)

    def _settle(self, run: Run, call: Call, *, attempts: int) -> None:
        self._roster.keep_contact(call, "settled", attempts=attempts)
        run.unsettled -= 1

    def _conclude(self, run: Run, at: int) -> None:
        """End what has nothing left to do (S4, and D7 for the mode "dispatched")."""
        if run.undispatched == 0:
            self._end_execution(run, "completed", at)
        settled = run.unsettled == 0
        over = settled or (run.completion == "dispatched" and run.undispatched == 0)
        if over and run.status == "running":
            run.pause_at = None
            self._change_status(run, "completed", at)
            self._roster.log(run, "completed", at)
        if settled:
            run.dialing = 0


def _fewest_live_calls(run: Run) -> tuple[int, int]:
    return run.live, run.pk
