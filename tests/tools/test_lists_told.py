"""What a list's result tells and asks: doubts, readings, sheets, and rows to correct in a file."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.workbooks import workbook

pytestmark = pytest.mark.anyio
EITHER = "15125550143"  # a number of Germany, and of Texas


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "lists"
    folder.mkdir()
    bench.configure(files=(folder,))
    return folder


async def numbers(bench: Bench, made: dict[str, Any]) -> list[str]:
    data = await bench.api("GET", f"/audience/{made['audience_id']}/members?page=1&offset=500")
    return [row["data"]["phoneNumber"] for row in data["members"]]


async def test_doubtful_rows_are_kept_counted_and_listed(bench: Bench) -> None:
    text = "phone,name\n07400 123456,Ada\n07400 12345,Bea\n07700 900123,Example\n"
    async with bench.client() as client:
        made = await client.call("create_audience", name="A", csv=text, default_region="GB")
        added = await client.call(
            "add_contacts", audience_id=made["audience_id"], csv=text, default_region="GB"
        )
    assert (made["contacts"], made["doubtful_rows"], made["rejected_rows"]) == (3, 1, 0)
    (doubt,) = made["doubtful"]
    assert doubt.startswith('row 3 ("Bea") ')
    assert "assigned" in doubt
    assert added["doubtful"] == made["doubtful"]


@pytest.mark.parametrize(
    ("region", "number"), [("+", "+15125550143"), ("+49", "+4915125550143")], ids=["+", "+49"]
)
async def test_a_column_of_two_readings_is_asked_about_and_one_argument_answers(
    bench: Bench, region: str, number: str
) -> None:
    text = f"Handy,name\n{EITHER},Ada\n"
    async with bench.client() as client:
        asked = await client.refused("create_audience", name="A", csv=text, default_region="DE")
        assert bench.wire.requests == []
        made = await client.call("create_audience", name="A", csv=text, default_region=region)
    assert '"Handy" can be read in two ways' in asked
    assert 'default_region "+49"' in asked
    assert '"+"' in asked
    assert EITHER not in asked
    assert await numbers(bench, made) == [number]


@pytest.mark.parametrize(
    ("region", "code", "cell", "number"),
    [
        ("IN", "+91", "8223149888", "+918223149888"),  # or of Korea
        ("US", "+1", "4792345678", "+14792345678"),  # or of Norway
        ("TR", "+90", "0532 123 45 67", "+905321234567"),  # or of Cuba
        ("ID", "+62", "0812-3456-7891", "+6281234567891"),  # or of Japan
    ],
)
async def test_a_list_of_one_number_of_two_readings_is_one_question(
    bench: Bench, region: str, code: str, cell: str, number: str
) -> None:
    text = f"phone\n{cell}\n"
    async with bench.client() as client:
        asked = await client.refused("create_audience", name="A", csv=text, default_region=region)
        made = await client.call("create_audience", name="A", csv=text, default_region=code)
    assert f'default_region "{code}"' in asked
    assert await numbers(bench, made) == [number]


async def test_the_first_sheet_of_a_workbook_is_read_or_the_one_that_is_named(
    bench: Bench, folder: Path
) -> None:
    first = [["Phone", "Name", "Since"], [919876543210, "Ada", None]]
    second = [["Phone", "Name"], [9876543211.0, "Bea"], ["+91 98765 43212", 7]]
    (folder / "book.xlsx").write_bytes(workbook(One=first, Two=second))
    given = {"name": "A", "file": "book.xlsx", "default_region": "IN"}
    async with bench.client() as client:
        made = await client.call("create_audience", **given)
        other = await client.call("create_audience", **{**given, "name": "B"}, sheet="two")
        unknown = await client.refused("create_audience", **given, sheet="Three")
        text = await client.refused("create_audience", name="C", csv="phone\n1", sheet="One")
    assert made["notes"] == ['Sheet "One" was read of 2.']
    assert await numbers(bench, made) == ["+919876543210"]
    assert await numbers(bench, other) == ["+919876543211", "+919876543212"]
    assert '"One", "Two"' in unknown
    assert "only an Excel workbook has sheets" in text


@pytest.mark.parametrize("cover", [[["January"]], [["Report", "Sales"], ["By", "Ada"]]])
async def test_a_workbook_whose_first_sheet_is_no_list_tells_its_others(
    bench: Bench, folder: Path, cover: list[list[str]]
) -> None:
    people = [["Phone"], ["+919876543210"]]
    (folder / "book.xlsx").write_bytes(workbook(Cover=cover, People=people))
    async with bench.client() as client:
        refused = await client.refused("create_audience", name="A", file="book.xlsx")
    assert '"Cover"' in refused
    assert '"People"' in refused
    assert "sheet" in refused


BAD = "Mobile,name,vip\n+919876543210,Ada,1\n12,Bea,\n07400 12345,=Cid(),x\n0987,Dan\n"


async def test_rejected_and_doubtful_rows_are_written_corrected_and_sent_again(
    bench: Bench, folder: Path
) -> None:
    given = {"csv": BAD, "default_region": "GB", "rejects_file": "bad.csv"}
    async with bench.client() as client:
        made = await client.call("create_audience", name="A", **given)
        again = await client.call("create_audience", name="A", **given)
        written = (folder / "bad.csv").read_text("utf-8")
        fixed = written.replace("12,", "07400 123456,", 1).replace("07400 12345,", "07400 123457,")
        (folder / "fixed.csv").write_text(fixed, "utf-8")
        added = await client.call(
            "add_contacts",
            audience_id=made["audience_id"],
            file="fixed.csv",
            default_region="GB",
        )
    assert made["rejects_file"] == again["rejects_file"] == "bad.csv"
    header, *rows = list(csv.reader(io.StringIO(written)))
    assert header == ["Mobile", "name", "vip", "why_rejected"]
    assert [row[0] for row in rows] == ["12", "07400 12345", "0987"]
    assert rows[1][1] == "'=Cid()"
    assert all(row[3].startswith("the number ") for row in rows)
    assert (folder / "bad.csv").stat().st_mode & 0o077 == 0
    assert (added["added"], added["rejected_rows"]) == (2, 1)
    assert "why_rejected" not in added["columns"]


async def test_the_rows_are_written_even_if_none_can_be_called(bench: Bench, folder: Path) -> None:
    async with bench.client() as client:
        refused = await client.refused(
            "create_audience", name="A", csv="phone\n12\n", rejects_file="bad.csv"
        )
    assert "bad.csv" in refused
    assert (folder / "bad.csv").read_text("utf-8").splitlines()[1].startswith("12,")
    assert bench.wire.requests == []


async def test_a_clean_list_writes_no_file_and_says_none(bench: Bench, folder: Path) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_audience", name="A", csv="phone\n+919876543210\n", rejects_file="bad.csv"
        )
    assert made.get("rejects_file") is None
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../out.csv", "not in a folder that the operator allows"),
        ("link.csv", "exists already"),
        ("mine.csv", "exists already"),
        ("out.txt", "must end in .csv"),
        ("none/out.csv", "cannot be written there"),
    ],
)
async def test_no_file_is_written_elsewhere_or_over_another(
    bench: Bench, folder: Path, name: str, words: str
) -> None:
    (folder / "mine.csv").write_text("phone\n1\n", "utf-8")
    (folder / "link.csv").symlink_to(folder / "mine.csv")
    async with bench.client() as client:
        refused = await client.refused("create_audience", name="A", csv=BAD, rejects_file=name)
    assert "rejects_file: " in refused
    assert words in refused
    assert (folder / "mine.csv").read_text("utf-8") == "phone\n1\n"
    assert not (folder.parent / "out.csv").exists()
    assert bench.wire.requests == []
