"""The plan: the facts of what is about to dial or to be destroyed, as they were read."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from atoms_campaigns_mcp.guardrails.findings import Finding

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

    def warnings(self) -> tuple[str, ...]:
        """Return the findings that do not forbid it, as the question shows them."""
        return tuple(finding.reason for finding in self.findings if finding.severity != "block")


def fingerprint(numbers: Iterable[str]) -> str:
    """Identify a set of phone numbers, whatever their order, without keeping them."""
    return hashlib.sha256("\n".join(sorted(numbers)).encode()).hexdigest()
