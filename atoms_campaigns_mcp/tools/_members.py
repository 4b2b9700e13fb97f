"""Reading the contacts of an audience, a few pages at a time."""

import math

import anyio

from atoms_campaigns_mcp.atoms.client import MEMBERS_PAGE, AtomsClient
from atoms_campaigns_mcp.schemas.resources import Audience

IN_FLIGHT = 4  # pages asked for at once


async def numbers_of(atoms: AtomsClient, audience: Audience) -> list[str]:
    """Give the phone number of every contact, in the order of the audience."""
    pages = max(math.ceil((audience.contacts or 0) / MEMBERS_PAGE), 1)
    column = audience.phone_column or "phoneNumber"
    found: dict[int, list[str]] = {}
    limiter = anyio.CapacityLimiter(IN_FLIGHT)

    async def read(page: int) -> None:
        async with limiter:
            found[page] = await atoms.list_numbers(audience.id, column=column, page=page)

    async with anyio.create_task_group() as tasks:
        for page in range(1, pages + 1):
            tasks.start_soon(read, page)
    return [number for page in sorted(found) for number in found[page]]
