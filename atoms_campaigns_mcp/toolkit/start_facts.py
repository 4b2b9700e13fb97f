"""Reading the facts that a start is judged by, at once and within the API's rate."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.contacts.numbers.stored import e164
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound
from atoms_campaigns_mcp.guardrails.facts import (
    AgentFact,
    CallerFact,
    ContactFact,
    Facts,
    RivalFact,
    SlotFact,
)
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign
from atoms_campaigns_mcp.schemas.phone_numbers import PhoneNumber
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.audiences.do_not_call import do_not_call
from atoms_campaigns_mcp.toolkit.audiences.lock import DIALS, in_status, on
from atoms_campaigns_mcp.toolkit.audiences.members import Contact
from atoms_campaigns_mcp.toolkit.context import ToolContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start to be judged: who calls whom, from which numbers, when and how often.

    `besides` is the campaign, or the key of the creation, that it is about. `equal` are campaigns
    of which it would be a duplicate.
    """

    agent_id: str
    audience: Audience | None
    contacts: Sequence[Contact]
    phone_ids: Sequence[str] | None
    at: datetime
    max_retries: int
    retry_delay: int
    besides: str = ""
    equal: Sequence[Campaign] = ()


async def read_facts(start: Start, ctx: ToolContext) -> Facts:
    """Read every fact that a start is judged by; what cannot be read is None."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "account": partial(read_account, ctx, start.besides),
        "agent": partial(read_agent, ctx, start.agent_id),
    }
    around, of_agent = await all_of(reads)
    return await facts_of(start, around.with_(of_agent), ctx)


@dataclass(frozen=True, slots=True)
class Around:
    """What was read of the account around a campaign, whoever it calls; what failed is absent."""

    found: dict[str, Any]
    begun: int | None

    def with_(self, found: dict[str, Any]) -> "Around":
        """Return this with what was read besides."""
        return replace(self, found=self.found | found)


async def read_account(ctx: ToolContext, besides: str = "") -> Around:
    """Read caller IDs, do-not-call list, slots, balance and what dials, all at once.

    Where the answer is only shown or asked about, it may be a moment old: see
    `AtomsClient.recently`. Whatever acts reads it anew.
    """
    atoms = ctx.atoms
    # First: what shows itself meanwhile is counted twice, and not overlooked.
    begun = await _begun(ctx, besides)
    found = await _recent(
        {
            "numbers": atoms.list_phone_numbers,
            "dnc": partial(do_not_call, atoms, [None]),
            "slots": atoms.get_concurrency,
            "balance": atoms.get_balance,
            "live": partial(atoms.list_calls, statuses=LIVE),
            **{status: partial(in_status, atoms, status) for status in DIALS},
        },
        ctx,
    )
    return Around(found, begun)


async def read_agent(ctx: ToolContext, agent_id: str) -> dict[str, Any]:
    """Read the agent and its do-not-call list, as `read_account` does."""
    atoms = ctx.atoms
    reads = {
        "agent": partial(_agent, atoms, agent_id),
        "dnc of agent": partial(do_not_call, atoms, [agent_id]),
    }
    return await _recent(reads, ctx, agent_id)


async def _recent(
    reads: Mapping[str, Callable[[], Awaitable[Any]]], ctx: ToolContext, whose: str = ""
) -> dict[str, Any]:
    found, _ = await attempt(
        {name: partial(ctx.atoms.recently, (name, whose), reads[name]) for name in reads},
        at_once=len(reads),  # the transport paces them
    )
    return found


async def facts_of(start: Start, around: Around, ctx: ToolContext) -> Facts:
    """Put together what was read; see `read_facts`."""
    found, begun = around.found, around.begun
    numbers, unread = _listed(found)
    return Facts(
        start=start.at,
        contacts=await ctx.shared.work(_contacts, start.contacts, ctx),
        max_retries=start.max_retries,
        retry_delay=start.retry_delay,
        agent=found.get("agent"),
        callers=_callers(found.get("numbers"), start.phone_ids),
        dnc=numbers,
        dnc_unread=unread,
        slots=_slots(found, start.agent_id),
        balance=found["balance"].credit if "balance" in found else None,
        running=_running(found, begun),
        begun=begun or 0,
        rivals=_rivals(found, start),
    )


def _listed(found: dict[str, Any]) -> tuple[frozenset[str] | None, int]:
    """Return the digits on both do-not-call lists, and how many entries cannot be read."""
    lists = [found.get("dnc", (None, 0)), found.get("dnc of agent", (None, 0))]
    if any(numbers is None for numbers, _ in lists):
        return None, 0
    return frozenset[str]().union(*(numbers for numbers, _ in lists)), sum(n for _, n in lists)


async def _agent(atoms: AtomsClient, agent_id: str) -> AgentFact | bool:
    try:
        agent = await atoms.get_agent(agent_id)
    except NotFound:
        return False
    return AgentFact(agent.id, agent.name, agent.archived)


async def _begun(ctx: ToolContext, besides: str) -> int | None:
    """Count what was begun here and does not show yet, where a limit needs it."""
    if ctx.operator.policy.max_running is None:
        return 0
    try:
        return len(await campaign_states.under_way(ctx, besides))
    except AtomsCampaignsError:
        return None


def _running(found: dict[str, Any], begun: int | None) -> int | None:
    counts: list[int | None] = [begun]
    counts += [found[status][1] if status in found else None for status in DIALS]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return None
    rows = [row.id for status in DIALS for row in found[status][0]]
    # One that began to run between two of the reads is in both.
    return sum(known) - (len(rows) - len(set(rows)))


def _rivals(found: dict[str, Any], start: Start) -> tuple[RivalFact, ...] | None:
    """Return the other campaigns on the audience that are equal, dial it now or are scheduled."""
    if any(status not in found for status in DIALS):
        return None
    audience = start.audience
    same = {row.id for row in start.equal}
    rows = [row for status in DIALS for row in found[status][0]]
    rivals = {
        row.id: RivalFact(row.id, row.name, row.status, row.id in same)
        for row in (
            *(use for use in (audience.campaigns if audience else ()) if use.status in ACTIVE),
            *(on(audience.id, rows) if audience else ()),
            *start.equal,
        )
    }
    rivals.pop(start.besides, None)
    # The same order every time, for these are words of a question.
    return tuple(sorted(rivals.values(), key=lambda rival: (not rival.equal, rival.id)))


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


def _slots(found: dict[str, Any], agent_id: str) -> SlotFact | None:
    slots = found.get("slots")
    usable = slots.usable(agent_id) if slots else None
    if slots is None or slots.limit is None or usable is None:
        return None
    live = found["live"][1].total if "live" in found else None
    return SlotFact(slots.limit, live, reserved=slots.limit - usable)


def _contacts(contacts: Sequence[Contact], ctx: ToolContext) -> tuple[ContactFact, ...]:
    directory = ctx.shared.directory
    facts: list[ContactFact] = []
    for contact in contacts:
        number = e164(contact.number)
        if not number:
            facts.append(ContactFact("", unread=number is None, opted_out=contact.opted_out))
            continue
        zones = _zones(
            contact, directory.zones(number), enforced=ctx.operator.policy.hours_enforced
        )
        country = directory.country(number)
        facts.append(ContactFact(number, country, zones, opted_out=contact.opted_out))
    return tuple(facts)


def _zones(contact: Contact, of_number: tuple[str, ...], *, enforced: bool) -> tuple[str, ...]:
    """Return the zones by which a contact is judged: its column's, else those of its number.

    A column is the caller's word. Where the operator enforces calling hours, a contact must be
    within them in both, so that no column opens hours that the number closes.
    """
    if enforced:
        return tuple(dict.fromkeys((*of_number, *contact.zones))) if of_number else ()
    return contact.zones or of_number
