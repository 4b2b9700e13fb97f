"""An Excel workbook is read as it is, and one that was made to do harm is refused."""

import io
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from subprocess import run

import pytest

from atoms_campaigns_mcp.contacts.table import Contacts, parse
from atoms_campaigns_mcp.errors import InvalidArguments
from tests.support.workbooks import workbook

NUMBER = "+919876543210"
SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
SST = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
NOON = datetime(2027, 1, 15, 12, 30, tzinfo=UTC).replace(tzinfo=None)  # as a cell has it


def read(content: bytes, sheet: str | None = None) -> Contacts:
    return parse(content, region="IN", sheet=sheet)


def refusal(content: bytes, sheet: str | None = None) -> InvalidArguments:
    with pytest.raises(InvalidArguments) as refused:
        read(content, sheet)
    assert "Nothing was created." in refused.value.message
    return refused.value


def rewritten(content: bytes, change: Callable[[bytes], bytes], name: str = SHEET) -> bytes:
    """Pack a workbook again with one of its files changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", 8) as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry == name else data)
    return target.getvalue()


SMALL = workbook(A=[["phone", "name"], [NUMBER, "Ada"]])


def test_numbers_stay_whole_text_stays_text_and_dates_are_iso() -> None:
    contacts = read(
        workbook(
            Contacts=[
                ["Mobile", "zip", "amount", "born", "at", "vip", "note"],
                [9876543210, "00420", 12.5, date(1990, 5, 1), NOON, True, None],
                ["098765 43211", 420, 919876543210123, None, None, False, "x\ny"],
            ]
        )
    )
    assert contacts.rows == (
        (NUMBER, "00420", "12.5", "1990-05-01", "2027-01-15T12:30:00", "TRUE", ""),
        ("+919876543211", "420", "919876543210123", "", "", "FALSE", "x y"),
    )


def test_rows_are_those_of_the_sheet_and_empty_rows_and_columns_do_not_matter() -> None:
    rows = [[], [None, "January"], [None, "phone", "name"], [], [None, "12", "Bea"]]
    contacts = read(workbook(A=[*rows, [None, NUMBER, "Ada"]]))
    assert [(t.row, t.line, t.telling) for t in contacts.rejected] == [(5, 5, "Bea")]
    assert contacts.columns == ("phoneNumber", "name")


def test_the_first_sheet_is_read_or_the_one_that_is_named() -> None:
    book = workbook(One=[["phone"], [NUMBER]], Two=[["phone"], ["+14155550177"]])
    first = read(book)
    assert first.rows == ((NUMBER,),)
    assert first.notes == ('Sheet "One" was read of 2.',)
    assert read(book, "two").rows == (("+14155550177",),)
    refused = refusal(book, "Three")
    assert '"One", "Two"' in refused.message
    assert "sheet" in refused.next_step


def test_text_has_no_sheets() -> None:
    assert refusal(b"phone\n1\n", "One").message.startswith("sheet: ")


@pytest.mark.slow
def test_the_reader_is_loaded_only_for_a_workbook() -> None:
    code = (
        "import sys; from atoms_campaigns_mcp.contacts.table import parse; "
        "parse('phone\\n+919876543210', region=None); print('python_calamine' in sys.modules)"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("cut", [10, 200, 1000, -30])
def test_a_damaged_workbook_is_refused(cut: int) -> None:
    assert "damaged" in refusal(SMALL[:cut]).message


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["content.xml", "mimetype"], "an OpenDocument file"),
        (["xl/workbook.bin"], "an Excel binary (.xlsb)"),
        (["a.txt"], "a zip file"),
    ],
)
def test_other_zip_files_are_named(names: list[str], kind: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    assert f"it is {kind}" in refusal(file.getvalue()).message


@pytest.mark.slow
@pytest.mark.parametrize("claimed", ["true", "small"])
def test_a_file_that_unpacks_to_gigabytes_is_refused_whatever_it_claims(claimed: str) -> None:
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(engine.compress(b" " * 1_000_000) for _ in range(1000)) + engine.flush()
    bomb = rewritten(SMALL, lambda _: b"@" * 60)
    size = 1_000_000_000 if claimed == "true" else 60
    bomb = with_entry(bomb, SHEET, packed, size)
    assert len(bomb) < 2_000_000
    assert "MB when unpacked" in refusal(bomb).message


def with_entry(archive: bytes, name: str, packed: bytes, size: int) -> bytes:
    """Return an archive in which one file has these packed bytes, and claims to have this size."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w", 8) as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
    whole = target.getvalue()
    end = whole.rindex(b"PK\x05\x06")
    (count, length, start) = struct.unpack_from("<HII", whole, end + 10)
    fields = (20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields) + name.encode() + packed
    central = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, *fields[:5], *fields[5:9], 0, 0, 0, 0, 0, start
    )
    central += name.encode()
    directory = whole[start : start + length] + central
    tail = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory),
        start + len(local), 0,
    )  # fmt: skip
    return whole[:start] + local + directory + tail


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<row><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>',
        b"<row r='900000'>" + b"<c><v>1</v></c>" * 60 + b"</row>",
        b'<x:row xmlns:x="y" r="999999"><x:c r="ZZ999999"><x:v>1</x:v></x:c></x:row>',
    ],
)
def test_one_far_cell_does_not_reserve_memory_for_all_before_it(cell: bytes) -> None:
    far = rewritten(SMALL, lambda xml: xml.replace(b"</sheetData>", cell + b"</sheetData>"))
    assert "cells reach to row" in refusal(far).message


