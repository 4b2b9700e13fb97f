"""From what an agent says (an id, an exact name, a number) to an id; never by guessing."""

import re
from collections.abc import Sequence
from typing import TypeVar

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound
from atoms_campaigns_mcp.schemas.agents import Agent
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.base import Row
from atoms_campaigns_mcp.schemas.fields import ID_PATTERN, word
from atoms_campaigns_mcp.schemas.phone_numbers import PhoneNumber

N = TypeVar("N", bound=Row)
SHOWN = 8  # candidates in an error
SEARCHED = 100  # agents compared by name


async def agent(atoms: AtomsClient, reference: str) -> Agent:
    """Find one agent that is not archived.

    Raises:
        NotFound: No such agent, or it is archived.
        InvalidArguments: Several agents have that name.
    """
    if re.match(ID_PATTERN, reference):
        found = await atoms.get_agent(reference)
    else:
        rows, _ = await atoms.list_agents(limit=SEARCHED, search=reference)
        if not _named(rows, reference):
            rows, _ = await atoms.anew().list_agents(limit=SEARCHED, search=reference)
        if not rows:  # candidates are better than none
            rows, _ = await atoms.list_agents(limit=SEARCHED)
        found = _one(rows, reference, argument="agent_id", tool="list_agents")
    if found.archived:
        raise NotFound(
            f"agent_id: agent {found.label} is archived and cannot call.",
            next_step="Choose another with list_agents.",
        )
    return found


async def audience(atoms: AtomsClient, reference: str) -> Audience:
    """Find one audience.

    Raises:
        NotFound: No such audience.
        InvalidArguments: Several audiences have that name.
    """
    rows = await atoms.list_audiences()
    if not _named(rows, reference):  # it may be newer than a read that others began
        rows = await atoms.anew().list_audiences()
    return _one(rows, reference, argument="audience_id", tool="list_audiences")


async def phone_numbers(atoms: AtomsClient, references: Sequence[str]) -> list[PhoneNumber]:
    """Find caller IDs by id or number, each once, in the order given.

    Raises:
        NotFound: One of them is not in this account.
    """
    rows = await atoms.list_phone_numbers()
    if set(references) - {key for row in rows for key in (row.id, row.number)}:
        rows = await atoms.anew().list_phone_numbers()
    known = {key: row for row in rows for key in (row.id, row.number)}
    missing = [
        str(place) for place, reference in enumerate(references, 1) if reference not in known
    ]
    if missing:
        raise NotFound(
            f"phone_ids: entry {', '.join(missing)} is not a caller ID of this account. "
            f"{_candidates([row.told() for row in rows if row.active])}",
            next_step="Use one of these, or call list_phone_numbers.",
        )
    return list({row.id: row for row in (known[reference] for reference in references)}.values())


def _named(rows: Sequence[N], reference: str) -> list[N]:
    by_id = [row for row in rows if row.id == reference]
    return by_id or [row for row in rows if row.name.casefold() == reference.casefold()]


def _one(rows: Sequence[N], reference: str, *, argument: str, tool: str) -> N:
    named = _named(rows, reference)
    if len(named) == 1:
        return named[0]
    shown = _candidates([f"{row.told()} ({word(row.id)})" for row in named or rows])
    if named:
        raise InvalidArguments(
            f"{argument}: {len(named)} have exactly this name. {shown}",
            next_step="Call again with one of these ids.",
        )
    raise NotFound(
        f"{argument}: nothing in this account has exactly this id or name. {shown}",
        next_step=f"Use one of these ids, or call {tool}.",
    )


def _candidates(texts: Sequence[str]) -> str:
    if not texts:
        return "There is none."
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return f"Candidates: {', '.join(texts[:SHOWN])}{more}."
