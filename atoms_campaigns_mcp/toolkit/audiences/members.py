"""Reading the contacts of an audience, a few pages at a time."""

import math
from dataclasses import dataclass
from functools import partial

from atoms_campaigns_mcp.atoms.client import (
    MEMBERS_PAGE,
    MEMBERS_PAGES,
    AtomsClient,
    Member,
    endless,
)
from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.contacts.opt_outs import opted_out
from atoms_campaigns_mcp.contacts.zone_names import zones_in
from atoms_campaigns_mcp.schemas.audiences import Audience


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact: its number as the audience has it, and what its columns say.

    They name time `zones`, or say not to call it: it has `opted_out`.
    """

    number: str
    zones: tuple[str, ...] = ()
    opted_out: bool = False


async def contacts_of(atoms: AtomsClient, audience: Audience) -> list[Contact]:
    """Return every contact, in the order of the audience."""
    return [
        Contact(number_of(row, audience), zones_in(row.data), opted_out(row.data))
        for row in await members_of(atoms, audience)
    ]


def number_of(member: Member, audience: Audience) -> str:
    """Return a contact's number as the audience has it."""
    return str(member.data.get(audience.phone_column or PHONE, ""))


async def members_of(atoms: AtomsClient, audience: Audience) -> list[Member]:
    """Return every contact with its columns, in the order of the audience."""
    pages = max(math.ceil((audience.contacts or 0) / MEMBERS_PAGE), 1)

    async def read(page: int) -> list[Member]:
        return await atoms.list_members(audience.id, page=page)

    read_all = await all_of({page: partial(read, page) for page in range(1, pages + 1)})
    found = [contact for contacts in read_all for contact in contacts]
    # The API may not tell the count: nobody may be called who was not looked at.
    while len(found) == pages * MEMBERS_PAGE and len(found) != audience.contacts:
        if pages >= MEMBERS_PAGES:
            raise endless()
        pages += 1
        found += await read(pages)
    return found
