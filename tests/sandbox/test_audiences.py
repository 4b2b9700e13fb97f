"""Audiences from CSV files, and their members."""

from typing import Any

import pytest

from tests.sandbox.harness import (
    Json,
    Sandbox,
    csv_of,
    form,
)

pytestmark = pytest.mark.anyio

DUPLICATES = (
    "Some phone numbers in your CSV already exist in this audience. Please remove duplicate"
    " entries and try again."
)
UNREADABLE = "Failed to create audience. Please check your CSV file and try again."


async def members(sandbox: Sandbox, audience: str, **params: object) -> list[Json]:
    page = await sandbox.get(f"/audience/{audience}/members", **({"offset": 100} | params))
    return [member["data"] for member in page["members"]]


async def test_an_upload_answers_200_with_the_audience(sandbox: Sandbox) -> None:
    response = await sandbox.send(
        "POST",
        "/audience",
        **form(
            "phoneNumber,Name\n+12025550101,Ada\n",
            name="test_audience",
            description="Customers",
            identifierColumnName="Name",
        ),
    )
    assert response.status_code == 200
    created = response.json()["data"]
    assert (
        created.items()
        >= {
            "name": "test_audience",
            "description": "Customers",
            "phoneNumberColumnName": "phoneNumber",
            "identifierColumnName": "Name",
            "createdAt": "2027-01-04T12:00:00.000Z",
        }.items()
    )
    shown = await sandbox.get(f"/audience/{created['_id']}")
    assert "memberCount" not in shown
    listed = (await sandbox.get("/audience"))[0]
    assert (listed["_id"], listed["memberCount"]) == (created["_id"], 1)
    assert (listed["hasCampaigns"], listed["campaigns"]) == (False, [])


async def test_bom_quotes_commas_blank_lines_and_line_ends_are_read(sandbox: Sandbox) -> None:
    text = (
        b"\xef\xbb\xbfphoneNumber,name\r\n"
        b'+12025550101,"Rao, ""Maya"""\r\n\r\n'
        b'12025550102,"two\r\nlines"\r\n'
        b"+447700900123,J\xc3\xb6rg"
    )
    audience = await sandbox.upload(text)
    assert await members(sandbox, audience["_id"]) == [
        {"phoneNumber": "+12025550101", "name": 'Rao, "Maya"'},
        {"phoneNumber": "12025550102", "name": "two\r\nlines"},
        {"phoneNumber": "+447700900123", "name": "Jörg"},
    ]


async def test_the_phone_column_may_have_any_name(sandbox: Sandbox) -> None:
    audience = await sandbox.upload("mobile\n+12025550101\n", phoneNumberColumnName="mobile")
    campaign = await sandbox.started(audienceId=audience["_id"])
    sandbox.clock.advance(seconds=2)
    assert (await sandbox.calls(campaign))[0]["to"] == "+12025550101"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [UNREADABLE]),
        ("\n\n", [UNREADABLE]),
        (b"phoneNumber\n\xff\xfe\n", [UNREADABLE]),
        ('phoneNumber\n"+12025550101\n', [UNREADABLE]),
        ("phoneNumber\n", ["CSV has no rows"]),
        ("PhoneNumber\n+12025550101\n", ['Column "phoneNumber" not found in CSV']),
        ("phoneNumber,x,x\n+12025550101,1,2\n", ["CSV has two columns of the same name"]),
        ("phoneNumber\n+12025550101\n12025550101\n", [DUPLICATES]),
        (csv_of(10_001), ["Audience cannot exceed 10000 members"]),
        (b"phoneNumber\n" + b" " * 5_242_880, ["File too large. The maximum size is 5 MB."]),
        (
            "phoneNumber,name\nabc,A\n+12025550101,B,C\n+0123456789,D\n+12025550102\n",
            [
                "Row 2: Invalid phone number",
                "Row 3: Expected 2 columns, found 3",
                "Row 4: Invalid phone number",
                "Row 5: Expected 2 columns, found 1",
            ],
        ),
    ],
    ids=range(11),
)
async def test_any_bad_row_refuses_the_whole_upload(
    sandbox: Sandbox, text: str | bytes | None, problems: list[str]
) -> None:
    before = len(await sandbox.get("/audience"))
    assert await sandbox.refused("POST", "/audience", **form(text)) == problems
    assert len(await sandbox.get("/audience")) == before


async def test_every_missing_field_is_named_at_once(sandbox: Sandbox) -> None:
    assert await sandbox.refused("POST", "/audience") == [
        "name: Required",
        "phoneNumberColumnName: Required",
        "CSV file is required",
    ]
    empty: dict[str, Any] = {
        "files": {"attachment": ("x.csv", "x", "text/csv")},
        "data": form("")["data"],
    }
    assert await sandbox.refused("POST", "/audience", **empty) == ["CSV file is required"]
    text = "phone\n1\n"
    wrong = form(text, name=" ", identifierColumnName="who")
    assert await sandbox.refused("POST", "/audience", **wrong) == [
        "name: String must contain at least 1 character(s)",
        'Column "phoneNumber" not found in CSV',
        'Column "who" not found in CSV',
    ]
    assert await sandbox.refused("POST", "/audience", **form(text, identifierColumnName="who")) == [
        'Column "phoneNumber" not found in CSV',
        'Column "who" not found in CSV',
    ]


async def test_a_long_list_of_bad_rows_is_cut(sandbox: Sandbox) -> None:
    problems = await sandbox.refused(
        "POST", "/audience", **form("phoneNumber\n" + "".join(f"x{i}\n" for i in range(100)))
    )
    assert len(problems) == 21
    assert problems[-1] == "80 more rows are invalid"


async def test_pages_of_members_are_named_like_the_vendors(sandbox: Sandbox) -> None:
    audience = await sandbox.audience_of(7)
    first = await sandbox.get(f"/audience/{audience}/members", limit=100)
    assert (len(first["members"]), first["totalPages"], first["hasMore"]) == (5, 2, True)
    assert len(await members(sandbox, audience, page=2, offset=5)) == 2
    response = await sandbox.send("GET", f"/audience/{audience}/members", params={"page": "0"})
    assert response.status_code == 400
    assert response.json()["status"] == "error"
