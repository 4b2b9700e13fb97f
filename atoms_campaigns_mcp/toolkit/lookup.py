"""From what an agent names (by id, exact name or number) to an id; never by guessing."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.errors import InvalidArguments, NotFound
from atoms_campaigns_mcp.schemas.agents import Agent
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.base import Row
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.schemas.fields import ID_PATTERN, word
from atoms_campaigns_mcp.schemas.phone_numbers import PhoneNumber
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.toolkit.waves.names import is_of, is_wave_of

A = TypeVar("A", bound=Args)
N = TypeVar("N", bound=Row)
SHOWN = 8  # candidates in an error
SEARCHED = 100  # rows a request that are compared by name
MOST = 50  # campaigns of one call
PAGES = 10  # requests for the campaigns that hold a name


def names_campaigns(args: Args) -> bool:
    """Return whether an argument names a campaign."""
    return any(
        value and argument.endswith(("campaign_id", "campaign_ids")) for argument, value in args
    )


async def with_campaign_ids(atoms: AtomsClient, args: A) -> A:
    """Return the arguments with the id of each campaign that they name.

    What comes after, such as locks and plans, knows campaigns by id only.

    Raises:
        NotFound: No such campaign.
        InvalidArguments: Several campaigns have that name, or too many hold it.
    """
    ids: dict[str, Any] = {}
    for argument, value in args:
        if args.several and argument == "campaign_id":
            ids[argument] = ", ".join(await campaign_ids(atoms, value))
        elif argument in args.of_waves and isinstance(value, str):
            ids[argument] = ", ".join(await waves_or_one(atoms, value, argument))
        elif argument in args.of_waves and value:
            found = [await waves_or_one(atoms, one, argument) for one in value]
            ids[argument] = [one for waves in found for one in waves]
            if len(ids[argument]) > MOST:
                raise _too_many(len(ids[argument]), argument)
        elif argument.endswith("campaign_id") and isinstance(value, str):
            ids[argument] = await campaign_id(atoms, value, argument=argument)
        elif argument.endswith("campaign_ids") and value:
            ids[argument] = [await campaign_id(atoms, one, argument=argument) for one in value]
    return args.model_copy(update=ids)


async def campaign_id(atoms: AtomsClient, reference: str, *, argument: str = "campaign_id") -> str:
    """Find the id of one campaign; an id is not looked up.

    Raises:
        NotFound: No such campaign.
        InvalidArguments: Several campaigns have that name, or too many hold it.
    """
    if re.match(ID_PATTERN, reference.lower()):
        return reference.lower()
    # A campaign may be newer than a read that others began.
    rows = await _campaigns_with(atoms.anew(), reference, argument)
    if not rows:  # candidates are better than none
        rows, _ = await atoms.list_campaigns(limit=SEARCHED)
    return _one(rows, reference, argument=argument, tool="list_campaigns").id


async def waves_or_one(atoms: AtomsClient, reference: str, argument: str) -> list[str]:
    """Find all waves of a common name, unless a campaign has exactly this name or id.

    Raises:
        NotFound: No such campaign.
        InvalidArguments: Several campaigns have that name, or there are more than `MOST` waves.
    """
    if not re.match(ID_PATTERN, reference.lower()):
        common = reference.removesuffix("*").strip()
        rows = await _campaigns_with(atoms.anew(), common, argument)
        waves = [row for row in rows if is_wave_of(row.name, common)]
        if len(waves) > MOST:
            raise _too_many(len(waves), argument)
        if waves and not _named(rows, reference):
            return [row.id for row in reversed(waves)]
    return [await campaign_id(atoms, reference, argument=argument)]


def _too_many(count: int, argument: str = "campaign_id") -> InvalidArguments:
    return InvalidArguments(
        f"{argument}: {count} campaigns; at most {MOST} at once. Nothing was sent.",
        next_step=f"Call it with up to {MOST} ids at a time.",
    )


async def campaign_ids(atoms: AtomsClient, reference: str) -> list[str]:
    """Find the ids of one campaign, of several by their ids, or of scheduled waves by `NAME *`.

    Raises:
        NotFound: No such campaign.
        InvalidArguments: Several campaigns have that name, or there are more than `MOST`.
    """
    common = reference.removesuffix("*").strip()
    if common != reference:
        rows = await _campaigns_with(atoms.anew(), common, "campaign_id")
        found = [r.id for r in rows if r.status == "scheduled" and is_of(r.name, common)]
        if not found:
            raise NotFound(
                "campaign_id: no campaign of this name is scheduled. Nothing was sent.",
                next_step="list_campaigns with search shows what there is of that name.",
            )
    else:
        found = list(dict.fromkeys(re.split(r"[,\s]+", reference.lower())))
        if len(found) == 1 or not all(re.match(ID_PATTERN, one) for one in found):
            return [await campaign_id(atoms, reference)]
    if len(found) > MOST:
        raise _too_many(len(found))
    return found


async def _campaigns_with(atoms: AtomsClient, name: str, argument: str) -> list[Campaign]:
    """Return all campaigns whose names hold this one: a second of that name may come last."""
    found: list[Campaign] = []
    for page in range(1, PAGES + 1):
        rows, listed = await atoms.list_campaigns(search=name, limit=SEARCHED, page=page)
        found += rows
        if not listed.has_more or not rows:
            return found
    raise InvalidArguments(
        f"{argument}: more than {PAGES * SEARCHED} campaigns hold this name, so it cannot be told "
        "whether one alone has exactly this name. Nothing was sent.",
        next_step="Give its id; list_campaigns shows it.",
    )


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


async def audience(
    atoms: AtomsClient, reference: str, *, argument: str = "audience_id"
) -> Audience:
    """Find one audience.

    Raises:
        NotFound: No such audience.
        InvalidArguments: Several audiences have that name.
    """
    rows = await atoms.list_audiences()
    if not _named(rows, reference):  # it may be newer than a read that others began
        rows = await atoms.anew().list_audiences()
    return _one(rows, reference, argument=argument, tool="list_audiences")


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
            next_step="Call list_phone_numbers, and ask the user if several fit.",
        )
    return list({row.id: row for row in (known[reference] for reference in references)}.values())


def _named(rows: Sequence[N], reference: str) -> list[N]:
    by_id = [row for row in rows if row.id == reference]
    wanted = str(clean(reference)).casefold()
    return by_id or [row for row in rows if row.name.casefold() == wanted]


def _one(rows: Sequence[N], reference: str, *, argument: str, tool: str) -> N:
    named = _named(rows, reference)
    if len(named) == 1:
        return named[0]
    shown = _candidates([f"{row.told()} ({word(row.id)})" for row in named or rows])
    if named:
        raise InvalidArguments(
            f"{argument}: {len(named)} have exactly this name. {shown}",
            next_step="Ask the user which one is meant, unless they have said so, and give its id.",
        )
    raise NotFound(
        f"{argument}: nothing in this account has exactly this id or name. {shown}",
        next_step=f"If none of these is clearly meant, call {tool} or ask the user.",
    )


def _candidates(texts: Sequence[str]) -> str:
    if not texts:
        return "There is none."
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return f"Candidates: {', '.join(texts[:SHOWN])}{more}."
