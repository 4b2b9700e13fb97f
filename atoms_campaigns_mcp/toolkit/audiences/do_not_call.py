"""Reading the do-not-call lists of the organization and of its agents."""

from collections.abc import Iterable, Sequence
from functools import partial

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.errors import AtomsCampaignsError, WrongState
from atoms_campaigns_mcp.guardrails.policy import Policy

DNC_PAGES = 20  # of 500 entries; a longer list counts as unknown
AGENTS = 100  # whose lists are read; with more, the list counts as unknown


async def do_not_call(
    atoms: AtomsClient, owners: Iterable[str | None]
) -> tuple[frozenset[str] | None, int]:
    """Return the digits on the lists of agents and, for None, of the organization.

    Returns:
        None for the digits if a list is too long; and how many entries cannot be read.
    """
    found = await all_of({owner: partial(_list_of, atoms, owner) for owner in owners})
    if any(numbers is None for numbers, _ in found):
        return None, 0
    return frozenset[str]().union(*(numbers or () for numbers, _ in found)), sum(
        unread for _, unread in found
    )


async def _list_of(atoms: AtomsClient, owner: str | None) -> tuple[set[str] | None, int]:
    numbers: set[str] = set()
    unread, more, page = 0, True, 0
    while more:
        page += 1
        if page > DNC_PAGES:
            return None, 0
        rows, listed = await atoms.list_do_not_call(page=page, agent_id=owner)
        read = [as_digits(row.number) for row in rows]
        numbers |= {number for number in read if number}
        unread += sum(not number for number in read)
        more = listed.has_more
    return numbers, unread


async def everybodys(atoms: AtomsClient) -> frozenset[str]:
    """Return the digits on the organization's list and on that of any agent.

    Raises:
        WrongState: A list cannot be read, or not to its end.
    """
    try:
        agents, listed = await atoms.list_agents(limit=AGENTS)
        owners = [None, *(agent.id for agent in agents)]
        found = await all_of({owner: partial(do_not_call, atoms, [owner]) for owner in owners})
    except AtomsCampaignsError as error:
        raise _unknown("cannot be read now") from error
    if listed.has_more or any(numbers is None for numbers, _ in found):
        raise _unknown("is too long to be read to its end")
    if any(unread for _, unread in found):
        raise _unknown("has an entry that cannot be read as a number")
    return frozenset[str]().union(*(numbers or () for numbers, _ in found))


async def known(atoms: AtomsClient) -> frozenset[str] | None:
    """Return what `everybodys` does; None if that cannot be known."""
    try:
        return await everybodys(atoms)
    except WrongState:
        return None


def count(numbers: Sequence[str], listed: frozenset[str] | None) -> int | None:
    """Count the numbers that are on a list; None if that cannot be known."""
    return None if listed is None else sum(as_digits(number) in listed for number in numbers)


async def hits(atoms: AtomsClient, numbers: Sequence[str]) -> int | None:
    """Count the numbers that are on a list; None if that cannot be known."""
    return count(numbers, await known(atoms))


def advice(on_dnc: int | None, opted_out: int, policy: Policy) -> str:
    """Return what to do about those of an audience who asked not to be called; "" if nobody did."""
    if not on_dnc and not opted_out:
        return ""
    told = f"Its own columns say not to call {opted_out} of them. " if opted_out else ""
    if on_dnc and policy.require_dnc_clean:
        told += "A start is refused while anybody on a do-not-call list is in it. "
    return f"{told}create_audience with from_audience_id makes an audience without them."


def _unknown(why: str) -> WrongState:
    return WrongState(
        f"exclude_dnc: the do-not-call list {why}, so nobody is known not to be on it. "
        "Nothing was created.",
        next_step="Try again later. Whether to make the list all the same (exclude_dnc: false) "
        "is for the user to decide: ask.",
    )
