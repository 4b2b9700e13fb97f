"""Making audiences from lists, each once; one that is there already is not made again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from atoms_campaigns_mcp.contacts.table import Contacts
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.toolkit.audiences.members import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Creation, Made, key_of

THERE = "It was there already, with exactly these contacts."


@dataclass(frozen=True, slots=True)
class Part:
    """An audience to make, as it is uploaded."""

    name: str
    contacts: Contacts
    upload: bytes

    @property
    def key(self) -> str:
        """The same for requests that ask for the same."""
        return key_of("audience", self.name, hashlib.sha256(self.upload).hexdigest())

    @classmethod
    async def of(cls, name: str, contacts: Contacts, ctx: ToolContext) -> "Part":
        """Write the list as it is uploaded."""
        return cls(name, contacts, await ctx.shared.work(contacts.to_csv))

    def creation(self, description: str, ctx: ToolContext) -> Creation[Audience]:
        """Return how it is made, which the caller does once."""
        count = len(self.contacts)

        async def alike() -> list[Audience]:
            rows = await ctx.atoms.list_audiences()
            return [row for row in rows if row.is_like(self.name, count)]

        async def make(known: Sequence[str]) -> Audience:
            return await ctx.atoms.create_audience(
                self.name, description, self.upload, count=count, key=self.key, known=known
            )

        return Creation(self.key, alike, make)

    async def there(self, ctx: ToolContext) -> Made[Audience] | None:
        """Return an audience of that name that holds exactly these contacts."""
        columns = self.contacts.columns
        wanted = _cells([dict(zip(columns, row, strict=True)) for row in self.contacts.rows])
        for audience in await ctx.atoms.list_audiences():
            if audience.is_like(self.name, len(self.contacts)):
                members = await members_of(ctx.atoms, audience)
                if _cells([member.data for member in members]) == wanted:
                    return Made(audience, THERE)
        return None


def _cells(rows: Sequence[dict[str, object]]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset((c, str(cell)) for c, cell in row.items() if cell) for row in rows}
