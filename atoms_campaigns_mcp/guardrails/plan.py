"""The plan: the facts of what is about to dial or to be destroyed, as they were read."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from atoms_campaigns_mcp.guardrails.findings import Finding
from atoms_campaigns_mcp.schemas.fields import named, word
from atoms_campaigns_mcp.schemas.text import counted, quoted

Action = Literal[
    "start", "resume", "schedule", "waves", "delete_campaign", "delete_campaigns", "delete_audience"
]


@dataclass(frozen=True, slots=True)
class Plan:
    """Facts that a person agrees to. Nothing in it moves with the clock.

    `members` is the fingerprint of the contacts' numbers, `people` their count, `called` how many
    of them a campaign that is resumed has called; all are absent where no contact is concerned.
    `rivals` are the ids of other campaigns on the audience that are equal or dial by themselves.
    `waves` are rows of a table, one for each campaign, each with a mark that is not shown.
    """

    action: Action
    name: str
    status: str = ""
    campaign_id: str = ""
    agent_id: str = ""
    agent: str = ""
    audience_id: str = ""
    audience: str = ""
    people: int | None = None
    called: int | None = None
    members: str = ""
    rivals: tuple[str, ...] = ()
    phone_ids: tuple[str, ...] = ()
    caller_ids: tuple[str, ...] = ()
    max_retries: int | None = None
    retry_delay: int | None = None
    scheduled_at: str = ""
    waves: tuple[str, ...] = ()

    def digest(self, tenant: str) -> str:
        """Fingerprint of every fact, for `tenant`: a yes to one digest is no yes to another.

        `called` is left out: it grows for a while after a pause, and fewer calls need no other yes.
        """
        facts = json.dumps({"tenant": tenant, **asdict(self), "called": None}, sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()

    def question(self, *, simulated: bool = False) -> str:
        """Ask for it in words; the same plan always gives the same words.

        `simulated` calls, those of the sandbox, ring nobody's phone.
        """
        return _QUESTIONS[self.action](self, "simulated calls" if simulated else "real phone calls")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan, the findings about it, and how long it takes.

    Only the plan is agreed to by its digest. The rest moves with the clock: it is shown once and
    judged again before anything is sent. `basis` is what was read for it, for the tool to act on.
    """

    plan: Plan
    findings: tuple[Finding, ...] = ()
    duration: str = ""
    basis: Any = None

    def question(self, *, simulated: bool = False) -> str:
        """Ask for the plan, with its duration and every warning."""
        lasts = f" It takes {self.duration}." if self.duration else ""
        warnings = "; ".join(self.warnings())
        asked = self.plan.question(simulated=simulated)
        if self.plan.waves:  # warnings would be overlooked below a long table
            note = f"Note: {warnings}.\n" if warnings else ""
            return "\n".join([f"{note}{asked}", *map(_shown, self.plan.waves)])
        return f"{asked}{lasts}" + (f" Note: {warnings}." if warnings else "")

    def warnings(self) -> tuple[str, ...]:
        """Return the findings that do not forbid it, as the question shows them."""
        return tuple(finding.reason for finding in self.findings if finding.severity != "block")


def fingerprint(numbers: Iterable[str]) -> str:
    """Identify a set of phone numbers, whatever their order, without keeping them."""
    return hashlib.sha256("\n".join(sorted(numbers)).encode()).hexdigest()


def _start(plan: Plan, calls: str) -> str:
    verb = "Resume" if plan.action == "resume" else "Start"
    return f"{verb} campaign {named(plan.name, plan.campaign_id)} now? {_calls(plan, calls)}"


def _schedule(plan: Plan, calls: str) -> str:
    return f"Schedule campaign {quoted(plan.name)} for {plan.scheduled_at}? {_calls(plan, calls)}"


def _waves(plan: Plan, calls: str) -> str:
    count = counted(len(plan.waves), "campaign")
    return f"Schedule {count} named {quoted(plan.name)}, a wave each? {_calls(plan, calls)}"


def _shown(wave: str) -> str:
    """Return the row of a campaign without the mark behind it."""
    return wave.rpartition(" #")[0]


def _delete(plan: Plan, _: str) -> str:
    return (
        f"Delete campaign {quoted(plan.name)} ({plan.campaign_id}, {word(plan.status)}) with its "
        "history? This cannot be undone."
    )


def _delete_several(plan: Plan, _: str) -> str:
    count = counted(len(plan.waves), "campaign")
    return f"Delete {count} with their history? This cannot be undone."


def _delete_audience(plan: Plan, _: str) -> str:
    people = counted(plan.people, "contact") if plan.people is not None else "its contacts"
    return (
        f"Delete audience {named(plan.name, plan.audience_id)} with {people}? This cannot be "
        "undone."
    )


def _calls(plan: Plan, calls: str) -> str:
    people = counted(plan.people, "contact") if plan.people is not None else "its contacts"
    if plan.people is not None and plan.called is not None:
        people = counted(max(plan.people - plan.called, 0), "contact") + " not called yet"
        if plan.max_retries and plan.called:
            people += f" and, where a retry is due, to the {plan.called} called before"
    retries = (
        f", and up to {counted(plan.max_retries, 'more attempt')} to each if unanswered, "
        f"{plan.retry_delay} min apart"
        if plan.max_retries
        else ""
    )
    callers = f" Caller IDs: {', '.join(map(word, plan.caller_ids))}." if plan.caller_ids else ""
    return (
        f"It places {calls} to {people} (audience "
        f"{named(plan.audience, plan.audience_id)}) with agent "
        f"{named(plan.agent, plan.agent_id)}{retries}.{callers}"
    )


_QUESTIONS = {
    "start": _start,
    "resume": _start,
    "schedule": _schedule,
    "waves": _waves,
    "delete_campaign": _delete,
    "delete_campaigns": _delete_several,
    "delete_audience": _delete_audience,
}