LONG = b"<si><t>phone</t></si><si><r><t>" + b"x" * 100_000 + b"</t></r></si></sst>"


def with_texts(content: bytes) -> bytes:
    """Add the texts that cells name by their place."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", 8) as archive:
        archive.writestr(TEXTS, SST + LONG)
    return file.getvalue()


@pytest.mark.parametrize("named", [b"<v>1</v>", b"<f>A1</f><v> +01 </v>", b"<v>&#49;</v>"])
def test_a_text_that_cells_share_counts_in_each(named: bytes) -> None:
    def repeated(times: int) -> bytes:
        row = b'<row r="3">' + times * (b'<c t="s">' + named + b"</c>") + b"</row></sheetData>"
        full = rewritten(SMALL, lambda xml: xml.replace(b"</sheetData>", row))
        return with_texts(full)

    assert len(repeated(200)) < 20_000
    assert "million characters" in refusal(repeated(200)).message
    assert len(read(repeated(2))) == 1


def test_no_file_of_a_workbook_is_there_twice() -> None:
    file = io.BytesIO(with_texts(SMALL))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(TEXTS.upper(), SST + b"</sst>")
    assert "damaged" in refusal(file.getvalue()).message


LARGE: dict[str, tuple[str, bytes, bytes]] = {
    "a tag": (SHEET, b"</sheetData>", b"<x " + b"a='>'\n" * 200_000 + b"/></sheetData>"),
    "a style": (
        "xl/styles.xml",
        b"</styleSheet>",
        b"<!--" + b">" * 1_200_000 + b"--></styleSheet>",
    ),
    "a cell": (SHEET, b"Ada", b"x" * 1_100_000),
    "sheets": ("xl/workbook.xml", b"</sheets>", b"<sheet/>" * 1_001 + b"</sheets>"),
}


@pytest.mark.parametrize("large", LARGE)
def test_what_keeps_the_processor_for_long_is_refused(large: str) -> None:
    name, place, instead = LARGE[large]
    grown = rewritten(SMALL, lambda xml: xml.replace(place, instead), name)
    assert len(grown) < 20_000
    assert "damaged" in refusal(grown).message


def test_the_texts_of_all_cells_are_counted() -> None:
    row = b'<row><c t="str"><v>' + b"x" * 900_000 + b"</v></c></row>"
    full = rewritten(SMALL, lambda xml: xml.replace(b"</sheetData>", row * 18 + b"</sheetData>"))
    assert "million characters" in refusal(full).message


def test_a_moment_before_all_time_is_a_refusal_and_not_the_end_of_the_server() -> None:
    timed = workbook(A=[["phone", "at"], [NUMBER, NOON]])
    styled = re.compile(rb'(<c r="B2" s="\d+"[^>]*><v>)[^<]*')
    far = rewritten(timed, lambda xml: styled.sub(rb"\g<1>-1e308", xml))
    assert "cannot be read" in refusal(far).message


CHANGES: list[Callable[[bytes], bytes]] = [
    lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml,
    lambda xml: xml.decode().encode("utf-16"),
    lambda xml: xml[:-20],
    lambda xml: xml.replace(b'r="A2"', b'r="AAAAAAA99999999999"'),
    lambda xml: xml[:0],
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_sheet_that_no_program_writes_is_refused(change: Callable[[bytes], bytes]) -> None:
    assert refusal(rewritten(SMALL, change)).message


@pytest.mark.slow
def test_too_many_rows_are_counted() -> None:
    rows = [["phone"], *([str(n)] for n in range(10_500))]
    assert "10,500 rows" in refusal(workbook(A=rows)).message


def test_more_parts_than_any_workbook_has_are_refused() -> None:
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a") as archive:
        for number in range(1_001):
            archive.writestr(f"xl/media/{number}.png", "")
    assert "too many parts" in refusal(file.getvalue()).message
