"""Every check of a start with its result: what was looked at and is well is said too."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from atoms_campaigns_mcp.guardrails import checks
from atoms_campaigns_mcp.guardrails.facts import AgentFact, Facts
from atoms_campaigns_mcp.guardrails.findings import Finding, Severity
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.schemas.text import counted, quoted

UNKNOWN = "could not be read"
OPERATOR = frozenset({"max_contacts", "max_running", "allowed_agents", "allowed_caller_ids"})
"""Findings about the operator's limits, whichever check looks at them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check, the gravest of what it found, and its result in words."""

    check: str
    verdict: Literal["ok"] | Severity
    result: str


def review(facts: Facts, policy: Policy) -> tuple[Checked, ...]:
    """Return every check with its result, in the order in which people ask."""
    rows: list[Checked] = []
    limits: list[Finding] = []
    for name, check, result in _CHECKS:
        found = [*check(facts, policy)]
        limits += [f for f in found if f.rule in OPERATOR]
        own = [f for f in found if f.rule not in OPERATOR]
        rows.append(Checked(name, _gravest(own), result(facts, policy)))
    return (*rows, Checked("operator_rules", _gravest(limits), _operator_rules(facts, policy)))


def _gravest(found: Sequence[Finding]) -> Literal["ok"] | Severity:
    severities = {finding.severity for finding in found}
    if "block" in severities:
        return "block"
    if "warn" in severities:
        return "warn"
    return "unknown" if found else "ok"


def _numbers(facts: Facts, _: Policy) -> str:
    numbers = Counter(contact.number for contact in facts.concerned)
    bad = numbers.pop("", 0)
    twice = sum(count - 1 for count in numbers.values())
    people = counted(len(facts.concerned), "contact")
    return f"{people}, {bad} without a valid number, {twice} repeated"


def _do_not_call(facts: Facts, _: Policy) -> str:
    if facts.dnc is None:
        return f"the list {UNKNOWN} to its end"
    people = facts.concerned
    listed = sum(contact.number.lstrip("+") in facts.dnc for contact in people if contact.number)
    unread = sum(contact.unread for contact in people)
    told = f"{listed} of {len(people)} on a list of {len(facts.dnc) + facts.dnc_unread}"
    opted_out = sum(contact.opted_out for contact in people)
    told += f", {opted_out} opted out in their own columns" if opted_out else ""
    return f"{told}, {unread} not comparable" if unread else told


def _hours(facts: Facts, policy: Policy) -> str:
    if policy.hours.all_day:
        return "every hour is allowed"
    found = checks.by_zone(facts, policy)
    within = sum(share.contacts for share in found if share.allowed)
    unknown = sum(share.contacts for share in found if share.allowed is None)
    told = (
        f"{within} of {len(facts.concerned)} within {policy.hours} of their own time from the "
        "first call to the last possible retry"
    )
    outside = checks.outside(facts, policy)
    told += f"; {outside}" if outside else ""
    return f"{told}; {unknown} in an unknown time zone" if unknown else told


def _caller_ids(facts: Facts, _: Policy) -> str:
    if facts.callers is None:
        return f"{UNKNOWN}, or not told by the API"
    active = {caller.country for caller in facts.callers if caller.active}
    foreign = sum(bool(c.country) and c.country not in active for c in facts.concerned)
    works = sum(caller.active for caller in facts.callers)
    return f"{works} of {len(facts.callers)} active; {foreign} contacts abroad for them"


def _agent(facts: Facts, _: Policy) -> str:
    if isinstance(facts.agent, AgentFact):
        return f"{quoted(facts.agent.name)} is {'archived' if facts.agent.archived else 'ready'}"
    return "does not exist" if facts.agent is False else UNKNOWN


def _capacity(facts: Facts, _: Policy) -> str:
    if facts.slots is None:
        return f"the call limit {UNKNOWN}"
    limit, live = facts.slots.limit, facts.slots.in_progress
    return f"{'unknown' if live is None else max(limit - live, 0)} of {limit} free"


def _rivals(facts: Facts, _: Policy) -> str:
    if facts.rivals is None:
        return UNKNOWN
    running = "an unknown number" if facts.running is None else str(facts.running)
    same = f"{len(facts.rivals)} on the same audience"
    return f"{same}; besides this one, {running} run or are scheduled"


def _balance(facts: Facts, _: Policy) -> str:
    return UNKNOWN if facts.balance is None else f"{facts.balance:g} USD"


def _operator_rules(facts: Facts, policy: Policy) -> str:
    running = "any number of campaigns at once"
    if policy.max_running is not None:
        now = "an unknown number" if facts.running is None else str(facts.running)
        running = f"{now} of at most {policy.max_running} campaigns at once"
    rules = [
        f"{len(facts.contacts)} of at most {policy.max_contacts} contacts",
        running,
        f"agents: {'only those allowed' if policy.agents else 'any'}",
        f"caller IDs: {'only those allowed' if policy.caller_ids else 'any'}",
        f"calling hours {policy.hours}: {'enforced' if policy.hours_enforced else 'a warning'}",
        f"do-not-call: {'must be clean' if policy.require_dnc_clean else 'a warning'}",
    ]
    return "; ".join(rules)


_CHECKS: tuple[tuple[str, checks.Check, Callable[[Facts, Policy], str]], ...] = (
    ("numbers", checks.audience, _numbers),
    ("do_not_call", checks.do_not_call, _do_not_call),
    ("calling_hours", checks.calling_hours, _hours),
    ("caller_ids", checks.caller_ids, _caller_ids),
    ("agent", checks.agent, _agent),
    ("capacity", checks.capacity, _capacity),
    ("balance", checks.credit, _balance),
    ("other_campaigns", checks.rivals, _rivals),
)
