"""The question before a start, a schedule or a deletion, in words."""

from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal
from atoms_campaigns_mcp.schemas.fields import named, word
from atoms_campaigns_mcp.schemas.text import counted, quoted


def question_of(proposal: Proposal, *, simulated: bool = False) -> str:
    """Ask for the plan, with its duration and every warning.

    `simulated` calls, those of the sandbox, ring nobody's phone.
    """
    plan = proposal.plan
    asked = _QUESTIONS[plan.action](plan, "simulated calls" if simulated else "real phone calls")
    lasts = f" It takes {proposal.duration}." if proposal.duration else ""
    warnings = "; ".join(proposal.warnings())
    if plan.waves:  # warnings would be overlooked below a long table
        note = f"Note: {warnings}.\n" if warnings else ""
        return "\n".join([f"{note}{asked}", *map(_shown, plan.waves)])
    return f"{asked}{lasts}" + (f" Note: {warnings}." if warnings else "")


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
