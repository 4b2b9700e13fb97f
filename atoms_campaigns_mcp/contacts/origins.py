"""The country of each row: what its own columns say, else what the whole list is said to be of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atoms_campaigns_mcp.contacts.countries import code_of_country, country_of
from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError, Reason
from atoms_campaigns_mcp.contacts.numbers.plans import code_of
from atoms_campaigns_mcp.contacts.records import Record
from atoms_campaigns_mcp.contacts.refusals import shown_names

UNKNOWN = "?"  # the row names a country, but nobody knows which


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the rows of a list belong.

    Attributes:
        regions: For each row, how its number is to be read, as `read_column` takes it.
        own: For each row, the country that it names; "" if it names none.
        columns: Columns that decided.
        overruled: How many rows name another country than the whole list was said to be of.
        region: What the whole list was said to be of.
    """

    regions: tuple[str | None, ...]
    own: tuple[str, ...] = field(repr=False)
    columns: tuple[int, ...]
    overruled: int
    region: str | None

    def explained(self, place: int, error: BadNumberError) -> str:
        """Return the reason for which a row's number was refused."""
        if self.own[place] == UNKNOWN and error.reason is Reason.NO_COUNTRY:
            return "the number has no country code, and its row names no known country"
        return f"the number {error}"

    def agrees(self, place: int, number: str) -> bool:
        """Whether a number that was read as international is of the country that its row names."""
        own = self.own[place]
        if self.region != "+" or not own or own == UNKNOWN:
            return True
        return code_of(number[1:]) == code_of_country(own)

    def notes(self, header: Sequence[str]) -> Iterator[str]:
        """Report which columns told the country, and where they went before default_region."""
        if not self.columns:
            return
        names = shown_names([header[place] for place in self.columns])
        yield f"Countries of numbers without a code are taken from {names}."
        if self.overruled:
            yield (
                f"{self.overruled:,} of its rows name another country than default_region; theirs "
                "counts."
            )


def origins(
    records: Sequence[Record], groups: Sequence[Sequence[int]], region: str | None
) -> Origins:
    """Find where each row belongs.

    Args:
        records: The rows.
        groups: Columns that name countries; a group counts where those before it say nothing.
        region: As `read_column` takes it, for rows that name no country.
    """
    own = tuple(_own(record, groups) for record in records)
    whole = region and region.upper()
    pairs = [_region(country, whole) for country in own]
    return Origins(
        tuple(found for found, _ in pairs),
        own,
        tuple(place for group in groups for place in group),
        sum(overruled for _, overruled in pairs),
        whole,
    )


def _own(record: Record, groups: Sequence[Sequence[int]]) -> str:
    unknown = ""
    for group in groups:
        named = [country_of(record.cells[place]) for place in group]
        known = [country for country in named if country]
        if len({code_of_country(country) for country in known}) == 1:
            return known[0]
        if known:
            return UNKNOWN  # two countries
        unknown = UNKNOWN if None in named else unknown
    return unknown


def _region(own: str, whole: str | None) -> tuple[str | None, bool]:
    """Return how to read a row's number, and whether its own country went before the list's."""
    if not own or whole == "+":
        return whole, False
    if own == UNKNOWN:
        return None, False
    if whole is None:
        return own, False
    if whole[0] == "+":  # none of the numbers has its code, whichever country its row names
        return f"+{code_of_country(own)}", code_of_country(own) != int(whole[1:])
    same = code_of_country(own) == code_of_country(whole)
    return (whole if same else own), not same
