"""A contact list: CSV text in, contacts that can be uploaded out, and every row accounted for.

The API refuses a whole upload for one bad row and says little about it, so everything that can be
known beforehand is decided here. Cells are data: nothing in them is run, followed or repeated in
an error.
"""

import csv
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from atoms_campaigns_mcp.contacts.columns import output_names, phone_place, phone_places
from atoms_campaigns_mcp.contacts.directory import Directory
from atoms_campaigns_mcp.contacts.number_columns import normalise
from atoms_campaigns_mcp.contacts.number_plans import known_region
from atoms_campaigns_mcp.contacts.numbers import BadNumberError
from atoms_campaigns_mcp.errors import InvalidArguments

LARGEST = 5_000_000  # bytes; the API says 5 MB without saying of which kind, this is the smaller
MOST_CONTACTS = 10_000  # members of one audience, and of one request that adds members
LONGEST_VALUE = 1_000  # characters of a call variable; ours, minutes of speech
SEPARATORS = ",;\t"

_SIGNATURES = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_SAVE = 'Save it as "CSV UTF-8" and use that.'
_HINT = re.compile(r"sep=([,;\t])[\r\n]", re.IGNORECASE)  # Excel's own first line
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Hindi, Persian and emoji

Record = tuple[int, list[str]]
"""The line of the file on which a row begins, counted from 1, and the row's cells."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """What a list came to. Each row that was not empty is in `rows`, `rejected` or `duplicates`.

    Attributes:
        columns: Names of the columns; the numbers come first and are called phoneNumber.
        rows: One tuple of values a contact, in that order; numbers in E.164, each once.
        rejected: Line in the file and reason, a sentence without any cell's value.
        duplicates: Line in the file, and the line that has the same number and was kept.
        renamed: Column names in the file that had to change, and what they became.
        shortened: How many values were cut to `LONGEST_VALUE` characters.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)  # a repr may end up in a log
    rejected: tuple[tuple[int, str], ...] = ()
    duplicates: tuple[tuple[int, int], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    shortened: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def to_csv(self) -> bytes:
        """Write the file to upload: RFC 4180 in UTF-8, quoted where needed, at most `LARGEST`."""
        file = io.StringIO(newline="")
        writer = csv.writer(file)
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return file.getvalue().encode()

    def countries(self, directory: Directory) -> dict[str, int]:
        """Count contacts by country, the most frequent first; "" counts those without one."""
        return _counted(directory.country(row[0]) for row in self.rows)

    def zones(self, directory: Directory) -> dict[str, int]:
        """Count contacts by time zone, the most frequent first; "" counts the unknown.

        A contact counts in every zone it may be in, so the sum may exceed the number of contacts.
        """
        return _counted(zone for row in self.rows for zone in directory.zones(row[0]) or ("",))


def parse(text: str | bytes, *, phone_column: str | None, region: str | None) -> Contacts:
    """Read a contact list.

    Commas, semicolons and tabs separate cells, quotes follow RFC 4180, any line ending will do.
    Empty lines are skipped, also those made of separators only. Values lose control characters
    and outer spaces; what a spreadsheet would take for a formula stays as it is, because a voice
    agent reads it and no spreadsheet does (`spreadsheets` is for exports).

    Args:
        text: The file, its first line the header; at most 5 MB and 10,000 rows.
        phone_column: Column of the numbers; None to recognise it by its name.
        region: Country of numbers that have no country code, as two letters; None refuses them.

    Raises:
        InvalidArguments: The file as a whole cannot be used. Bad rows raise nothing: they are in
            `rejected`, even if no contact is left.
    """
    if region is not None and not known_region(region):
        raise InvalidArguments(
            "default_region: not a country code of two letters. Nothing was created.",
            next_step="Use ISO 3166, such as IN, US or GB, or leave it out.",
        )
    wanted = (phone_column or "").strip()
    source = _decoded(text)
    records = _records(source, _separator(source, wanted))
    header = _header(next(records, None))
    phone = phone_place(header, wanted)
    names = output_names(header, phone)
    sorter = _Sorter(width=len(header), phone=phone, region=region)
    for record in _bounded(records):
        sorter.take(*record)
    contacts = sorter.contacts(header, names)
    # Quotes and country codes may have made it larger than what was read.
    _check_size(len(contacts.to_csv()))
    return contacts


def _refused(what: str, next_step: str) -> InvalidArguments:
    return InvalidArguments(f"csv: {what}. Nothing was created.", next_step=next_step)


def _check_size(size: int) -> None:
    if size > LARGEST:
        megabytes = math.ceil(size / 100_000) / 10
        raise _refused(
            f"it has {megabytes} MB; at most {LARGEST // 1_000_000} MB are allowed",
            "Leave out columns that the agent does not need, or split it.",
        )


def _decoded(text: str | bytes) -> str:
    """Check what kind of file it is, its size first, and give its text without byte-order mark."""
    _check_size(len(text))  # before anything that takes as long as the file is large
    # A string from JSON may hold half a surrogate pair, which becomes a question mark.
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    _check_size(len(raw))
    kind = next((kind for start, kind in _SIGNATURES.items() if raw.startswith(start)), "")
    if kind or b"\0" in raw:
        kind = kind or "a binary file or UTF-16 text"
        raise _refused(f"it is {kind}, not CSV text in UTF-8", _SAVE)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("it is not UTF-8 text", _SAVE) from None


def _separator(source: str, wanted: str) -> str:
    """Choose the separator with which the header has a column of numbers, and the most columns."""
    if hint := _HINT.match(source):
        return hint[1]

    def fitness(separator: str) -> tuple[bool, int]:
        try:
            names = _header(next(_records(source, separator), None))
        except InvalidArguments:
            return False, 1  # as bad as none: the first of equals is tried, and says what is wrong
        return bool(phone_places(names, wanted)), len(names)

    return max(SEPARATORS, key=fitness)


def _records(source: str, separator: str) -> Iterator[Record]:
    """Read rows that are not empty, one at a time."""
    lines = io.StringIO(source, newline="")
    # Spaces after a separator are skipped because `a, "b, c"` is how people and models write it.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    line = 1
    try:
        for cells in reader:
            hint = line == 1 and separator.join(cells).casefold() == f"sep={separator}"
            if any(cell.strip() for cell in cells) and not hint:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        raise _refused(
            f"the quotes do not match in the row that begins on line {line}, or it has a cell of "
            f"more than {csv.field_size_limit():,} characters",
            "Close every quote, put nothing after it but a separator, and write a quote inside a "
            'quoted cell twice ("").',
        ) from None


def _header(record: Record | None) -> list[str]:
    if record is None:
        raise _refused(
            "it is empty", "Give a line with the names of the columns, then a line per contact."
        )
    names = [_value(cell) for cell in record[1]]
    while names and not names[-1]:  # spreadsheets write separators for cells that were once used
        names.pop()
    return names


def _bounded(records: Iterator[Record]) -> Iterator[Record]:
    count = 0
    for count, record in enumerate(records, 1):
        if count > MOST_CONTACTS:
            raise _refused(
                f"it has more than {MOST_CONTACTS:,} rows, which is as many as an audience holds",
                "Split it into several audiences.",
            )
        yield record
    if not count:
        raise _refused("it has a header but no contacts", "Add a line per contact.")


class _Sorter:
    """Sorts rows into contacts, rejected rows and duplicates."""

    def __init__(self, *, width: int, phone: int, region: str | None) -> None:
        self._width, self._phone, self._region = width, phone, region
        self._rows: list[tuple[str, ...]] = []
        self._rejected: list[tuple[int, str]] = []
        self._duplicates: list[tuple[int, int]] = []
        self._lines: dict[str, int] = {}
        self._shortened = 0

    def take(self, line: int, cells: Sequence[str]) -> None:
        """Take in one row, whatever it is like."""
        surplus = any(cell.strip() for cell in cells[self._width :])
        if surplus or len(cells) < self._width:
            self._rejected.append((line, f"it has {len(cells)} cells, the header {self._width}"))
            return
        try:
            number = normalise(cells[self._phone], region=self._region)
        except BadNumberError as error:
            self._rejected.append((line, f"the number {error}"))
            return
        if number in self._lines:
            self._duplicates.append((line, self._lines[number]))
            return
        self._lines[number] = line
        others = (cell for place, cell in enumerate(cells[: self._width]) if place != self._phone)
        self._rows.append((number, *map(self._capped, others)))

    def contacts(self, header: Sequence[str], names: Sequence[str]) -> Contacts:
        """Give what came of the rows, under these names."""
        phone = names[self._phone]
        renamed = {old: new for old, new in zip(header, names, strict=True) if old != new}
        return Contacts(
            columns=(phone, *(name for name in names if name != phone)),
            rows=tuple(self._rows),
            rejected=tuple(self._rejected),
            duplicates=tuple(self._duplicates),
            renamed=renamed,
            shortened=self._shortened,
        )

    def _capped(self, cell: str) -> str:
        value = _value(cell)
        self._shortened += len(value) > LONGEST_VALUE
        return value[:LONGEST_VALUE]


def _value(cell: str) -> str:
    """Make a cell fit to be spoken: line breaks become spaces, invisible characters go."""
    if not cell.isprintable():
        cell = "".join(map(_character, cell.replace("\r\n", "\n")))
    return cell.strip()


def _character(char: str) -> str:
    # Direction marks and tags can hide text from whoever looks at a list, not from a model.
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cf" and char not in _JOINERS else char


def _counted(keys: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(keys).items(), key=lambda pair: (-pair[1], pair[0])))
