"""Every check of a start has its result, whether something was found or not."""

from dataclasses import replace
from typing import Any

import pytest

from atoms_campaigns_mcp.guardrails.checks import judge
from atoms_campaigns_mcp.guardrails.facts import SlotFact
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.guardrails.review import Checked, review
from tests.guardrails.test_checks import ADA, AGENT, BOB, CALLER, CLEAN, NOON, STRICT, A

CHECKS = [
    "numbers",
    "do_not_call",
    "calling_hours",
    "caller_ids",
    "agent",
    "capacity",
    "balance",
    "other_campaigns",
    "operator_rules",
]


def row(check: str, policy: Policy | None = None, **facts: Any) -> Checked:
    found = review(replace(CLEAN, **facts), policy or Policy())
    assert [checked.check for checked in found] == CHECKS
    return next(checked for checked in found if checked.check == check)


@pytest.mark.parametrize("policy", [Policy(), STRICT])
def test_a_clean_start_has_every_check_and_each_is_ok(policy: Policy) -> None:
    assert {checked.verdict for checked in review(CLEAN, policy)} == {"ok"}


@pytest.mark.parametrize(
    ("check", "facts", "verdict", "result"),
    [
        ("numbers", {}, "ok", "2 contacts, 0 without a valid number, 0 repeated"),
        ("numbers", {"contacts": (ADA, ADA)}, "warn", "1 repeated"),
        ("numbers", {"contacts": ()}, "block", "0 contacts"),
        ("do_not_call", {"dnc": frozenset("1234")}, "ok", "0 of 2 on a list of 4"),
        ("do_not_call", {"dnc": frozenset({ADA.number[1:]})}, "block", "1 of 2 on a list of 1"),
        ("do_not_call", {"dnc": None}, "block", "could not be read"),
        ("calling_hours", {}, "ok", "2 of 2 within 08:00-21:00"),
        (
            "calling_hours",
            {"start": NOON.replace(hour=5, minute=30)},
            "warn",
            "2 contacts will be called at 05:30 their time (Europe/London)",
        ),
        ("calling_hours", {"contacts": (replace(ADA, zones=()),)}, "unknown", "1 in an unknown"),
        ("caller_ids", {}, "ok", "1 of 1 active"),
        ("caller_ids", {"callers": (replace(CALLER, country="IN"),)}, "warn", "2 contacts abroad"),
        ("caller_ids", {"callers": None}, "unknown", "could not be read"),
        ("agent", {}, "ok", '"Outreach" is ready'),
        ("agent", {"agent": replace(AGENT, archived=True)}, "block", "archived"),
        ("agent", {"agent": False}, "block", "does not exist"),
        ("agent", {"agent": None}, "unknown", "could not be read"),
        ("capacity", {}, "ok", "20 of 20 free"),
        ("capacity", {"slots": SlotFact(20)}, "unknown", "unknown of 20 free"),
        ("capacity", {"slots": None}, "unknown", "could not be read"),
        ("balance", {}, "ok", "10 USD"),
        ("balance", {"balance": None}, "unknown", "could not be read"),
        (
            "other_campaigns",
            {"running": 3},
            "ok",
            "0 on the same audience; besides this one, 3 run",
        ),
        ("other_campaigns", {"rivals": (A,)}, "warn", "1 on the same audience"),
        ("other_campaigns", {"rivals": None}, "unknown", "could not be read"),
        ("operator_rules", {"running": None}, "ok", "any number of campaigns at once"),
    ],
)
def test_a_check_gives_its_result_in_words_and_what_is_unread_is_never_ok(
    check: str, facts: dict[str, Any], verdict: str, result: str
) -> None:
    found = row(check, **facts)
    assert found.verdict == verdict
    assert result in found.result


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"contacts": (ADA, BOB, replace(BOB, number="+447700900003"))}, "3 of at most 2 contacts"),
        ({"running": 1}, "1 of at most 1 campaigns"),
        ({"running": None}, "an unknown number of at most 1 campaigns"),
        ({"agent": replace(AGENT, name="Other")}, "agents: only those allowed"),
    ],
)
def test_the_limits_of_the_operator_are_a_check_of_their_own(
    facts: dict[str, Any], told: str
) -> None:
    found = row("operator_rules", STRICT, **facts)
    assert found.verdict == "block"
    assert told in found.result


@pytest.mark.parametrize(
    "facts", [{"dnc": None}, {"slots": None, "balance": None}, {"contacts": (), "callers": ()}]
)
def test_the_gravest_verdict_of_the_checks_is_the_gravest_finding(facts: dict[str, Any]) -> None:
    for policy in (Policy(), STRICT):
        whole = replace(CLEAN, **facts)
        verdicts = {checked.verdict for checked in review(whole, policy)} - {"ok"}
        assert verdicts == {finding.severity for finding in judge(whole, policy)}
