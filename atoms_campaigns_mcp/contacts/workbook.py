"""An Excel workbook (.xlsx): bytes in, rows of text out. Reads nothing that is larger than a list.

A workbook is a zip file, which may be a few kilobytes that unpack to gigabytes, and a sheet with
one far cell makes its reader reserve memory for all that lie before it. Its cells may all name the
same long text, which the reader repeats for each. So it is unpacked here, piece by piece and within
a bound, its cells and their texts are counted, and the reader gets a new archive of what was looked
at.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from xml.parsers import expat

from atoms_campaigns_mcp.contacts.refusals import refused, shown_names

SIGNATURE = b"PK\x03\x04"
MOST_FILES = 1_000  # in the archive; a workbook has a dozen, and one per sheet and picture
MOST_UNPACKED = 48_000_000  # bytes of all that is read; a list of 5 MB as text has about 15 MB
MOST_CELLS = 1_500_000  # from A1 to the last row and column that hold something
MOST_TEXT = 16_000_000  # characters in a sheet; a text that cells share counts in each of them
LONGEST = 1_000_000  # characters of one cell or tag; cells of Excel hold 32,767
PIECE = 65_536  # bytes unpacked at a time
_NEEDED = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/sharedStrings\.xml|xl/styles\.xml|xl/worksheets/[^/]+\.xml",
    re.IGNORECASE,
)
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_TEXTS = "xl/sharedstrings.xml"
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_WHOLE = 1e15  # beyond it a spreadsheet's numbers have lost digits
_SAVE = 'Open it, save it as .xlsx or as "CSV UTF-8", and use that.'
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, those of the others, and its rows by their number."""

    name: str
    others: tuple[str, ...]
    rows: list[Row] = field(repr=False)


def read(content: bytes, wanted: str | None) -> Sheet:
    """Read one sheet.

    Whole numbers stay whole, text stays text, dates become ISO 8601. Rows without cells are left
    out.

    Args:
        content: The file, at most as large as any list.
        wanted: Name of the sheet, else the first that is not hidden.

    Raises:
        InvalidArguments: It is damaged, too large when unpacked, no workbook, or has no such sheet.
    """
    from python_calamine import (  # noqa: PLC0415 - only where a workbook is given
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    safe = _looked_at(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(safe))
        sheets = [s for s in book.sheets_metadata if s.typ is SheetTypeEnum.WorkSheet]
        sheets.sort(key=lambda sheet: sheet.visible is not SheetVisibleEnum.Visible)
        names = [sheet.name for sheet in sheets]
        name = _chosen(names, wanted)
        cells: Sequence[Sequence[Any]] = book.get_sheet_by_name(name).to_python(
            skip_empty_area=False
        )
    except BaseException as error:
        # A panic in its Rust code is no Exception, and would end the server.
        if isinstance(error, CalamineError) or type(error).__module__ == "pyo3_runtime":
            raise refused("it is an Excel file that cannot be read", _SAVE) from None
        raise
    rows = [(number, [_text(cell) for cell in row]) for number, row in enumerate(cells, 1)]
    return Sheet(name, tuple(n for n in names if n != name), [r for r in rows if any(r[1])])


def _chosen(names: Sequence[str], wanted: str | None) -> str:
    if not names:
        raise refused("it is an Excel file without a sheet of cells", _SAVE)
    if wanted is None:
        return names[0]
    near = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if wanted not in names and len(near) != 1:
        raise refused(
            f"no sheet has the name in sheet; there are {shown_names(names)}",
            "Call again with sheet set to the name of one of them, or leave it out for the first.",
        )
    return wanted if wanted in names else near[0]


def _looked_at(content: bytes) -> bytes:
    """Unpack what a list is in, within bounds, and pack it anew without compression."""
    target = io.BytesIO()
    pieces, room = dict[str, bytes](), MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            entries = source.infolist()
        _check_kind({entry.filename.casefold() for entry in entries}, len(entries))
        needed = [entry for entry in entries if _NEEDED.fullmatch(entry.filename)]
        for entry in needed:
            piece = b"".join(_unpacked(content, entry, room))
            room -= len(piece)
            # Which of two is read would depend on the reader.
            if pieces.setdefault(entry.filename.casefold(), piece) is not piece:
                raise zipfile.BadZipFile  # noqa: TRY301
        _check_cells(pieces)
        with zipfile.ZipFile(target, "w") as safe:
            for entry in needed:
                safe.writestr(entry.filename, pieces[entry.filename.casefold()])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, OSError):
        raise refused("it is a damaged Excel or zip file", _SAVE) from None
    return target.getvalue()


def _check_cells(pieces: Mapping[str, bytes]) -> None:
    """Refuse what its reader would take too much memory for, or the processor for too long."""
    lengths = _Texts.lengths(pieces[_TEXTS]) if _TEXTS in pieces else []
    for name, piece in pieces.items():
        if _SHEET.fullmatch(name):
            _check_extent(piece, lengths)
        elif name != _TEXTS:
            _check_names(piece)


def _check_kind(names: set[str], count: int) -> None:
    if "xl/workbook.xml" not in names:
        kind = "an Excel binary (.xlsb)" if "xl/workbook.bin" in names else "a zip file"
        kind = "an OpenDocument file" if "content.xml" in names else kind
        raise refused(f"it is {kind}, not an Excel workbook (.xlsx) or CSV text", _SAVE)
    if count > MOST_FILES:
        raise refused("it is an Excel file of too many parts", _SAVE)


