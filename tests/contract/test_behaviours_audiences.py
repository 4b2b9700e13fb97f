"""Audiences: CSV uploads, and when they can be deleted."""

from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, Driver, behaviour
from tests.contract.samples import AGENT, AUDIENCE, FILE, rows

pytestmark = pytest.mark.anyio


async def rejected(api: Driver, file: str | bytes, **fields: str) -> list[str]:
    """The errors of an upload that must be refused and must leave nothing behind."""
    before = await api.get("/audience")
    response = await api.upload(file, **fields)
    assert response.status_code == 400, response.text
    assert await api.get("/audience") == before
    return response.json()["errors"]


@behaviour("audience.create.answers-200-and-needs-a-file")
async def test_an_upload_makes_an_audience_and_answers_200(api: Driver) -> None:
    response = await api.upload(FILE, description="Two", identifierColumnName="name")
    assert response.status_code == 200
    audience = response.json()["data"]
    assert (audience["name"], audience["description"]) == ("Uploaded", "Two")
    assert audience["phoneNumberColumnName"] == "phoneNumber"
    assert audience["identifierColumnName"] == "name"
    assert await api.members(audience["_id"]) == [
        {"phoneNumber": "+12025550101", "name": "Ada"},
        {"phoneNumber": "+12025550102", "name": "Grace"},
    ]


@behaviour("audience.csv.bom-quotes-and-line-ends")
@pytest.mark.parametrize(
    "file",
    [
        b"\xef\xbb\xbf" + FILE.encode(),
        FILE.replace("\n", "\r\n").encode(),
        FILE.rstrip("\n").encode(),
        FILE.replace("Ada", '"Ada"').encode(),
        (FILE + "\n\n").encode(),
    ],
    ids=["bom", "crlf", "no last line end", "quotes", "blank lines"],
)
async def test_a_csv_is_read_however_it_was_written(api: Driver, file: bytes) -> None:
    audience = await api.audience(file)
    assert await api.members(audience) == [
        {"phoneNumber": "+12025550101", "name": "Ada"},
        {"phoneNumber": "+12025550102", "name": "Grace"},
    ]


@behaviour("audience.csv.bom-quotes-and-line-ends")
@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ('"Lovelace, Ada"', "Lovelace, Ada"),
        ('"Ada ""the Countess"""', 'Ada "the Countess"'),
        ('"two\nlines"', "two\nlines"),
        ("Zoë Łukasiewicz", "Zoë Łukasiewicz"),
        ("", ""),
    ],
)
async def test_commas_quotes_and_line_ends_may_stand_in_a_cell(
    api: Driver, cell: str, name: str
) -> None:
    audience = await api.audience(f"name,phoneNumber\n{cell},+12025550101\n")
    assert await api.members(audience) == [{"name": name, "phoneNumber": "+12025550101"}]


@behaviour("audience.csv.bom-quotes-and-line-ends")
async def test_an_upload_with_a_bom_and_the_phone_column_first_is_found(api: Driver) -> None:
    audience = await api.audience(b"\xef\xbb\xbfmobile\n+12025550101\n", column="mobile")
    assert await api.members(audience) == [{"mobile": "+12025550101"}]


@behaviour("audience.csv.a-bad-row-refuses-all")
@pytest.mark.parametrize("number", ["+12025550101", "12025550101", "+1234567", "123456789012345"])
async def test_a_number_has_seven_to_fifteen_digits_and_perhaps_a_plus(
    api: Driver, number: str
) -> None:
    assert await api.audience(f"phoneNumber\n{number}\n")


@behaviour("audience.csv.a-bad-row-refuses-all")
@pytest.mark.parametrize(
    "number",
    [
        "202-555-0101",
        "+1 202 555 0101",
        "0123456789",
        "+123456",
        "+1234567890123456",
        "",
        "call me",
    ],
)
async def test_one_bad_number_refuses_the_whole_upload(api: Driver, number: str) -> None:
    assert await rejected(api, f"phoneNumber,name\n+12025550101,Ada\n{number},Grace\n")


@behaviour("audience.csv.a-bad-row-refuses-all")
async def test_several_bad_rows_are_all_named(api: Driver) -> None:
    errors = await rejected(api, "phoneNumber,name\nabc,Ada\n+12025550101\n+1,Grace,Hopper\n")
    assert len(errors) == 3


@behaviour("audience.csv.a-bad-row-refuses-all")
@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\n\n",
        b"phoneNumber\n",
        b"\xff\xfe\x00",
        b'phoneNumber\n"+1202',
        b"PK\x03\x04\x00\x00",
    ],
    ids=["empty", "blank", "no rows", "not utf-8", "open quote", "a zip, as xlsx is"],
)
async def test_a_file_that_holds_no_contacts_is_refused(api: Driver, file: bytes) -> None:
    assert await rejected(api, file)


@behaviour("audience.csv.duplicates-refuse-all")
@pytest.mark.parametrize("again", ["+12025550101", "12025550101"])
async def test_a_number_given_twice_refuses_the_whole_upload(api: Driver, again: str) -> None:
    (error,) = await rejected(api, f"phoneNumber\n+12025550101\n{again}\n")
    assert error == (
        "Some phone numbers in your CSV already exist in this audience."
        " Please remove duplicate entries and try again."
    )


