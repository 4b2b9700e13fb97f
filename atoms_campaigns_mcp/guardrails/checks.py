"""The checks of a start: each looks at the facts and reports what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from atoms_campaigns_mcp.guardrails.estimate import Estimate, estimate
from atoms_campaigns_mcp.guardrails.facts import AgentFact, Facts
from atoms_campaigns_mcp.guardrails.findings import Finding, Severity, in_order
from atoms_campaigns_mcp.guardrails.policy import CHANGED_BY, Policy
from atoms_campaigns_mcp.guardrails.start_times import start_times
from atoms_campaigns_mcp.guardrails.zones import ZoneShare, shares
from atoms_campaigns_mcp.schemas.text import counted, quoted

Check = Callable[[Facts, Policy], Iterator[Finding]]
COUNTRIES_SHOWN = 3
ZONES_SHOWN = 3  # zones named with the time there
PLACES_SHOWN = 20  # contacts named by their place in the audience
RIVALS_SHOWN = 5  # campaigns named
_CALLS = ("is calling", "pause it first")
_RIVALS = {
    "processing": _CALLS,
    "running": _CALLS,
    "scheduled": ("is scheduled on", "delete it first, or use another audience"),
}
_RESTING = ("is ready on", "go on with that one, or delete it first")
_WRITTEN = {
    "contact": "Ask the user for the list with these numbers written with + and country code.",
    "entry": "Ask the user to correct them in the Atoms dashboard: + and country code first.",
}
_UNREAD = {
    "contact": "of {} contacts the number cannot be compared with the do-not-call list",
    "entry": "{} entries of the do-not-call list cannot be read",
}


def judge(facts: Facts, policy: Policy) -> tuple[Finding, ...]:
    """Return every finding, those that block first."""
    return in_order(finding for check in CHECKS for finding in check(facts, policy))


def expected(facts: Facts) -> Estimate:
    """Estimate how long it takes."""
    slots = facts.slots.usable if facts.slots else None
    return estimate(facts.left, facts.max_retries, facts.retry_delay, slots, called=facts.called)


def by_zone(facts: Facts, policy: Policy) -> list[ZoneShare]:
    """Group the contacts by time zone, and say for which of them the hours are right."""
    last = facts.start + timedelta(minutes=expected(facts).minutes[1])
    return shares(facts.concerned, facts.start, last, policy.hours)


def _operator(rule: str, reason: str, variable: str) -> Finding:
    return Finding("block", rule, reason, CHANGED_BY.format(variable))


def _judged(
    rule: str, reason: str, advice: str, variable: str, *, otherwise: Severity = "warn"
) -> Finding:
    """Block where the operator set `variable` (named if so), else only say it."""
    if variable:
        return Finding("block", rule, reason, f"{advice} {CHANGED_BY.format(variable)}")
    return Finding(otherwise, rule, reason, advice)


def audience(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """There is somebody to call, not too many, and each once."""
    if not facts.contacts:
        yield Finding(
            "block",
            "empty_audience",
            "the audience has no contacts",
            "Fill it with add_contacts, or create a campaign with another audience.",
        )
    if len(facts.contacts) > policy.max_contacts:
        yield _operator(
            "max_contacts",
            f"{len(facts.contacts)} contacts are more than the {policy.max_contacts} allowed",
            "ATOMS_MCP_MAX_CONTACTS",
        )
    if facts.added:
        yield Finding(
            "unknown",
            "added_contacts",
            f"{counted(facts.added, 'contact')} added to the audience since the start may or may "
            "not be called",
            "To be sure that they are called, create a campaign for them.",
        )
    yield from _numbers(facts)


def _numbers(facts: Facts) -> Iterator[Finding]:
    if facts.over is None:
        yield Finding(
            "unknown",
            "called_contacts",
            "which contacts are over could not be read, so findings count the whole audience",
            "Try again in a minute.",
        )
    numbers = Counter(contact.number for contact in facts.concerned)
    if bad := numbers.pop("", 0):
        yield Finding(
            "warn",
            "invalid_numbers",
            f"{counted(bad, 'contact')} without a valid number",
            "Calls to them fail. create_audience with from_audience_id makes an audience without "
            "them.",
        )
    if twice := sum(count - 1 for count in numbers.values()):
        yield Finding(
            "warn",
            "duplicates",
            f"{counted(twice, 'number')} would be called more than once",
            "create_audience with from_audience_id makes an audience with each number once.",
        )


def agent(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """The agent exists, can call, and is allowed."""
    found = facts.agent
    if not isinstance(found, AgentFact):
        yield _missing_agent(facts, policy)
        return
    if found.archived:
        yield Finding(
            "block",
            "archived_agent",
            f"agent {quoted(found.name)} is archived",
            "A campaign's agent cannot be changed: ask the user which another agent a new one has.",
        )
    if policy.agents and not policy.allows_agent(found.id, found.name):
        yield _operator(
            "allowed_agents",
            f"agent {quoted(found.name)} is not one of those allowed",
            "ATOMS_MCP_ALLOWED_AGENTS",
        )


def _missing_agent(facts: Facts, policy: Policy) -> Finding:
    if facts.agent is False:
        return Finding(
            "block",
            "agent",
            "the agent does not exist",
            "A campaign's agent cannot be changed: ask the user which of list_agents a new "
            "campaign has.",
        )
    return _judged(
        "agent",
        "the agent could not be read",
        "Try again in a minute.",
        "ATOMS_MCP_ALLOWED_AGENTS" if policy.agents else "",
        otherwise="unknown",
    )


def caller_ids(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """At least one caller ID works, all are allowed, and each country sees one of its own."""
    if facts.callers is None:
        yield _judged(
            "caller_ids",
            "its caller IDs could not be read, or the API does not tell them and it was not "
            "created here",
            "Try again in a minute. Of campaigns made elsewhere they stay unknown; those of "
            "create_campaign are remembered.",
            "ATOMS_MCP_ALLOWED_CALLER_IDS" if policy.caller_ids else "",
            otherwise="unknown",
        )
        return
    active = [caller for caller in facts.callers if caller.active]
    if not active:
        yield Finding(
            "block",
            "no_active_caller_id",
            "none of its caller IDs is active",
            "Caller IDs cannot be changed: ask the user which active ones of list_phone_numbers a "
            "new campaign has.",
        )
    elif len(active) < len(facts.callers):
        yield Finding(
            "warn",
            "inactive_caller_id",
            f"{counted(len(facts.callers) - len(active), 'caller ID')} not active",
            "Calls go out from the others.",
        )
    if policy.caller_ids and any(
        not {caller.id, caller.number} & policy.caller_ids for caller in facts.callers
    ):
        yield _operator(
            "allowed_caller_ids",
            "a caller ID is not one of those allowed",
            "ATOMS_MCP_ALLOWED_CALLER_IDS",
        )
    yield from _foreign(facts, {caller.country for caller in active})


def _foreign(facts: Facts, callers: set[str]) -> Iterator[Finding]:
    countries = Counter(contact.country for contact in facts.concerned if contact.country)
    foreign = {country: n for country, n in countries.most_common() if country not in callers}
    if callers and foreign:
        shown = ", ".join(
            f"{country}: {n}" for country, n in list(foreign.items())[:COUNTRIES_SHOWN]
        )
        yield Finding(
            "warn",
            "foreign_caller_id",
            f"{counted(sum(foreign.values()), 'contact')} called from a caller ID of another "
            f"country ({shown})",
            "Fewer people answer such calls. Caller IDs cannot be changed: ask the user whether a "
            "new campaign is to have some of their country.",
        )


def do_not_call(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Nobody asked not to be called."""
    if out := sum(contact.opted_out for contact in facts.concerned):
        yield Finding(
            "warn",
            "opted_out",
            f"{counted(out, 'contact')} whose own columns say not to call them",
            "create_audience with from_audience_id makes an audience without them.",
        )
    variable = "ATOMS_MCP_REQUIRE_DNC_CLEAN" if policy.require_dnc_clean else ""
    if facts.dnc is not None:
        yield from _on_list(facts, facts.dnc, variable)
        return
    yield _judged(
        "dnc_unknown",
        "the do-not-call list could not be read to its end",
        "Check the list in the Atoms dashboard.",
        variable,
        otherwise="unknown",
    )


