"""The header and the rows of a list, whether it is text or an Excel workbook."""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from atoms_campaigns_mcp.contacts import workbook
from atoms_campaigns_mcp.contacts.refusals import refused, shown, shown_names, too_large
from atoms_campaigns_mcp.contacts.vocabulary import Rank, rank
from atoms_campaigns_mcp.errors import InvalidArguments

LARGEST = 5_000_000  # bytes; the API says 5 MB without saying of which kind, this is the smaller
MOST_CONTACTS = 10_000  # members of one audience, and of one request that adds members
MOST_COLUMNS = 100  # ours; a call has a handful of variables
SEPARATORS = ",;\t|"
HEAD = 65_536  # characters in which the header must end
LINES_ABOVE = 5  # how many lines, such as a title, may stand above the header

_SIGNATURES = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls) or one with a password",
    b"%PDF-": "a PDF",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_MARKUP = {
    r"begin:vcard": "a vCard",
    r"[{]|\[\s*[\[{\"]": "JSON",
    r"<!doctype|<html|<table|<meta|<head": "HTML, which some programs call .xls,",
    r"<\?xml": "XML",
    r"PK\x03\x04": "an Excel file (.xlsx) pasted as text",
}
_SAVE = 'Save it as .xlsx or "CSV UTF-8" and give that as a file or an upload.'
_HINT = re.compile(r"sep=([,;\t|])[\r\n]", re.IGNORECASE)  # Excel's own first line
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Hindi, Persian and emoji
_DATA = re.compile(r"[\W\d_eE]*")  # no letters, except those of 9.19877E+11
_DATA_DIGITS = 6  # 9.19877E+11 shows six digits before its exponent


class Record(NamedTuple):
    """A row as a spreadsheet numbers it, the line of the file on which it begins, and its cells.

    `surplus` is the number of its cells if that is more than the header has, else 0.
    """

    row: int
    line: int
    cells: list[str]
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """A list before anything in it is understood; `sheet` is empty for text."""

    header: list[str]
    records: list[Record] = field(repr=False)
    header_row: int = 1
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()


def read(source: str | bytes, wanted: Sequence[str], sheet: str | None) -> Listing:
    """Find the header, and the rows below it that are not empty.

    Args:
        source: The file, or its text.
        wanted: Names of columns that the header has.
        sheet: Name of the sheet of a workbook.

    Raises:
        InvalidArguments: It is no list, too large, or has no rows below its header.
    """
    check_size(len(source))  # before anything that takes as long as the file is large
    if isinstance(source, bytes) and source.startswith(workbook.SIGNATURE):
        book = workbook.read(source, sheet)
        records = (Record(number, number, cells) for number, cells in book.rows)
        return _listing(records, wanted, book)
    if sheet is not None:
        raise refused("only an Excel workbook has sheets", "Leave it out.", "sheet")
    text = _decoded(source)
    separator = _separator(text, wanted)
    # All of it is read only if its head holds a header: one of a million columns ends here.
    _check_width(_head(text, separator, wanted)[1])
    return _listing(_records(text, separator), wanted)


def value(cell: str) -> str:
    """Make a cell fit to be spoken: line breaks become spaces, invisible characters go."""
    if not cell.isprintable():
        cell = "".join(map(_character, cell.replace("\r\n", "\n")))
    return cell.strip()


def is_data(name: str) -> bool:
    """Whether a cell of the header looks like data, such as a phone number."""
    return bool(_DATA.fullmatch(name)) and sum(map(str.isdigit, name)) >= _DATA_DIGITS


def check_size(size: int) -> None:
    """Refuse a list of more than `LARGEST` bytes.

    Raises:
        InvalidArguments: It is too large.
    """
    if size > LARGEST:
        raise too_large(size, LARGEST)


def _listing(
    records: Iterator[Record], wanted: Sequence[str], book: workbook.Sheet | None = None
) -> Listing:
    first = list(islice(records, LINES_ABOVE + 1))
    place, header = _header(first, wanted)
    _check_width(header)
    rows = _bounded(first[place + 1 :], records, len(header))
    sheet, others = (book.name, book.others) if book else ("", ())
    if not rows:
        raise _no_contacts(sheet, others)
    return Listing(header, rows, first[place].row, sheet, others)


def _no_contacts(sheet: str, others: Sequence[str]) -> InvalidArguments:
    if not others:
        return refused("it has a header but no contacts", "Add a line per contact.")
    return refused(
        f"its sheet {shown(sheet)} has no contacts below a header; there are also "
        f"{shown_names(others)}",
        "Call again with sheet set to the one that holds the contacts.",
        "sheet",
    )