def _unpacked(content: bytes, entry: zipfile.ZipInfo, room: int) -> Iterator[bytes]:
    """Unpack one file piece by piece, whatever size it claims to have."""
    head = content[entry.header_offset : entry.header_offset + 30]
    if entry.flag_bits & 1 or head[:4] != SIGNATURE:
        raise zipfile.BadZipFile
    start = entry.header_offset + 30 + int.from_bytes(head[26:28], "little")
    start += int.from_bytes(head[28:30], "little")
    packed = content[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        pieces = iter([packed])
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        pieces = _inflated(packed)
    else:
        raise zipfile.BadZipFile
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise refused(
                f"it has more than {MOST_UNPACKED // 1_000_000} MB when unpacked",
                "Keep one sheet with the columns that the agent needs.",
            )
        yield piece


def _inflated(packed: bytes) -> Iterator[bytes]:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not engine.eof:
        yield engine.decompress(packed, PIECE)
        packed = engine.unconsumed_tail
    yield engine.flush()


class _Texts:
    """Counts the characters of each text that cells may share."""

    def __init__(self) -> None:
        self._found = list[int]()

    @classmethod
    def lengths(cls, texts: bytes) -> list[int]:
        reader = cls()
        _follow(texts, reader.begin, reader.text)
        return reader._found

    def begin(self, name: str, _: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            self._found.append(0)

    def text(self, text: str) -> None:
        if self._found:
            self._found[-1] += len(text)


class _Extent:
    """Follows a sheet's cells as its reader does.

    Keeps the last row and column in use, and how many characters there are.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self.last_row = self.last_column = self.characters = 0
        self._row = self._column = 0
        self._lengths = lengths
        self._shared = False
        self._number = ""

    def text(self, text: str) -> None:
        if self._shared:
            self._number += text
        else:
            self.characters += len(text)

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self.count()
        if local == "row":
            self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
        elif local == "c":
            self._column += 1
            self._shared = attributes.get("t") == "s"
            if place := attributes.get("r"):
                self._place(place)
        elif local in {"v", "is", "f", "t"}:
            self.last_row = max(self.last_row, self._row)
            self.last_column = max(self.last_column, self._column)

    def count(self) -> None:
        """Add the text that the last cell names."""
        number, self._number = self._number.strip().removeprefix("+"), ""  # as its reader does
        if number.isdecimal() and int(number) < len(self._lengths):
            self.characters += self._lengths[int(number)]

    def _place(self, place: str) -> None:
        found = _CELL.fullmatch(place)
        if not found:
            raise ValueError("no cell is called so")
        self._row = int(found[2])
        self._column = 0
        for letter in found[1].upper():
            self._column = self._column * 26 + ord(letter) - ord("A") + 1


def _follow(
    xml: bytes, begin: Callable[[str, dict[str, str]], None], text: Callable[[str], None]
) -> None:
    """Go through a file, of which no tag and no text may be longer than a program writes them."""
    if b"<!DOCTYPE" in xml[:PIECE] or b"\0" in xml[:4]:
        raise ValueError("no program writes sheets like this")
    parser, run = expat.ParserCreate(), 0

    def beginning(name: str, attributes: dict[str, str]) -> None:
        nonlocal run
        run = 0
        begin(name, attributes)

    def reading(characters: str) -> None:
        nonlocal run
        run += len(characters)
        if run > LONGEST:
            raise ValueError("no cell is as long")
        text(characters)

    parser.StartElementHandler, parser.CharacterDataHandler = beginning, reading
    try:
        # Whoever reads a long tag at once lets nobody else have the interpreter meanwhile.
        for start in range(0, len(xml), PIECE):
            parser.Parse(xml[start : start + PIECE], False)  # noqa: FBT003 - not the last piece
            if start - parser.CurrentByteIndex > LONGEST:
                raise ValueError("no tag is as long")
        parser.Parse(b"", True)  # noqa: FBT003 - the last piece
    except expat.ExpatError as error:
        raise ValueError("not well-formed") from error


def _check_names(part: bytes) -> None:
    sheets = 0

    def begin(name: str, _: dict[str, str]) -> None:
        nonlocal sheets
        sheets += name.rpartition(":")[2] == "sheet"

    _follow(part, begin, lambda _: None)
    if sheets > MOST_FILES:
        raise ValueError("there are not as many files")


def _check_extent(sheet: bytes, lengths: Sequence[int]) -> None:
    extent = _Extent(lengths)
    _follow(sheet, extent.begin, extent.text)
    extent.count()
    if extent.last_row * extent.last_column > MOST_CELLS:
        raise refused(
            f"it has a sheet whose cells reach to row {extent.last_row} and column "
            f"{extent.last_column}",
            "Copy the list into a new workbook, or save it as CSV; split a list of more than "
            "10,000 rows, each part with the header.",
        )
    if extent.characters > MOST_TEXT:
        raise refused(
            f"it has a sheet with more than {MOST_TEXT // 1_000_000} million characters of text",
            "Keep one sheet with the columns that the agent needs.",
        )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
