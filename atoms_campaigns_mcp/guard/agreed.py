"""What a resumption must find again: plan, do-not-call hits and policy, as when it was stopped."""

import hashlib
import json
from dataclasses import asdict, replace

from atoms_campaigns_mcp.guardrails.facts import AgentFact
from atoms_campaigns_mcp.guardrails.plan import fingerprint
from atoms_campaigns_mcp.toolkit.context import Operator
from atoms_campaigns_mcp.toolkit.start_proposal import Judged


def digest_of(judged: Judged, operator: Operator) -> str | None:
    """Fingerprint of all that must be equal; None if some of it could not be read."""
    plan, facts = judged.proposal.plan, judged.facts
    # The API does not tell the caller IDs of a campaign made elsewhere: those stay unknown.
    callers_unread = facts.callers is None and plan.phone_ids
    if facts.dnc is None or facts.rivals is None or callers_unread:
        return None
    if not isinstance(facts.agent, AgentFact):
        return None
    numbers = (contact.number for contact in facts.contacts)
    listed = fingerprint(number for number in numbers if number.lstrip("+") in (facts.dnc or ()))
    same = replace(plan, action="resume", status="", called=None, scheduled_at="")
    told = json.dumps(
        [asdict(same), listed, facts.dnc_unread, operator.in_force(), facts.agent.archived],
        sort_keys=True,
    )
    return hashlib.sha256(told.encode()).hexdigest()
