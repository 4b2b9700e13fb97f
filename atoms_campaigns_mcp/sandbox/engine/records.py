"""What the dialer holds in memory for one step: campaigns at work and their calls."""

import json
from collections import deque
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import NamedTuple

from atoms_campaigns_mcp.sandbox.engine.options import Completion, Odds
from atoms_campaigns_mcp.sandbox.engine.outcomes import Chances


class Contact(NamedTuple):
    """A contact of a campaign on its way to the dialer."""

    position: int
    member_pk: int
    phone: str


@dataclass(slots=True, kw_only=True)
class Call:
    """One attempt to reach one contact: a row of the table `call`, field by column."""

    pk: int
    org_pk: int
    call_id: str
    campaign_pk: int
    position: int
    attempt: int
    member_pk: int
    agent_pk: int
    from_number: str
    to_number: str
    status: str
    created_at: int
    updated_at: int
    outcome: str | None = None
    reason: str | None = None
    failure: str | None = None
    script: int = 0
    dialed_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    next_at: int | None = None


@dataclass(slots=True)
class Execution:
    """One round of handing contacts to the dialer: a start or a resume."""

    campaign_pk: int
    number: int
    kind: str
    status: str
    total: int
    processed: int
    failed: int
    started_at: int
    completed_at: int | None


@dataclass(slots=True)
class Run:
    """A campaign at work: the columns of `campaign` that the dialer reads and changes."""

    pk: int
    org_pk: int
    ordinal: int
    agent_pk: int
    audience_pk: int
    phone_pks: str
    rules: str
    max_retries: int
    retry_delay: int
    status: str
    scheduled_at: int | None
    ready_at: int | None
    pause_at: int | None
    dispatch_at: int | None
    dialing: int
    callers: str
    contacts: int | None
    undispatched: int
    unsettled: int
    executions: int
    called: int
    connected: int
    retry_attempts: int
    cancelled_calls: int | None
    paused_at: int | None
    error: str | None
    failed_at: int | None
    updated_at: int
    numbers: list[str] = field(init=False)
    chances: Chances = field(init=False)
    completion: Completion = field(init=False)
    execution: Execution | None = field(init=False, default=None)
    queue: deque[Call] = field(init=False, default_factory=deque[Call])
    live: int = field(init=False, default=0)
    cursor: int = field(init=False, default=0)  # last position handed to the dialer in this step

    def __post_init__(self) -> None:
        rules = json.loads(self.rules)
        self.numbers = json.loads(self.callers)
        self.chances = Chances(rules["seed"], Odds(**rules["odds"]))
        self.completion = rules["completion"]

    def set_numbers(self, numbers: list[str]) -> None:
        """Choose the numbers to dial from, in E.164."""
        self.numbers, self.callers = numbers, json.dumps(numbers)


def _columns(table: type[Call | Execution | Run]) -> tuple[str, ...]:
    return tuple(column.name for column in fields(table) if column.init)


CALL_COLUMNS = _columns(Call)
RUN_COLUMNS = _columns(Run)
EXECUTION_COLUMNS = _columns(Execution)

call_row = attrgetter(*CALL_COLUMNS)
run_row = attrgetter(*RUN_COLUMNS)
execution_row = attrgetter(*EXECUTION_COLUMNS)
