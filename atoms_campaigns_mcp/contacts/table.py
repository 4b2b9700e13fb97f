"""A contact list: a file in, contacts that can be uploaded out, and every row accounted for.

The API refuses a whole upload for one bad row and says little about it, so everything that can be
known beforehand is decided here. Cells are data: nothing in them is run, followed or repeated in
an error.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from atoms_campaigns_mcp.contacts.countries import code_of_country, country_of
from atoms_campaigns_mcp.contacts.layout import Columns, looks_like_number, understood
from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError, Reason
from atoms_campaigns_mcp.contacts.numbers.column_reading import (
    AmbiguousColumnError,
    Reading,
    read_column,
)
from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.contacts.numbers.plans import known_code, known_region
from atoms_campaigns_mcp.contacts.opt_outs import forbids_calls, speaks_of_calls
from atoms_campaigns_mcp.contacts.origins import origins
from atoms_campaigns_mcp.contacts.records import (
    LARGEST,
    MOST_CONTACTS,
    Listing,
    Record,
    check_size,
    read,
    value,
)
from atoms_campaigns_mcp.contacts.refusals import SHOWN_LENGTH, refused, shown, shown_names
from atoms_campaigns_mcp.contacts.selection import Candidate
from atoms_campaigns_mcp.contacts.spreadsheets import spreadsheet_safe
from atoms_campaigns_mcp.contacts.vocabulary import WHY
from atoms_campaigns_mcp.contacts.zone_names import current, zone_of
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.fields import hidden

__all__ = ["LARGEST", "LONGEST_VALUE", "MOST_CONTACTS", "Contacts", "check_size", "parse"]

LONGEST_VALUE = 1_000  # characters of a call variable; ours, minutes of speech
_TELLING = re.compile(r"\w[\w .,'\u2019&@/-]{0,39}")


class Trouble(NamedTuple):
    """A row that somebody should look at.

    `reason` is a sentence without any cell's value; `telling` is a cell by which to find the row,
    cleaned and without numbers; `cells` are those of the file.
    """

    row: int
    line: int
    reason: str
    telling: str
    cells: tuple[str, ...]


class Duplicate(NamedTuple):
    """A row whose number another row has, which was kept; its empty cells were filled from it."""

    row: int
    line: int
    kept: int


@dataclass(frozen=True, slots=True)
class Contacts:
    """What a list came to. Each row that was not empty is in `rows`, `rejected` or `duplicates`.

    Rows are counted as a spreadsheet does, the header is row 1.

    Attributes:
        columns: Names of the columns; the numbers come first and are called phoneNumber.
        rows: One tuple of values a contact, in that order; numbers in E.164, each once.
        header: Names as they stand in the file.
        rejected: Rows that cannot be called.
        doubtful: Rows that are kept although their number is not assigned to anybody.
        duplicates: Rows that were merged into another one.
        renamed: Column names in the file that had to change, and what they became.
        taken: Columns of the file from which numbers came, and how many.
        notes: Sentences on what was found and decided.
        zone_places: Columns of `rows` that hold time zones.
        shortened: How many values were cut to `LONGEST_VALUE` characters.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)  # a repr may end up in a log
    header: tuple[str, ...] = ()
    rejected: tuple[Trouble, ...] = field(default=(), repr=False)
    doubtful: tuple[Trouble, ...] = field(default=(), repr=False)
    duplicates: tuple[Duplicate, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    taken: Mapping[str, int] = field(default_factory=dict[str, int])
    notes: tuple[str, ...] = ()
    zone_places: tuple[int, ...] = ()
    shortened: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def numbers(self) -> list[str]:
        """Return the number of each contact, in order."""
        return [row[0] for row in self.rows]

    def to_csv(self) -> bytes:
        """Write the file to upload: RFC 4180 in UTF-8, quoted where needed, at most `LARGEST`."""
        return _written([self.columns, *self.rows])

    def rejects_csv(self) -> bytes:
        """Write the rejected and doubtful rows with the reason, to correct and send again."""
        troubles = sorted([*self.rejected, *self.doubtful])
        width = len(self.header)
        rows = [[*t.cells[:width], t.reason, *t.cells[width:]] for t in troubles]
        safe = (map(spreadsheet_safe, cells) for cells in [[*self.header, WHY], *rows])
        return _written(map(tuple, safe))

    def countries(self, directory: Directory) -> dict[str, int]:
        """Count contacts by country, the most frequent first; "" counts those without one."""
        return _counted(directory.country(row[0]) for row in self.rows)

    def zones(self, directory: Directory) -> dict[str, int]:
        """Count contacts by time zone, the most frequent first; "" counts the unknown.

        The zones of a contact are those that its row names, else those of its number. It counts
        in every zone it may be in, so the sum may exceed the number of contacts.
        """
        return _counted(zone for row in self.rows for zone in self._zones(row, directory) or ("",))

    def candidates(self, directory: Directory) -> list[Candidate]:
        """Return each contact as filters see it."""
        out = set(self.opted_out())
        return [
            Candidate(row[0], directory.country(row[0]), self._zones(row, directory), place in out)
            for place, row in enumerate(self.rows)
        ]

    def opted_out(self) -> list[int]:
        """Return the places of the contacts whose own columns say not to call them."""
        about = [(p, name) for p, name in enumerate(self.columns) if speaks_of_calls(name)]
        return [
            place
            for place, row in enumerate(self.rows)
            if any(forbids_calls(name, row[p]) for p, name in about)
        ]

    def only(self, places: Sequence[int]) -> "Contacts":
        """Return the list with these of its contacts."""
        return replace(self, rows=tuple(self.rows[place] for place in places))

    def _zones(self, row: Sequence[str], directory: Directory) -> tuple[str, ...]:
        own = [current(zone) for place in self.zone_places if (zone := zone_of(row[place]))]
        return tuple(dict.fromkeys(own)) or directory.zones(row[0])


def parse(
    source: str | bytes,
    *,
    phone_columns: Sequence[str] = (),
    region: str | None = None,
    sheet: str | None = None,
) -> Contacts:
    """Read a contact list.

    It is an Excel workbook, or text: commas, semicolons, tabs and bars separate cells, quotes
    follow RFC 4180, any line ending will do. Empty lines are skipped, also those made of
    separators only. Values lose control characters and outer spaces; what a spreadsheet would
    take for a formula stays as it is, because a voice agent reads it and no spreadsheet does
    (`spreadsheet_safe` is for exports).

    Args:
        source: The file, or its text; at most 5 MB and 10,000 rows below the header.
        phone_columns: Columns of the numbers, the preferred first; none to recognise it.
        region: Country of numbers that have no country code, as two letters; "+" if all begin with
            theirs, "+44" if all are national numbers of that code; None refuses them. A column of
            countries goes before it.
        sheet: Name of the sheet of a workbook; None for the first.

    Raises:
        InvalidArguments: The file as a whole cannot be used. Bad rows are in `rejected` instead.
    """
    region = _known(region)
    wanted = [name for column in phone_columns if (name := column.strip())]
    listing = read(source, wanted, sheet)
    try:
        columns = understood(listing.header, listing.records, wanted)
    except InvalidArguments as error:
        raise _with_sheets(error, listing) from None
    sorter = _Sorter(listing, columns, region)
    for place, record in enumerate(listing.records):
        sorter.take(place, record)
    contacts = sorter.contacts()
    # Quotes and country codes may have made it larger than what was read.
    check_size(len(contacts.to_csv()))
    return contacts


def _known(region: str | None) -> str | None:
    if region is None or region == "+" or known_region(region):
        return region
    if region.isalpha() and (country := country_of(region)):  # UK
        return country
    if not (region.startswith("+") and known_code(region[1:])):
        raise refused(
            "not a country code of two letters, a + or a + with a calling code",
            "Use ISO 3166, such as IN, US or GB; + if every number begins with its country code; "
            "+44 if none does and all are of that one; or leave it out.",
            "default_region",
        )
    return region


def _with_sheets(error: InvalidArguments, listing: Listing) -> InvalidArguments:
    if not listing.other_sheets:
        return error
    return InvalidArguments(
        error.message,
        next_step=f"{error.next_step} Sheet {shown(listing.sheet)} was read; if the contacts are "
        f"in another one, give sheet: {shown_names(listing.other_sheets)}.",
    )


class _Sorter:
    """Sorts rows into contacts, rejected rows and duplicates."""

    def __init__(self, listing: Listing, columns: Columns, region: str | None) -> None:
        self._listing, self._columns = listing, columns
        self._origins = origins(listing.records, columns.countries, region)
        self._readings = [self._read(place) for place in columns.phones]
        self._rows: list[list[str]] = []
        self._rejected: list[Trouble] = []
        self._doubtful: list[Trouble] = []
        self._duplicates: list[Duplicate] = []
        self._kept: dict[str, tuple[int, int]] = {}  # number: place in rows, row in the file
        self._taken = Counter[int]()
        self._unknown_zones: list[int] = []
        self._unwilling: dict[int, list[int]] = {}
        self._shortened = 0

    def take(self, place: int, record: Record) -> None:
        """Take in one row, whatever it is like."""
        if record.surplus:
            width = len(self._listing.header)
            self._reject(record, f"it has {record.surplus} cells, the header {width}")
            return
        column, reading = self._chosen(place)
        if isinstance(reading, BadNumberError):
            self._reject(record, self._origins.explained(place, reading))
            return
        if not self._origins.agrees(place, reading.number):
            self._reject(record, "the number is not of the country that its row names")
            return
        self._look_at(record)
        values = self._values(record)
        if known := self._kept.get(reading.number):
            self._merge(known, record, values)
            return
        if reading.doubtful:
            self._doubtful.append(self._trouble(record, f"the number {reading.doubtful}"))
        self._kept[reading.number] = len(self._rows), record.row
        self._taken[column] += 1
        self._rows.append([reading.number, *values])

    def contacts(self) -> Contacts:
        """Return what came of the rows."""
        header, columns = self._listing.header, self._columns
        pairs = {header[p]: new for p, new in zip(columns.kept, columns.names, strict=True)}
        return Contacts(
            columns=columns.names,
            rows=tuple(map(tuple, self._rows)),
            header=tuple(name for name in header if name != WHY),
            rejected=tuple(self._rejected),
            doubtful=tuple(self._doubtful),
            duplicates=tuple(self._duplicates),
            renamed={old: new for old, new in pairs.items() if old != new},
            taken={header[p]: self._taken[p] for p in columns.phones},
            notes=tuple(self._notes()),
            zone_places=tuple(columns.kept.index(p) for p in columns.zones),
            shortened=self._shortened,
        )

    def _read(self, column: int) -> Sequence[Reading | BadNumberError]:
        cells = [record.cells[column] for record in self._listing.records]
        try:
            return read_column(cells, self._origins.regions).readings
        except AmbiguousColumnError as error:
            name = shown(self._listing.header[column])
            raise refused(
                f"the column {name} can be read in two ways: {error.national:,} of its numbers "
                f"without + as national ones, or {error.international:,} as international ones "
                "that lost their +",
                f'Ask the user which is meant. Call again with default_region "{self._code()}" if '
                'they are national numbers, or "+" if each begins with its country code; nothing '
                "else needs to change.",
                "default_region",
            ) from None

    def _code(self) -> str:
        """Return the calling code of most rows, which says that their numbers are national."""
        known = (region for region in self._origins.regions if region and region.isalpha())
        (region, _), *_ = Counter(known).most_common(1)
        return f"+{code_of_country(region)}"

    def _chosen(self, place: int) -> tuple[int, Reading | BadNumberError]:
        """Return the preferred number: sure ones before doubtful ones, those before reasons."""
        found = [(c, r[place]) for c, r in zip(self._columns.phones, self._readings, strict=True)]
        return min(found, key=lambda pair: _misgiving(pair[1]))  # the first of equals

    def _reject(self, record: Record, reason: str) -> None:
        self._rejected.append(self._trouble(record, reason))

    def _trouble(self, record: Record, reason: str) -> Trouble:
        header = self._listing.header
        cells = tuple(c for p, c in enumerate(record.cells) if header[p : p + 1] != [WHY])
        others = (c for p, c in enumerate(record.cells) if p not in self._columns.phones)
        return Trouble(record.row, record.line, reason, _telling(others), cells)

    def _values(self, record: Record) -> list[str]:
        values = [value(record.cells[place]) for place in self._columns.kept[1:]]
        for place in self._columns.zones:
            at = self._columns.kept.index(place) - 1
            values[at] = zone_of(values[at]) or values[at]
        self._shortened += sum(len(text) > LONGEST_VALUE for text in values)
        return [text[:LONGEST_VALUE] for text in values]

    def _merge(self, known: tuple[int, int], record: Record, values: Sequence[str]) -> None:
        place, row = known
        kept = self._rows[place]
        kept[1:] = [old or new for old, new in zip(kept[1:], values, strict=True)]
        for column in self._columns.consents:  # once said, no other row of the number unsays it
            at = self._columns.kept.index(column)
            if forbids_calls(self._columns.names[at], values[at - 1]):
                kept[at] = values[at - 1]
        self._duplicates.append(Duplicate(record.row, record.line, row))

    def _look_at(self, record: Record) -> None:
        if any(zone_of(record.cells[place]) is None for place in self._columns.zones):
            self._unknown_zones.append(record.row)
        for place in self._columns.consents:
            if forbids_calls(self._listing.header[place], record.cells[place]):
                self._unwilling.setdefault(place, []).append(record.row)

    def _notes(self) -> Iterable[str]:
        listing = self._listing
        if listing.other_sheets:
            yield f"Sheet {shown(listing.sheet)} was read of {len(listing.other_sheets) + 1}."
        if listing.header_row > 1:
            yield f"The header is row {listing.header_row}."
        yield from self._origins.notes(listing.header)
        for place in self._columns.zones:
            if self._unknown_zones:
                yield (
                    f"{shown(listing.header[place])} holds no zone name (IANA, such as "
                    f"Asia/Kolkata) in {spans(self._unknown_zones)}: those of the number count."
                )
        for place, rows in self._unwilling.items():
            yield f"{shown(listing.header[place])} says not to call {spans(rows)}."


def spans(rows: Sequence[int], most: int = 20) -> str:
    """Write rows shortly, those that follow each other as one: `rows 2-4, 7`."""
    found: list[tuple[int, int]] = []
    for row in rows:
        first = found.pop()[0] if found and found[-1][1] == row - 1 else row
        found.append((first, row))
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in found]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(texts[:most])}{more}"


def _misgiving(reading: Reading | BadNumberError) -> int:
    if isinstance(reading, Reading):
        return 1 if reading.doubtful else 0
    return 3 if reading.reason is Reason.EMPTY else 2


def _telling(cells: Iterable[str]) -> str:
    """Return the first cell by which a person finds a row: short, no number, no sentence."""
    for cell in cells:
        text = value(cell)
        if _TELLING.fullmatch(text) and not looks_like_number(text):
            return hidden(text, SHOWN_LENGTH)
    return ""


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def _counted(keys: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(keys).items(), key=lambda pair: (-pair[1], pair[0])))
