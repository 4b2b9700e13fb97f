"""Pages of lists: `page` counts from 1, the page size is called `offset` on most routes."""

from dataclasses import dataclass
from typing import Self

from atoms_campaigns_mcp.sandbox.api.requests.messages import Document
from atoms_campaigns_mcp.sandbox.api.requests.validation import QueryFields

LARGEST = (1 << 63) - 1  # of SQLite's integers


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    number: int
    size: int

    @classmethod
    def read(
        cls, fields: QueryFields, *, size: int, name: str = "offset", largest: int = LARGEST
    ) -> Self:
        """The page of a query.

        Args:
            fields: The query.
            size: The page size when none is given.
            name: The parameter that holds the page size.
            largest: Larger page sizes are cut to it without a word.
        """
        return cls(
            number=fields.integer("page", default=1, low=1),
            size=min(fields.integer(name, default=size, low=1), largest),
        )

    @property
    def limits(self) -> tuple[int, int]:
        """LIMIT and OFFSET in SQL."""
        return self.size, min((self.number - 1) * self.size, LARGEST)

    def pages(self, total: int) -> int:
        """How many pages `total` rows make."""
        return -(-total // self.size)

    def has_more(self, total: int) -> bool:
        """Whether a later page holds anything."""
        return self.number * self.size < total

    def describe(self, total: int, *, size_name: str = "offset") -> Document:
        """The `pagination` object of a reply."""
        return {
            "total": total,
            "page": self.number,
            size_name: self.size,
            "hasMore": self.has_more(total),
            "totalPages": self.pages(total),
        }
