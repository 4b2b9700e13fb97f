"""Members of an audience: added, removed, listed and searched."""

from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, Driver, behaviour
from tests.contract.samples import AGENT, AUDIENCE, FILE, rows

pytestmark = pytest.mark.anyio


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
    body = {"members": [{"phoneNumber": n, "score": at} for at, n in enumerate(numbers)]}
    (result,) = await api.post(f"/audience/{audience}/members", body)
    assert result["data"] == {"added": 1, "skipped": 3}
    assert result["message"] == "1 members added successfully"
    assert [member.get("score") for member in await api.members(audience)] == [None, None, 2]


@behaviour("members.add.each-needs-the-phone-column")
@pytest.mark.parametrize("member", [{"name": "Ada"}, {"PhoneNumber": "+12025550103"}, {}])
async def test_every_added_member_needs_the_phone_column(
    api: Driver, member: dict[str, str]
) -> None:
    audience = await api.audience(FILE)
    body = {"members": [{"phoneNumber": "+12025550103"}, member]}
    errors = await api.refused("POST", f"/audience/{audience}/members", json=body)
    assert errors == ["Each member must have a phoneNumber field"]
    assert len(await api.members(audience)) == 2


@behaviour("members.add.each-needs-the-phone-column")
async def test_what_is_wrong_with_each_member_is_told_by_its_place(api: Driver) -> None:
    path = f"/audience/{AUDIENCE}/members"
    people = [{"name": "A"}, {"name": "B"}, 7, {"phoneNumber": "1-2"}, {"phoneNumber": 12025550101}]
    assert await api.refused("POST", path, json={"members": people}) == [
        "Each member must have a phoneNumber field",
        "members.2: Expected object, received number",
        "members.3.phoneNumber: Invalid phone number",
        "members.4.phoneNumber: Invalid phone number",
    ]
    assert await api.refused("POST", path, json={}) == ["members: Required"]
    (error,) = await api.refused("POST", path, json={"members": "x"})
    assert error == "members: Expected array, received string"
    assert await api.refused("DELETE", path, json={}) == ["memberIds: Required"]


@pytest.mark.slow
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
    (error,) = await api.refused("POST", f"/audience/{AUDIENCE}/members", json=body)
    assert error.startswith("Cannot add 10001 members.")
    assert len(await api.members(AUDIENCE)) == 2


@behaviour("members.delete.counts-what-was-there")
async def test_removed_members_are_counted_and_unknown_ones_are_not(api: Driver) -> None:
    path = f"/audience/{await api.audience(FILE)}/members"
    ids = [member["_id"] for member in (await api.get(path))["members"]]
    data = await api.ok("DELETE", path, json={"memberIds": [ids[0], ids[0], UNKNOWN]})
    assert data == {"deletedCount": 1}
    left = (await api.get(path))["members"]
    assert [member["_id"] for member in left] == [ids[1]]
    (again,) = await api.post(path, {"members": [{"phoneNumber": "+12025550101"}]})
    assert again["data"]["added"] == 1


@behaviour("members.change.refused-while-a-campaign-calls")
@pytest.mark.parametrize(("state", "seconds"), [("processing", 0.0), ("running", 3.0)])
async def test_members_stay_as_they_are_while_a_campaign_calls_them(
    api: Driver, state: str, seconds: float
) -> None:
    audience = await api.audience(FILE)
    path = f"/audience/{audience}/members"
    ids = [member["_id"] for member in (await api.get(path))["members"]]
    campaign = await api.started(audienceId=audience, agentId=AGENT, seconds=seconds)
    body = {"members": [{"phoneNumber": "+12025550103"}]}
    for method, change in (("POST", body), ("DELETE", {"memberIds": ids})):
        (error,) = await api.refused(method, path, json=change)
        assert error == f"Audience cannot be changed while a campaign on it is {state}"
    api.later(seconds=3)
    await api.paused(campaign)
    await api.post(path, body)
    assert len(await api.members(audience)) == 3


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_members_are_found_by_any_column_or_by_named_ones(api: Driver) -> None:
    audience = await api.audience(
        "phoneNumber,name,city\n+12025550101,Ada,Pune\n+13035550101,Pune,X\n"
    )
    path = f"/audience/{audience}/members/search"
    found = await api.get(path, query="pune")
    told: dict[str, Any] = {
        "searchType": "general",
        "searchTerm": "pune",
        "searchFields": [],
        "totalResults": 2,
    }
    assert (found["searchInfo"], len(found["members"])) == (told, 2)
    found = await api.get(path, city="pun")
    assert found["searchInfo"]["searchType"] == "multiple"
    assert [member["data"]["name"] for member in found["members"]] == ["Ada"]
    found = await api.get(path, city="pune", name="ADA")
    assert [member["data"]["name"] for member in found["members"]] == ["Ada"]
    assert found["searchInfo"]["searchFields"] == ["city", "name"]
    for unlike in ({"city": "pune", "name": "grace"}, {"street": "x"}):
        assert (await api.get(path, **unlike))["members"] == []


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_a_search_for_nothing_or_for_both_kinds_is_refused(api: Driver) -> None:
    path = f"/audience/{AUDIENCE}/members/search"
    (error,) = await api.refused("GET", path)
    assert error.startswith("At least one search parameter is required.")
    (error,) = await api.refused("GET", f"{path}?query=a&name=b")
    assert error.startswith("Use either")


@behaviour("members.search.up-to-ten-by-any-or-named-columns")
async def test_a_search_finds_at_most_ten(api: Driver) -> None:
    audience = await api.audience(rows(30))
    found = await api.get(f"/audience/{audience}/members/search", query="1202")
    assert len(found["members"]) == 10
