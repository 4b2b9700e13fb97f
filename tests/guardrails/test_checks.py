"""Every check by itself: what it finds, how severe that is, and what it says to do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.guardrails.checks import judge
from atoms_campaigns_mcp.guardrails.facts import (
    AgentFact,
    CallerFact,
    ContactFact,
    Facts,
    RivalFact,
    SlotFact,
)
from atoms_campaigns_mcp.guardrails.findings import Finding
from atoms_campaigns_mcp.guardrails.policy import Hours, Policy

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
LONDON = ("Europe/London",)
ADA = ContactFact("+447700900001", "GB", LONDON)
BOB = ContactFact("+447700900002", "GB", LONDON)
AGENT = AgentFact("a" * 24, "Outreach")
CALLER = CallerFact("c" * 24, "+442079460000", active=True, country="GB")
CLEAN = Facts(
    start=NOON,
    contacts=(ADA, BOB),
    max_retries=0,
    retry_delay=15,
    agent=AGENT,
    callers=(CALLER,),
    dnc=frozenset(),
    slots=SlotFact(20, in_progress=0),
    balance=10.0,
    running=0,
)
A, B = RivalFact("a", "A", "running"), RivalFact("b", "B", "scheduled")
SET = Hours(8 * 60, 21 * 60)
STRICT = Policy(
    max_contacts=2,
    max_running=1,
    hours=SET,
    hours_enforced=True,
    agents=frozenset({"Outreach"}),
    caller_ids=frozenset({"+442079460000"}),
    require_dnc_clean=True,
)


def found(policy: Policy | None = None, **facts: Any) -> list[Finding]:
    return list(judge(replace(CLEAN, **facts), policy or Policy()))


def only(policy: Policy | None = None, **facts: Any) -> Finding:
    (finding,) = found(policy, **facts)
    return finding


@pytest.mark.parametrize("policy", [Policy(), STRICT])
def test_nothing_speaks_against_a_clean_start(policy: Policy) -> None:
    assert found(policy) == []


@pytest.mark.parametrize(
    ("facts", "severity", "rule", "reason", "step"),
    [
        ({"contacts": ()}, "block", "empty_audience", "no contacts", "add_contacts"),
        (
            {"contacts": (ADA, ContactFact("", "", LONDON))},
            "warn",
            "invalid_numbers",
            "1 contact without a valid number",
            "without them",
        ),
        ({"contacts": (ADA, ADA, BOB)}, "warn", "duplicates", "1 number would", "each number once"),
        ({"agent": False}, "block", "agent", "does not exist", "list_agents"),
        ({"agent": None}, "unknown", "agent", "could not be read", "Try again"),
        (
            {"agent": replace(AGENT, archived=True)},
            "block",
            "archived_agent",
            "is archived",
            "another agent",
        ),
        ({"callers": None}, "unknown", "caller_ids", "could not be read", "create_campaign"),
        (
            {"callers": (replace(CALLER, active=False),)},
            "block",
            "no_active_caller_id",
            "none of its caller IDs is active",
            "list_phone_numbers",
        ),
        ({"callers": ()}, "block", "no_active_caller_id", "none", "list_phone_numbers"),
        (
            {"callers": (CALLER, replace(CALLER, active=False))},
            "warn",
            "inactive_caller_id",
            "1 caller ID not active",
            "from the others",
        ),
        (
            {"callers": (replace(CALLER, country="IN"),)},
            "warn",
            "foreign_caller_id",
            "2 contacts called from a caller ID of another country (GB: 2)",
            "Caller IDs cannot be changed: ask the user",
        ),
        ({"dnc": None}, "block", "dnc_unknown", "could not be read", "dashboard"),
        (
            {"dnc": frozenset({"447700900002"})},
            "block",
            "dnc",
            "1 contact on the do-not-call list",
            "exclude_dnc",
        ),
        (
            {"start": NOON.replace(hour=6)},
            "warn",
            "calling_hours",
            "2 contacts will be called at 06:00 their time (Europe/London), outside 08:00-21:00",
            "another time",
        ),
        (
            {"contacts": (ADA, replace(BOB, zones=()))},
            "unknown",
            "unknown_time_zone",
            "1 contact in an unknown time zone",
            "column timezone",
        ),
        ({"slots": None}, "unknown", "slots", "call limit could not be read", "get_account"),
        (
            {"slots": SlotFact(20)},
            "unknown",
            "calls_in_progress",
            "how many of the 20 calls",
            "get_account",
        ),
        (
            {"slots": SlotFact(20, in_progress=20)},
            "warn",
            "no_free_slots",
            "all 20 calls",
            "wait until others have ended",
        ),
        ({"balance": None}, "unknown", "balance", "could not be read", "get_account"),
        ({"balance": 0.0}, "warn", "balance", "is 0 USD", "owner must add credit"),
        ({"balance": -2.5}, "warn", "balance", "is -2.5 USD", "owner must add credit"),
        (
            {"rivals": (RivalFact("1", "Spring", "running"),)},
            "warn",
            "same_audience",
            'campaign "Spring" is calling the same audience',
            "pause it first",
        ),
        (
            {"rivals": (RivalFact("1", "Spring", "scheduled"),)},
            "warn",
            "same_audience",
            'campaign "Spring" is scheduled on the same audience',
            "delete it first",
        ),
        (
            {"rivals": (RivalFact("1", "Spring", "draft", equal=True),)},
            "warn",
            "equal_campaign",
            'campaign "Spring", equal to this one, is ready on the same audience',
            "go on with that one",
        ),
        ({"rivals": None}, "unknown", "same_audience", "could not be read", "list_campaigns"),
        ({"dnc_unread": 2}, "block", "dnc_unknown", "2 entries", "dashboard"),
    ],
)
def test_each_finding_has_its_severity_reason_and_next_step(
    facts: dict[str, Any], severity: str, rule: str, reason: str, step: str
) -> None:
    finding = only(**facts)
    assert (finding.severity, finding.rule) == (severity, rule)
    assert reason in finding.reason
    assert step in finding.next_step


@pytest.mark.parametrize(
    ("facts", "rule", "variable"),
    [
        (
            {"contacts": (ADA, BOB, replace(BOB, number="+447700900003"))},
            "max_contacts",
            "CONTACTS",
        ),
        ({"running": 1}, "max_running", "MAX_RUNNING"),
        ({"running": None}, "max_running", "MAX_RUNNING"),
        ({"agent": replace(AGENT, name="Other")}, "allowed_agents", "ALLOWED_AGENTS"),
        ({"agent": None}, "agent", "ALLOWED_AGENTS"),
        (
            {"callers": (CALLER, replace(CALLER, number="+12025550143"))},
            "allowed_caller_ids",
            "ALLOWED_CALLER_IDS",
        ),
        ({"callers": None}, "caller_ids", "ALLOWED_CALLER_IDS"),
        ({"dnc": frozenset({"447700900001"})}, "dnc", "REQUIRE_DNC_CLEAN"),
        ({"dnc": None}, "dnc_unknown", "REQUIRE_DNC_CLEAN"),
        ({"start": NOON.replace(hour=7)}, "calling_hours", "CALLING_HOURS"),
        ({"contacts": (replace(ADA, zones=()),)}, "unknown_time_zone", "CALLING_HOURS"),
    ],
)
def test_a_rule_of_the_operator_blocks_and_says_which_and_who_can_change_it(
    facts: dict[str, Any], rule: str, variable: str
) -> None:
    finding = only(STRICT, **facts)
    assert (finding.severity, finding.rule) == ("block", rule)
    assert "Only the operator of this server can change ATOMS_MCP_" in finding.next_step
    assert variable in finding.next_step


@pytest.mark.parametrize(
    "facts",
    [
        {"agent": None},
        {"callers": None},
        {"dnc": None},
        {"dnc_unread": 1},
        {"slots": None},
        {"balance": None},
    ],
)
def test_what_could_not_be_read_is_unknown_and_blocks_nothing_by_itself(
    facts: dict[str, Any],
) -> None:
    assert only(Policy(require_dnc_clean=False), **facts).severity == "unknown"


def test_the_do_not_call_list_blocks_unless_the_operator_lowers_it_to_a_warning() -> None:
    listed = frozenset({"447700900002"})
    assert only(Policy.of(Settings()), dnc=listed).severity == "block"
    lowered = Settings.load({"ATOMS_MCP_REQUIRE_DNC_CLEAN": "0"}, {})
    assert only(Policy.of(lowered), dnc=listed).severity == "warn"


@pytest.mark.parametrize("allowed", ["a" * 24, "Outreach"])
def test_an_agent_is_allowed_by_id_or_by_name(allowed: str) -> None:
    assert found(Policy(agents=frozenset({allowed}))) == []


@pytest.mark.parametrize("allowed", ["c" * 24, "+442079460000"])
def test_a_caller_id_is_allowed_by_id_or_by_number(allowed: str) -> None:
    assert found(Policy(caller_ids=frozenset({allowed}))) == []


def test_an_inactive_caller_id_must_be_allowed_too() -> None:
    other = CallerFact("d" * 24, "+12025550143", active=False, country="US")
    rules = [finding.rule for finding in found(STRICT, callers=(CALLER, other))]
    assert rules == ["allowed_caller_ids", "inactive_caller_id"]


def test_retries_may_carry_a_start_beyond_the_hours() -> None:
    evening = NOON.replace(hour=20)
    assert found(start=evening) == []
    assert only(start=evening, max_retries=1, retry_delay=60).rule == "calling_hours"


def test_a_long_list_on_few_slots_may_be_carried_beyond_the_hours() -> None:
    many = tuple(replace(ADA, number=f"+4477009{n:05d}") for n in range(4000))
    assert found(contacts=many, slots=SlotFact(2000, in_progress=0)) == []
    assert only(contacts=many, slots=SlotFact(10, in_progress=0)).rule == "calling_hours"


@pytest.mark.parametrize("start", [0, 3, 12, 23])
def test_a_day_of_24_hours_allows_every_start_even_into_an_unknown_zone(start: int) -> None:
    policy = Policy(hours=Hours(0, 24 * 60), hours_enforced=True)
    contacts = (ADA, replace(BOB, zones=()))
    assert found(policy, contacts=contacts, start=NOON.replace(hour=start)) == []


def test_a_caller_id_is_foreign_to_contacts_of_other_countries_only() -> None:
    german = ContactFact("+4915123456789", "DE", ("Europe/Berlin",))
    nowhere = ContactFact("+80012345678", "", LONDON)
    finding = only(contacts=(ADA, german, nowhere))
    assert finding.reason == "1 contact called from a caller ID of another country (DE: 1)"


def test_what_blocks_comes_first_and_what_is_unknown_last() -> None:
    severities = [f.severity for f in found(agent=False, balance=None, rivals=(A, B))]
    assert severities == ["block", "warn", "warn", "unknown"]


def test_no_finding_holds_a_contacts_number() -> None:
    worst = found(
        STRICT,
        contacts=(ADA, ADA, BOB, ContactFact("")),
        dnc=frozenset({"447700900001"}),
        start=NOON.replace(hour=3),
        callers=(replace(CALLER, country="US"),),
    )
    assert len(worst) >= 6
    assert not any("7700900" in finding.reason + finding.next_step for finding in worst)
