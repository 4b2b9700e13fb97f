"""The judge of the fault test can fail: it sees each thing that must not happen."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults import judge as kinds
from tests.faults.judge import judge
from tests.faults.records import Answer, Change, Evidence, Journaled, Truth

NAME, CAMPAIGN, OTHER, AUDIENCE = "Soak 0001", "a" * 24, "b" * 24, "c" * 24
CREATED = Change("create_campaign", NAME, 1.0, done_at=1.1, status=201, made=CAMPAIGN)
STARTED = Change("start_campaign", CAMPAIGN, 2.0, done_at=2.1, status=202)
PAUSED = Change("pause_campaign", CAMPAIGN, 3.0, done_at=3.1, status=200)
DELETED = Change("delete_campaign", CAMPAIGN, 4.0, done_at=4.1, status=200)
JOURNAL = [
    Journaled("create_campaign", {"name": NAME}),
    Journaled("start_campaign", {"campaign_id": CAMPAIGN}),
    Journaled("delete_campaign", {"campaign_id": CAMPAIGN}),
]


def answer(tool: str, change: Change, truth: Truth | None = None, **more: Any) -> Answer:
    """Return the answer to the call that sent `change`, read just before the truth."""
    begun = change.received_at
    times: dict[str, Any] = {"began": begun - 0.1, "step_began": begun - 0.1}
    times |= {"ended": begun + 0.2, "seen_at": begun + 0.3, "looked_at": begun + 0.15}
    fields: dict[str, Any] = {"outcome": "success", "truth": truth, **times, **more}
    return Answer(lifecycle=1, tool=tool, subject=change.subject, **fields)


def success(change: Change, status: str, now: str, **data: Any) -> Answer:
    truth = Truth(exists=now != "gone", name=NAME, status=now)
    told = {"campaign_id": CAMPAIGN, "status": status, **data}
    return answer(change.action, change, truth, data=told)


def error(change: Change, code: str, text: str = "") -> Answer:
    return answer(change.action, change, outcome="error", data={"code": code}, text=text)


def evidence(*answers: Answer, changes: tuple[Change, ...] = ()) -> Evidence:
    """Return a faultless lifecycle with these answers; `changes` are added to it."""
    found = Evidence(changes=[CREATED, STARTED, PAUSED, DELETED, *changes], answers=[*answers])
    found.journal = list(JOURNAL)
    found.intents[CAMPAIGN] = 1
    found.yeses[NAME] = 2
    return found


def counts(found: Evidence) -> dict[str, int]:
    verdict = judge(found)
    return {kind: n for kind in kinds.NEVER if (n := verdict.count(kind))}


def late(change: Change, *, broken_at: float, done_at: float, **more: Any) -> Change:
    received = broken_at - 0.1
    return replace(change, received_at=received, broken_at=broken_at, done_at=done_at, **more)


def test_a_faultless_lifecycle_is_not_accused() -> None:
    found = evidence(
        success(CREATED, "draft", "draft"),
        success(STARTED, "processing", "running", changed=True),
        success(PAUSED, "paused", "paused", changed=True),
        success(DELETED, "deleted", "gone", changed=True),
        error(STARTED, "outcome_unknown"),
    )
    assert counts(found) == {}


def test_a_second_campaign_of_one_name_is_a_duplicate() -> None:
    again = replace(CREATED, received_at=1.5, done_at=1.6, made=OTHER)
    assert counts(evidence(changes=(again,))) == {kinds.DUPLICATES: 1}


def test_a_creation_that_the_api_refused_is_no_duplicate() -> None:
    assert counts(evidence(changes=(replace(CREATED, status=400, made=""),))) == {}


def test_late_work_that_a_living_server_did_not_wait_for_makes_a_duplicate() -> None:
    lost = late(CREATED, broken_at=0.5, done_at=2.0, made=OTHER)
    found = evidence(error(lost, "outcome_unknown"), changes=(lost,))
    assert counts(found) == {kinds.DUPLICATES: 1}


@pytest.mark.parametrize(("done_at", "killed"), [(11.0, False), (2.0, True)])
def test_late_work_after_the_window_or_a_kill_is_counted_apart(
    done_at: float, killed: bool
) -> None:
    lost = late(CREATED, broken_at=0.5, done_at=done_at, made=OTHER)
    ended = "killed" if killed else "error"
    found = evidence(answer("create_campaign", lost, outcome=ended), changes=(lost,))
    assert counts(found) == {}
    assert judge(found).count(kinds.LATE_DUPLICATES) == 1


def test_a_start_that_nobody_wanted_is_a_double_start() -> None:
    again = replace(STARTED, received_at=3.5, done_at=3.6)
    found = evidence(changes=(again,))
    found.journal.append(JOURNAL[1])
    assert counts(found) == {kinds.DOUBLE_STARTS: 1}
    found.intents[CAMPAIGN] = 2
    assert counts(found) == {}


def test_a_start_that_nobody_agreed_to_is_a_double_start() -> None:
    found = evidence()
    found.yeses[NAME] = 0
    assert counts(found) == {kinds.DOUBLE_STARTS: 1}


@pytest.mark.parametrize(
    ("entry", "kind"), [(0, kinds.LOST), (1, kinds.UNRECORDED), (2, kinds.UNRECORDED)]
)
def test_a_change_without_a_journal_entry_is_seen(entry: int, kind: str) -> None:
    found = evidence()
    del found.journal[entry]
    assert counts(found) == {kind: 1}


@pytest.mark.parametrize(
    ("change", "status", "now"),
    [
        (CREATED, "draft", "gone"),
        (STARTED, "running", "draft"),
        (STARTED, "draft", "running"),
        (PAUSED, "paused", "running"),
        (PAUSED, "paused", "completed"),
        (DELETED, "deleted", "paused"),
    ],
)
def test_an_answer_that_the_sandbox_contradicts_is_a_false_claim(
    change: Change, status: str, now: str
) -> None:
    assert counts(evidence(success(change, status, now))) == {kinds.FALSE: 1}


def test_a_name_that_belongs_to_another_campaign_is_a_false_claim() -> None:
    theirs = replace(success(CREATED, "draft", "draft"), truth=Truth(True, "Soak 0002", "draft"))  # noqa: FBT003
    assert counts(evidence(theirs)) == {kinds.FALSE: 1}


def test_contacts_that_are_not_there_are_a_false_claim() -> None:
    added = Change("add_contacts", AUDIENCE, 1.0, done_at=1.1, status=200)
    said = answer("add_contacts", added, Truth(exists=True, members=3), expected=5)
    assert counts(evidence(said, changes=(added,))) == {kinds.FALSE: 1}


def test_changed_without_a_change_upstream_is_a_false_claim() -> None:
    elsewhere = replace(STARTED, received_at=9.0)
    said = success(elsewhere, "running", "running", changed=True)
    assert counts(evidence(said)) == {kinds.FALSE: 1}


def test_nothing_was_sent_is_false_if_the_api_did_it_for_that_call() -> None:
    refused = error(STARTED, "outcome_unknown", "It is busy. Nothing was sent.")
    assert counts(evidence(refused)) == {kinds.FALSE: 1}
    later = replace(refused, began=5.0, ended=5.1)
    assert counts(evidence(later)) == {}


def test_not_found_of_what_is_there_is_a_false_claim() -> None:
    there = Truth(exists=True, name=NAME, status="draft")
    look = replace(STARTED, received_at=9.0)
    gone = answer("get_campaign_status", look, there, outcome="error", data={"code": "not_found"})
    assert counts(evidence(gone)) == {kinds.FALSE: 1}


def test_an_error_other_than_unknown_hides_a_change_that_was_made() -> None:
    assert counts(evidence(error(STARTED, "unavailable"))) == {kinds.HIDDEN: 1}


def test_what_becomes_of_a_campaign_by_itself_is_no_contradiction() -> None:
    found = evidence(
        success(STARTED, "processing", "completed"),
        success(PAUSED, "running", "paused"),
    )
    assert counts(found) == {}


def test_late_work_after_the_last_look_overtakes_an_answer() -> None:
    resumed = late(STARTED, broken_at=2.5, done_at=3.25)
    found = evidence(success(PAUSED, "paused", "running"), changes=(resumed,))
    found.intents[CAMPAIGN] = 2
    found.journal.append(JOURNAL[1])
    assert counts(found) == {}
    assert judge(found).count(kinds.OVERTAKEN) == 1
    seen = replace(found.answers[0], looked_at=3.28)
    found.answers = [seen]
    assert counts(found) == {kinds.FALSE: 1}


def test_crashes_and_protocol_errors_are_unhandled() -> None:
    found = evidence(
        answer("start_campaign", STARTED, outcome="broken", text="JSON-RPC error -32603"),
        replace(error(PAUSED, ""), text="This server has a fault of its own (call 1)."),
    )
    found.crashes.append("Traceback (most recent call last): …")
    assert counts(found) == {kinds.UNHANDLED: 3}


def test_a_case_is_shown_with_what_was_sent_and_answered() -> None:
    found = evidence(success(PAUSED, "paused", "running"))
    (case,) = judge(found).cases
    told = "\n".join(case.details)
    assert "sent pause_campaign [] reached the API at 3.100: 200" in told
    assert "lifecycle 1 called pause_campaign" in told
    assert "status='running'" in told
