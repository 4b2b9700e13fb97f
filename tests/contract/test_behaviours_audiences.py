"""Audiences: CSV uploads and members."""

from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, Driver, behaviour
from tests.contract.samples import AGENT, AUDIENCE

pytestmark = pytest.mark.anyio

FILE = "phoneNumber,name\n+12025550101,Ada\n+12025550102,Grace\n"


async def members(api: Driver, audience: str) -> list[Any]:
    page = await api.get(f"/audience/{audience}/members", offset=100)
    return [member["data"] for member in page["members"]]


async def rejected(api: Driver, file: str | bytes, **fields: str) -> list[str]:
    """The errors of an upload that must be refused and must leave nothing behind."""
    before = await api.get("/audience")
    response = await api.upload(file, **fields)
    assert response.status_code == 400, response.text
    assert await api.get("/audience") == before
    return response.json()["errors"]


def rows(count: int) -> str:
    return "phoneNumber\n" + "".join(f"+1202{line:07}\n" for line in range(count))


@behaviour("audience.create.answers-200-and-needs-a-file")
async def test_an_upload_makes_an_audience_and_answers_200(api: Driver) -> None:
    response = await api.upload(FILE, description="Two", identifierColumnName="name")
    assert response.status_code == 200
    audience = response.json()["data"]
    assert (audience["name"], audience["description"]) == ("Uploaded", "Two")
    assert audience["phoneNumberColumnName"] == "phoneNumber"
    assert audience["identifierColumnName"] == "name"
    assert await members(api, audience["_id"]) == [
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
    assert await members(api, audience) == [
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
    assert await members(api, audience) == [{"name": name, "phoneNumber": "+12025550101"}]


@behaviour("audience.csv.bom-quotes-and-line-ends")
async def test_an_upload_with_a_bom_and_the_phone_column_first_is_found(api: Driver) -> None:
    audience = await api.audience(b"\xef\xbb\xbfmobile\n+12025550101\n", column="mobile")
    assert await members(api, audience) == [{"mobile": "+12025550101"}]


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


@behaviour("audience.csv.at-most-5-mb")
async def test_a_file_of_five_megabytes_is_read_and_one_byte_more_is_refused(api: Driver) -> None:
    limit = 5 * 1024 * 1024
    lines = "".join(f"+1202{line:07},{'x' * 1024}\n" for line in range(5_000))
    file = f"phoneNumber,note\n{lines}"
    fitting = file + f"+13035550101,{'x' * (limit - len(file) - 14)}\n"
    assert len(fitting) == limit
    assert await rejected(api, fitting + "\n")
    assert await api.audience(fitting)


@behaviour("audience.csv.at-most-10000-members")
async def test_ten_thousand_members_are_taken_and_one_more_is_refused(api: Driver) -> None:
    assert await rejected(api, rows(10_001)) == ["Audience cannot exceed 10000 members"]
    audience = await api.audience(rows(10_000))
    page = await api.get(f"/audience/{audience}/members")
    assert page["totalCount"] == 10_000


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
    assert await api.refused(method, f"/audience/nope{path}", **more)
    assert len(await members(api, foreign)) == 2


@behaviour("audience.delete.answers-an-empty-list")
async def test_a_deleted_audience_is_gone(api: Driver) -> None:
    audience = await api.audience(FILE)
    assert await api.ok("DELETE", f"/audience/{audience}") == []
    await api.refused("GET", f"/audience/{audience}", 404)
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


@behaviour("members.list.page-size-is-called-offset")
async def test_members_come_in_pages_of_five_or_as_many_as_offset_says(api: Driver) -> None:
    audience = await api.audience(rows(12))
    path = f"/audience/{audience}/members"
    first = await api.get(path)
    assert (len(first["members"]), first["hasMore"]) == (5, True)
    assert (first["totalCount"], first["totalPages"]) == (12, 3)
    last = await api.get(path, page=2, offset=10)
    assert (len(last["members"]), last["hasMore"], last["totalPages"]) == (2, False, 2)


@behaviour("members.list.refusal-has-a-word-for-status")
async def test_a_refused_list_of_members_has_a_word_for_its_status(api: Driver) -> None:
    response = await api.careless.get("/audience/nope/members")
    assert response.status_code == 400
    assert response.json()["status"] == "error"
    other = await api.careless.get("/audience/nope/members/search?query=a")
    assert (other.status_code, other.json()["status"]) == (400, False)


@behaviour("members.add.duplicates-are-skipped-and-counted")
async def test_added_numbers_that_are_there_are_skipped_and_counted(api: Driver) -> None:
    audience = await api.audience(FILE)
    numbers = ["+12025550101", "12025550102", "+12025550103", "+12025550103"]
    body = {"members": [{"phoneNumber": number} for number in numbers]}
    (result,) = await api.post(f"/audience/{audience}/members", body)
    assert result["data"] == {"added": 1, "skipped": 3}
    assert result["message"] == "1 members added successfully"
    assert len(await members(api, audience)) == 3


@behaviour("members.add.each-needs-the-phone-column")
@pytest.mark.parametrize("member", [{"name": "Ada"}, {"PhoneNumber": "+12025550103"}, {}])
async def test_every_added_member_needs_the_phone_column(
    api: Driver, member: dict[str, str]
) -> None:
    audience = await api.audience(FILE)
    body = {"members": [{"phoneNumber": "+12025550103"}, member]}
    errors = await api.refused("POST", f"/audience/{audience}/members", json=body)
    assert errors == ["Each member must have a phoneNumber field"]
    assert len(await members(api, audience)) == 2


@behaviour("members.add.limit-tells-what-fits")
async def test_a_refusal_over_the_limit_tells_how_many_still_fit(api: Driver) -> None:
    audience = await api.audience(rows(9_990))
    body = {"members": [{"phoneNumber": f"+1303555{n:04}"} for n in range(15)]}
    (error,) = await api.refused("POST", f"/audience/{audience}/members", json=body)
    assert error == (
        "Cannot add 15 members. You currently have 9990 members in this audience. The maximum"
        " limit is 10000 members. You can add up to 10 more members."
    )
    await api.post(f"/audience/{audience}/members", {"members": body["members"][:10]})


@behaviour("members.add.limit-tells-what-fits")
async def test_more_members_than_an_audience_holds_are_refused_at_once(api: Driver) -> None:
    body = {"members": [{"phoneNumber": f"+1303{n:07}"} for n in range(10_001)]}
    assert await api.refused("POST", f"/audience/{AUDIENCE}/members", json=body)
    assert len(await members(api, AUDIENCE)) == 2


@behaviour("members.delete.counts-what-was-there")
async def test_removed_members_are_counted_and_unknown_ones_are_not(api: Driver) -> None:
    path = f"/audience/{await api.audience(FILE)}/members"
    ids = [member["_id"] for member in (await api.get(path))["members"]]
    data = await api.ok("DELETE", path, json={"memberIds": [ids[0], UNKNOWN]})
    assert data == {"deletedCount": 1}
    left = (await api.get(path))["members"]
    assert [member["_id"] for member in left] == [ids[1]]


@behaviour("members.change.refused-while-a-campaign-calls")
@pytest.mark.parametrize("seconds", [0.0, 3.0])
async def test_members_stay_as_they_are_while_a_campaign_calls_them(
    api: Driver, seconds: float
) -> None:
    audience = await api.audience(FILE)
    path = f"/audience/{audience}/members"
    ids = [member["_id"] for member in (await api.get(path))["members"]]
    campaign = await api.started(audienceId=audience, agentId=AGENT, seconds=seconds)
    body = {"members": [{"phoneNumber": "+12025550103"}]}
    assert await api.refused("POST", path, json=body)
    assert await api.refused("DELETE", path, json={"memberIds": ids})
    api.later(seconds=3)
    await api.paused(campaign)
    await api.post(path, body)
    assert len(await members(api, audience)) == 3


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_members_are_found_by_any_column_or_by_named_ones(api: Driver) -> None:
    audience = await api.audience(
        "phoneNumber,name,city\n+12025550101,Ada,Pune\n+13035550101,Pune,X\n"
    )
    path = f"/audience/{audience}/members/search"
    found = await api.get(path, query="pune")
    assert found["searchInfo"]["searchType"] == "general"
    assert (found["searchInfo"]["totalResults"], len(found["members"])) == (2, 2)
    found = await api.get(path, city="pun")
    assert found["searchInfo"]["searchType"] == "multiple"
    assert [member["data"]["name"] for member in found["members"]] == ["Ada"]
    found = await api.get(path, city="pune", name="grace")
    assert found["members"] == []


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_a_search_for_nothing_or_for_both_kinds_is_refused(api: Driver) -> None:
    path = f"/audience/{AUDIENCE}/members/search"
    (error,) = await api.refused("GET", path)
    assert error.startswith("At least one search parameter is required.")
    assert await api.refused("GET", f"{path}?query=a&name=b")


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_a_search_finds_at_most_ten(api: Driver) -> None:
    audience = await api.audience(rows(30))
    found = await api.get(f"/audience/{audience}/members/search", query="1202")
    assert len(found["members"]) == 10
