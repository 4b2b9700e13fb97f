"""Reading the facts that a start is judged by, at once and within the API's rate."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from atoms_campaigns_mcp.atoms.client import AtomsClient, digits
from atoms_campaigns_mcp.errors import NotFound
from atoms_campaigns_mcp.guardrails import hours
from atoms_campaigns_mcp.guardrails.facts import (
    AgentFact,
    CallerFact,
    ContactFact,
    Facts,
    SlotFact,
)
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE
from atoms_campaigns_mcp.schemas.fields import E164_PATTERN
from atoms_campaigns_mcp.schemas.resources import Audience, PhoneNumber
from atoms_campaigns_mcp.tools._members import Contact
from atoms_campaigns_mcp.tools._parallel import attempt
from atoms_campaigns_mcp.tools._tool import ToolContext

DNC_PAGES = 20  # of 500 entries; a longer list counts as unknown
RUNNING = ACTIVE | {"scheduled"}  # which will run by themselves
_E164 = re.compile(E164_PATTERN)


async def read_facts(
    ctx: ToolContext,
    *,
    agent_id: str,
    audience: Audience | None,
    contacts: Sequence[Contact],
    phone_ids: Sequence[str] | None,
    start: datetime,
    max_retries: int,
    retry_delay: int,
    campaign_id: str = "",
) -> Facts:
    """Read everything that may speak against it; what cannot be read is None."""
    atoms = ctx.atoms
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "agent": partial(_agent, atoms, agent_id),
        "numbers": atoms.list_phone_numbers,
        "dnc": partial(_do_not_call, atoms, agent_id),
        "slots": atoms.get_concurrency,
        "live": partial(atoms.list_calls, statuses=LIVE),
        "balance": atoms.get_balance,
        **{status: partial(atoms.list_campaigns, status=status, limit=1) for status in RUNNING},
    }
    found, _ = await attempt(reads)
    running = [found[status][1].total for status in RUNNING if status in found]
    complete = len(running) == len(RUNNING) and None not in running
    campaigns = audience.campaigns if audience else ()
    return Facts(
        start=start,
        contacts=await ctx.shared.work(_contacts, contacts, ctx),
        max_retries=max_retries,
        retry_delay=retry_delay,
        agent=found.get("agent"),
        callers=_callers(found.get("numbers"), phone_ids),
        dnc=found.get("dnc"),
        slots=_slots(found),
        balance=found["balance"].credit if "balance" in found else None,
        running=sum(count or 0 for count in running) if complete else None,
        rivals=tuple(c.name for c in campaigns if c.status in ACTIVE and c.id != campaign_id),
    )


async def _agent(atoms: AtomsClient, agent_id: str) -> AgentFact | bool:
    try:
        agent = await atoms.get_agent(agent_id)
    except NotFound:
        return False
    return AgentFact(agent.id, agent.name, agent.archived)


async def _do_not_call(atoms: AtomsClient, agent_id: str) -> frozenset[str] | None:
    """Give the digits on the lists of the organization and of the agent."""
    numbers: set[str] = set()
    for owner in (None, agent_id):
        more, page = True, 0
        while more:
            page += 1
            if page > DNC_PAGES:
                return None
            rows, listed = await atoms.list_do_not_call(page=page, agent_id=owner)
            numbers |= {digits(row.number) for row in rows}
            more = listed.has_more
    return frozenset(numbers)


def _callers(
    numbers: list[PhoneNumber] | None, phone_ids: Sequence[str] | None
) -> tuple[CallerFact, ...] | None:
    if numbers is None or phone_ids is None:
        return None
    known = {row.id: row for row in numbers}
    return tuple(
        CallerFact(row.id, row.number, row.active, row.country or "")
        if (row := known.get(phone_id))
        else CallerFact(phone_id, "", active=False)
        for phone_id in phone_ids
    )


def _slots(found: dict[str, Any]) -> SlotFact | None:
    slots = found.get("slots")
    if slots is None or slots.limit is None:
        return None
    live = found["live"][1].total if "live" in found else None
    return SlotFact(slots.limit, live)


def _contacts(contacts: Sequence[Contact], ctx: ToolContext) -> tuple[ContactFact, ...]:
    directory = ctx.shared.directory
    facts: list[ContactFact] = []
    for contact in contacts:
        number = "+" + contact.number.strip().lstrip("+")
        if not _E164.match(number):
            facts.append(ContactFact(""))
            continue
        own = (contact.timezone,) if hours.known(contact.timezone) else ()
        facts.append(ContactFact(number, directory.country(number), own or directory.zones(number)))
    return tuple(facts)