@behaviour("audience.csv.phone-column-exactly-as-named")
@pytest.mark.parametrize("column", ["PhoneNumber", "phonenumber", "phone", "phoneNumber2"])
async def test_the_phone_column_must_be_there_under_its_exact_name(
    api: Driver, column: str
) -> None:
    assert await rejected(api, FILE, column=column)


@behaviour("audience.csv.phone-column-exactly-as-named")
async def test_blanks_around_a_header_are_part_of_its_name(api: Driver) -> None:
    assert await rejected(api, FILE.replace("phoneNumber", " phoneNumber "))


@behaviour("audience.csv.phone-column-exactly-as-named")
async def test_the_name_column_must_be_there_when_it_is_named(api: Driver) -> None:
    assert await rejected(api, FILE, identifierColumnName="fullName")
    assert await api.audience(FILE)


@pytest.mark.slow
@behaviour("audience.csv.at-most-5-mb")
async def test_a_file_of_five_megabytes_is_read_and_one_byte_more_is_refused(api: Driver) -> None:
    limit = 5 * 1024 * 1024
    lines = "".join(f"+1202{line:07},{'x' * 1024}\n" for line in range(5_000))
    file = f"phoneNumber,note\n{lines}"
    fitting = file + f"+13035550101,{'x' * (limit - len(file) - 14)}\n"
    assert len(fitting) == limit
    assert await rejected(api, fitting + "\n")
    assert await api.audience(fitting)


@pytest.mark.slow
@behaviour("audience.csv.at-most-10000-members")
async def test_ten_thousand_members_are_taken_and_one_more_is_refused(api: Driver) -> None:
    assert await rejected(api, rows(10_001)) == ["Audience cannot exceed 10000 members"]
    audience = await api.audience(rows(10_000))
    page = await api.get(f"/audience/{audience}/members", page=2000)
    assert (page["totalCount"], page["totalPages"], page["hasMore"]) == (10_000, 2000, False)
    numbers = [member["data"]["phoneNumber"] for member in page["members"]]
    assert numbers == rows(10_000).split()[-5:]


@behaviour("audience.create.answers-200-and-needs-a-file")
async def test_a_form_without_a_file_is_refused(api: Driver) -> None:
    form = {
        "name": (None, b"January"),
        "phoneNumberColumnName": (None, b"phoneNumber"),
    }
    assert await api.refused("POST", "/audience", files=form) == ["CSV file is required"]


@behaviour("audience.list.counts-and-campaigns")
async def test_the_list_tells_members_and_campaigns_of_every_audience(api: Driver) -> None:
    audience = await api.audience(FILE)
    first = (await api.get("/audience"))[0]
    assert (first["_id"], first["memberCount"]) == (audience, 2)
    assert (first["hasCampaigns"], first["campaigns"]) == (False, [])
    campaign = await api.draft(audienceId=audience)
    (row,) = [row for row in await api.get("/audience") if row["_id"] == audience]
    assert row["hasCampaigns"] is True
    assert [(one["_id"], one["status"]) for one in row["campaigns"]] == [(campaign, "draft")]


@behaviour("audience.list.counts-and-campaigns")
async def test_a_single_audience_comes_without_its_member_count(api: Driver) -> None:
    audience = await api.get(f"/audience/{AUDIENCE}")
    assert audience["_id"] == AUDIENCE
    assert "memberCount" not in audience


@behaviour("audience.get.unknown-or-foreign-is-404")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/members"),
        ("POST", "/members"),
        ("DELETE", "/members"),
        ("GET", "/members/search?query=a"),
    ],
)
async def test_an_unknown_or_foreign_audience_is_not_found(
    api: Driver, method: str, path: str
) -> None:
    foreign = await api.audience(FILE)
    body = {"members": [{"phoneNumber": "+12025550101"}], "memberIds": [UNKNOWN]}
    more: dict[str, Any] = {"json": body} if path == "/members" and method != "GET" else {}
    headers = {"Authorization": "Bearer sk_other"}
    for audience in (UNKNOWN, foreign):
        url = f"/audience/{audience}{path}"
        errors = await api.refused(method, url, 404, headers=headers, **more)
        assert errors == ["Audience not found"]
    errors = await api.refused(method, f"/audience/nope{path}", **more)
    assert errors == ["Invalid audience id"]
    assert len(await api.members(foreign)) == 2


@behaviour("audience.delete.answers-an-empty-list")
async def test_a_deleted_audience_is_gone(api: Driver) -> None:
    audience = await api.audience(FILE)
    assert await api.ok("DELETE", f"/audience/{audience}") == []
    await api.refused("GET", f"/audience/{audience}", 404)
    body = {"name": "Spring", "agentId": AGENT, "audienceId": audience}
    assert await api.refused("POST", "/campaign", json=body) == ["Audience not found"]
    assert audience not in [one["_id"] for one in await api.get("/audience")]


@behaviour("audience.delete.refused-while-a-campaign-refers")
@pytest.mark.parametrize("state", ["draft", "completed"])
async def test_an_audience_stays_while_any_campaign_refers_to_it(api: Driver, state: str) -> None:
    campaign = await api.draft(maxRetries=0)
    if state == "completed":
        await api.start(campaign)
        api.later(minutes=5)
    assert await api.status(campaign) == state
    errors = await api.refused("DELETE", f"/audience/{AUDIENCE}")
    assert errors == [f"can't delete audience, campaign with this audience {AUDIENCE} exists"]
    await api.ok("DELETE", f"/campaign/{campaign}")
    assert await api.ok("DELETE", f"/audience/{AUDIENCE}") == []