def _on_list(facts: Facts, dnc: frozenset[str], variable: str) -> Iterator[Finding]:
    unread = sum(contact.unread for contact in facts.concerned)
    for count, whose in ((unread, "contact"), (facts.dnc_unread, "entry")):
        if count:
            yield _judged(
                "dnc_unknown",
                _UNREAD[whose].format(count),
                _WRITTEN[whose],
                variable,
                otherwise="unknown",
            )
    over = facts.over or frozenset()
    listed = [
        place
        for place, contact in enumerate(facts.contacts, 1)
        if contact.number not in over and contact.number.lstrip("+") in dnc
    ]
    if listed:
        shown = ", ".join(map(str, listed[:PLACES_SHOWN]))
        more = f" and {rest} more" if (rest := len(listed) - PLACES_SHOWN) > 0 else ""
        yield _judged(
            "dnc",
            f"{counted(len(listed), 'contact')} on the do-not-call list "
            f"(in the audience no. {shown}{more})",
            "create_audience with from_audience_id and exclude_dnc makes an audience without them, "
            "for a new campaign; that the API leaves them out is not certain.",
            variable,
        )


def calling_hours(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Nobody is called at night, from the first call to the last possible retry."""
    if policy.hours.all_day:
        return
    unknown = sum(share.contacts for share in by_zone(facts, policy) if share.allowed is None)
    variable = "ATOMS_MCP_CALLING_HOURS" if policy.hours_enforced else ""
    if told := outside(facts, policy):
        yield _judged("calling_hours", told, _better_time(facts, policy), variable)
    if unknown:
        yield _judged(
            "unknown_time_zone",
            f"{counted(unknown, 'contact')} in an unknown time zone",
            "Leave them out: while the operator's hours are enforced, no column opens them."
            if policy.hours_enforced
            else "Give a column timezone with names such as Asia/Kolkata.",
            variable,
            otherwise="unknown",
        )


def outside(facts: Facts, policy: Policy) -> str:
    """Say who is called outside calling hours: at the start itself, or perhaps later."""
    found = [share for share in by_zone(facts, policy) if share.allowed is False]
    slots = facts.slots.usable if facts.slots else 0
    when = "at" if facts.left <= slots else "from"
    now = [share for share in found if share.outside(facts.start, policy.hours)]
    told = [
        f"{counted(share.contacts, 'contact')} will be called {when} {share.clock(facts.start)} "
        f"their time ({share.label}), outside {policy.hours}"
        for share in now[:ZONES_SHOWN]
    ]
    if rest := sum(share.contacts for share in now[ZONES_SHOWN:]):
        told.append(f"{counted(rest, 'contact')} more will be called outside {policy.hours}")
    if later := sum(share.contacts for share in found) - sum(share.contacts for share in now):
        told.append(
            f"{counted(later, 'contact')} may be called outside {policy.hours} of their own time"
        )
    return ", ".join(told)


def _better_time(facts: Facts, policy: Policy) -> str:
    times = start_times(facts, policy.hours, expected(facts).minutes[1])
    if times is None:
        return (
            "No start of the next days ends in time for all of them: fewer contacts or retries, or "
            "a campaign for each time zone (create_audience, time_zones)."
        )
    return f"Start at another time ({times.told()}), or with fewer contacts or retries."


def capacity(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """There is room for its calls, and not too much runs already."""
    most, running = policy.max_running, facts.running
    late = f" ({facts.begun} begun here and not seen yet)" if facts.begun else ""
    if most is not None and (running is None or running >= most):
        yield _operator(
            "max_running",
            f"{'unknown' if running is None else running} campaigns run or are scheduled{late}, "
            f"and {most} may",
            "ATOMS_MCP_MAX_RUNNING",
        )
    if facts.slots is None:
        yield Finding(
            "unknown", "slots", "the call limit could not be read", "Look again with get_account."
        )
    elif facts.slots.in_progress is None:
        yield Finding(
            "unknown",
            "calls_in_progress",
            f"how many of the {facts.slots.limit} calls that may run at once are free is not known",
            "Look again with get_account.",
        )
    elif facts.slots.in_progress >= facts.slots.limit:
        yield Finding(
            "warn",
            "no_free_slots",
            f"all {facts.slots.limit} calls that may run at once are in progress",
            "Its calls may fail for lack of slots; wait until others have ended.",
        )


def rivals(facts: Facts, policy: Policy) -> Iterator[Finding]:  # noqa: ARG001
    """Nobody is called by two campaigns."""
    if facts.rivals is None:
        yield Finding(
            "unknown",
            "same_audience",
            "whether other campaigns call the same audience could not be read",
            "Look with list_campaigns.",
        )
        return
    for rival in facts.rivals[:RIVALS_SHOWN]:
        equal = ", equal to this one," if rival.equal else ""
        calls, advice = _RIVALS.get(rival.status, _RESTING)
        yield Finding(
            "warn",
            "equal_campaign" if rival.equal else "same_audience",
            f"campaign {quoted(rival.name)}{equal} {calls} the same audience",
            f"People would be called by both; {advice}.",
        )
    if (more := len(facts.rivals) - RIVALS_SHOWN) > 0:
        yield Finding(
            "warn",
            "same_audience",
            f"{counted(more, 'campaign')} more on the same audience",
            "Look with list_campaigns.",
        )


def credit(facts: Facts, policy: Policy) -> Iterator[Finding]:  # noqa: ARG001
    """The account can pay."""
    if facts.balance is None:
        yield Finding(
            "unknown", "balance", "the balance could not be read", "Look again with get_account."
        )
    elif facts.balance <= 0:
        yield Finding(
            "warn",
            "balance",
            f"the balance is {facts.balance:g} USD",
            "Calls may fail; the account's owner must add credit.",
        )


CHECKS: tuple[Check, ...] = (
    audience,
    agent,
    caller_ids,
    do_not_call,
    calling_hours,
    capacity,
    rivals,
    credit,
)