def _bounded(first: Iterable[Record], rest: Iterator[Record], width: int) -> list[Record]:
    kept = [_cut(record, width) for record in first]
    kept += (_cut(record, width) for record in islice(rest, MOST_CONTACTS - len(kept)))
    if more := sum(1 for _ in rest):
        count = len(kept) + more
        parts = math.ceil(count / MOST_CONTACTS)
        raise refused(
            f"it has {count:,} rows; an audience holds {MOST_CONTACTS:,}",
            f"Split it into {parts} parts, each with the header line on top, and make an audience "
            "of each.",
        )
    return kept


def _cut(record: Record, width: int) -> Record:
    # A row without its last separators has no cells there; what lies beyond the header is an error.
    cells = record.cells
    if any(cell.strip() for cell in cells[width:]):
        return record._replace(surplus=len(cells))
    return record._replace(cells=[*cells[:width], *[""] * (width - len(cells))])


def _decoded(text: str | bytes) -> str:
    """Check what kind of file it is, and give its text without byte-order mark."""
    # A string from JSON may hold half a surrogate pair, which becomes a question mark.
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    check_size(len(raw))
    kind = next((kind for start, kind in _SIGNATURES.items() if raw.startswith(start)), "")
    start = raw[:HEAD].decode("utf-8-sig", "replace").lstrip()
    for pattern, markup in _MARKUP.items():
        if re.match(pattern, start, re.IGNORECASE):
            kind = kind or markup
    if kind or b"\0" in raw:
        kind = kind or "a binary file or UTF-16 text"
        raise refused(f"it is {kind}, not CSV text in UTF-8", _SAVE)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused("it is not UTF-8 text", _SAVE) from None


def _separator(text: str, wanted: Sequence[str]) -> str:
    """Choose the separator with which the header has a column of numbers, and the most columns.

    A header on the first line goes before one below it: commas may be those of `12,00`.
    """
    if hint := _HINT.match(text):
        return hint[1]

    def fitness(separator: str) -> tuple[int, bool, int, int]:
        try:
            place, names = _head(text, separator, wanted)
        except InvalidArguments:
            return 0, False, 0, 1  # as none: the first of equals is tried, and says what is wrong
        return _promise(names, wanted), len(names) > 1, -place, len(names)

    return max(SEPARATORS, key=fitness)


def _head(text: str, separator: str, wanted: Sequence[str]) -> tuple[int, list[str]]:
    first = islice(_records(text[:HEAD], separator), LINES_ABOVE + 1)
    return _header(list(first), wanted)


def _promise(names: Sequence[str], wanted: Sequence[str]) -> int:
    """Report how much a row looks like a header: 2 if it names a column of numbers, 1 perhaps."""
    if wanted:
        folded = {name.casefold() for name in names}
        return 2 * all(name.casefold() in folded for name in wanted)
    # What still holds a separator is the whole line, or most of it.
    single = [name for name in names[:MOST_COLUMNS] if not set(SEPARATORS) & set(name)]
    best = min(map(rank, single), default=Rank.OTHER)
    return max(2 - best, 0)


def _records(text: str, separator: str) -> Iterator[Record]:
    """Read rows that are not empty, one at a time."""
    lines = io.StringIO(text, newline="")
    # Spaces after a separator are skipped because `a, "b, c"` is how people and models write it.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    line, row = 1, 0
    try:
        for cells in reader:
            # A spreadsheet does not show its own hint, and counts empty lines.
            row += not (line == 1 and separator.join(cells).casefold() == f"sep={separator}")
            if row and any(cell.strip() for cell in cells):
                yield Record(row, line, cells)
            line = reader.line_num + 1
    except csv.Error:
        raise refused(
            f"the quotes do not match in the row that begins on line {line}, or it has a cell of "
            f"more than {csv.field_size_limit():,} characters",
            "Close every quote, put nothing after it but a separator, and write a quote inside a "
            'quoted cell twice ("").',
        ) from None


def _header(first: Sequence[Record], wanted: Sequence[str]) -> tuple[int, list[str]]:
    """Find the header among the first rows: a title of one cell may stand above it."""
    if not first:
        raise refused(
            "it is empty", "Give a line with the names of the columns, then a line per contact."
        )
    named = [_names(record.cells) for record in first]
    for place, names in enumerate(named):
        if _filled(names) > 1 or (place == 0 and _promise(names, wanted) == 2):  # noqa: PLR2004
            break
    else:
        return 0, named[0]
    if any(map(is_data, names)):
        place, names = 0, named[0]
    return place, names


def _check_width(names: Sequence[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise refused(
            f"it has more than {MOST_COLUMNS} columns, the most that are allowed",
            "Keep the column of phone numbers and those that the agent speaks of.",
        )


def _filled(names: Sequence[str]) -> int:
    return sum(map(bool, names))


def _names(cells: Sequence[str]) -> list[str]:
    names = [value(cell) for cell in cells]
    while names and not names[-1]:  # spreadsheets write separators for cells that were once used
        names.pop()
    return names


def _character(char: str) -> str:
    # Direction marks and tags can hide text from whoever looks at a list, not from a model.
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category == "Cf" and char not in _JOINERS else char
