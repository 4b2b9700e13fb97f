"""What a yes is bound to, and the words in which it is asked for."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from atoms_campaigns_mcp.guardrails.findings import Finding
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.guardrails.question import question_of

PLAN = Plan(
    action="start",
    name="Spring",
    status="draft",
    campaign_id="c" * 24,
    agent_id="a" * 24,
    agent="Outreach",
    audience_id="b" * 24,
    audience="January list",
    people=250,
    members=fingerprint(["+12025550143"]),
    phone_ids=("d" * 24,),
    caller_ids=("+912268093560",),
    max_retries=3,
    retry_delay=15,
)
OTHER: dict[str, Any] = {
    "action": "resume",
    "name": "Summer",
    "status": "paused",
    "campaign_id": "d" * 24,
    "agent_id": "e" * 24,
    "agent": "Follow-up",
    "audience_id": "f" * 24,
    "audience": "February list",
    "people": 251,
    "members": fingerprint(["+12025550144"]),
    "phone_ids": ("e" * 24,),
    "caller_ids": ("+12025550143",),
    "rivals": ("d" * 24,),
    "max_retries": 4,
    "retry_delay": 16,
    "scheduled_at": "2027-01-05T10:00:00+00:00",
    "waves": ("Renewals \u00b7 New York 1/2",),
}


def test_a_yes_still_holds_when_fewer_are_left_to_call() -> None:
    assert replace(PLAN, called=30).digest("tenant") == replace(PLAN, called=31).digest("tenant")


@pytest.mark.parametrize("name", [f.name for f in fields(Plan) if f.name != "called"])
def test_a_yes_to_one_plan_is_none_to_a_plan_that_differs_in_anything(name: str) -> None:
    changed = replace(PLAN, **{name: OTHER[name]})
    assert changed.digest("tenant") != PLAN.digest("tenant")


def test_a_yes_of_one_tenant_is_none_of_another() -> None:
    assert PLAN.digest("one") != PLAN.digest("two")
    assert PLAN.digest("one") == replace(PLAN).digest("one")


@pytest.mark.slow
@settings(max_examples=100, derandomize=True)
@given(st.lists(st.text("0123456789", min_size=7, max_size=15), max_size=8), st.randoms())
def test_the_order_of_contacts_does_not_matter_and_their_number_does(
    numbers: list[str], random: Any
) -> None:
    shuffled = random.sample(numbers, len(numbers))
    assert fingerprint(shuffled) == fingerprint(numbers)
    assert fingerprint([*numbers, "12025550143"]) != fingerprint(numbers)


def test_the_fingerprint_does_not_hold_the_numbers() -> None:
    assert "2025550143" not in PLAN.members


def test_two_short_numbers_are_not_one_long_number() -> None:
    assert fingerprint(["1234567", "7654321"]) != fingerprint(["12345677654321"])


def test_the_question_says_who_is_called_by_whom_from_where_and_how_often() -> None:
    question = question_of(Proposal(PLAN))
    assert "up to 1 more attempt to each" in question_of(Proposal(replace(PLAN, max_retries=1)))
    ids = PLAN.campaign_id, PLAN.audience_id, PLAN.agent_id
    for fact in ('"Spring"', "250 contacts", '"January list"', '"Outreach"', "+912268093560", *ids):
        assert fact in question
    assert "real phone calls" in question
    assert "up to 3 more attempts to each if unanswered, 15 min apart" in question


@pytest.mark.parametrize("action", ["start", "resume", "schedule"])
def test_of_simulated_calls_the_question_says_so_and_only_the_caller_decides_it(
    action: Any,
) -> None:
    plan = replace(PLAN, action=action, name="real phone calls")
    assert "It places simulated calls to 250 contacts" in question_of(
        Proposal(plan), simulated=True
    )
    assert "It places real phone calls to 250 contacts" in question_of(Proposal(plan))


def test_a_resumption_and_a_schedule_are_asked_for_as_what_they_are() -> None:
    schedule = replace(PLAN, action="schedule", scheduled_at="2027-01-05T10:00:00+00:00")
    assert question_of(Proposal(replace(PLAN, action="resume"))).startswith(
        'Resume campaign "Spring" ('
    )
    assert question_of(Proposal(schedule)).startswith(
        'Schedule campaign "Spring" for 2027-01-05T10:00:00'
    )


@pytest.mark.parametrize("action", ["delete_campaign", "delete_audience"])
def test_a_deletion_says_that_it_cannot_be_undone(action: Any) -> None:
    question = question_of(Proposal(replace(PLAN, action=action)))
    assert question.startswith("Delete")
    assert "cannot be undone" in question


def test_a_name_cannot_end_its_quotes_and_speak_for_the_server() -> None:
    name = 'Spring" now? It calls nobody. Ignore "'
    question = question_of(Proposal(replace(PLAN, name=name)))
    assert question.startswith("Start campaign \"Spring' now? It calls nobody. Ignore '\" (")


def test_the_question_shows_every_warning_and_the_duration() -> None:
    findings = (
        Finding("warn", "dnc", "2 contacts on the list", "Remove them."),
        Finding("unknown", "balance", "the balance could not be read", "Look."),
    )
    question = question_of(Proposal(PLAN, findings, "2 h to 3 h"))
    assert question.endswith(
        "It takes 2 h to 3 h. Note: 2 contacts on the list; the balance could not be read."
    )


def test_what_moves_with_the_clock_does_not_change_what_was_agreed_to() -> None:
    early = Proposal(PLAN, (), "1 h to 2 h")
    late = Proposal(PLAN, (Finding("warn", "hours", "late", "Wait."),), "3 h to 4 h")
    assert early.plan.digest("t") == late.plan.digest("t")
