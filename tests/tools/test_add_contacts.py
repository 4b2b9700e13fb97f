from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.serving import text_of
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
NEW = "phone,name,plan\n+1 (415) 555-0177,Ada,plus\n+919876543210,Ravi,basic\n"


async def members(bench: Bench, audience_id: str = AUDIENCE) -> list[dict[str, Any]]:
    data = await bench.api("GET", f"/audience/{audience_id}/members?page=1&offset=500")
    return [row["data"] for row in data["members"]]


async def test_new_contacts_are_added_and_known_ones_skipped(bench: Bench) -> None:
    known = (await members(bench))[0]["phoneNumber"]
    async with bench.client() as client:
        result = await client.raw(
            "add_contacts", audience_id=AUDIENCE, csv=f"{NEW}{known},Again,x\n12,Short,x\n"
        )
    added, text = result.structured_content, text_of(result)
    assert added is not None
    assert not result.is_error
    assert (added["added"], added["skipped"], added["duplicates"]) == (2, 1, 0)
    assert (added["audience_id"], added["columns"]) == (AUDIENCE, ["phoneNumber", "name", "plan"])
    assert added["rejected"] == [
        'row 5 ("Short") the number has no country code; give default_region'
    ]
    for fact in (AUDIENCE, "2 contacts", "1 were already in it", "IN: 1", "row 5", "plan"):
        assert fact in text
    assert "Asia/Kolkata: 1" in text
    assert (await members(bench))[2:] == [
        {"phoneNumber": "+14155550177", "name": "Ada", "plan": "plus"},
        {"phoneNumber": "+919876543210", "name": "Ravi", "plan": "basic"},
    ]


async def test_the_audience_may_be_given_by_its_exact_name(bench: Bench) -> None:
    async with bench.client() as client:
        added = await client.call("add_contacts", audience_id="january outreach contacts", csv=NEW)
        text = await client.refused("add_contacts", audience_id="January", csv=NEW)
    assert added["audience_id"] == AUDIENCE
    assert "audience_id: nothing in this account has exactly this id or name" in text
    assert "January Outreach contacts" in text


async def test_an_unknown_audience_gets_nothing(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("add_contacts", audience_id="f" * 24, csv=NEW)
    assert "list_audiences" in text
    assert bench.wire.changes == []


async def test_numbers_go_into_the_column_that_the_audience_has_for_them(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_audience", name="Mobiles", csv="phone,name\n+14155550100,A\n"
        )
        with bench.world.writing() as moment:
            moment.db.execute(
                "UPDATE audience SET phone_column = 'Mobile' WHERE id = ?", (made["audience_id"],)
            )
        await client.call(
            "add_contacts", audience_id=made["audience_id"], csv="Mobile,name\n+14155550101,B\n"
        )
    assert (await members(bench, made["audience_id"]))[1] == {"Mobile": "+14155550101", "name": "B"}


@pytest.mark.parametrize("arguments", [{}, {"csv": NEW, "file": "a.csv"}], ids=["neither", "both"])
async def test_exactly_one_source_must_be_given(bench: Bench, arguments: dict[str, str]) -> None:
    async with bench.client() as client:
        text = await client.refused("add_contacts", audience_id=AUDIENCE, **arguments)
    assert "csv, file, upload_id (over HTTP only): exactly one of them must be given" in text
    assert bench.wire.requests == []


async def test_a_list_without_a_good_row_sends_nothing(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused(
            "add_contacts", audience_id=AUDIENCE, csv="phone\n4155550100\n4155550101\n"
        )
    assert "rows 2-3 the number has no country code; give default_region" in text
    assert bench.wire.requests == []


async def test_the_default_region_and_the_column_are_used(bench: Bench) -> None:
    async with bench.client() as client:
        added = await client.call(
            "add_contacts",
            audience_id=AUDIENCE,
            csv="who,first\n(415) 555-0177,Ada\n",
            phone_column="who",
            default_region="US",
        )
        text = await client.refused(
            "add_contacts", audience_id=AUDIENCE, csv=NEW, default_region="ZZ"
        )
    assert added["added"] == 1
    assert "default_region: not a country code" in text


def lists(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "lists"
    folder.mkdir()
    return folder


async def test_contacts_come_from_an_allowed_file_only(bench: Bench, tmp_path: Path) -> None:
    folder = lists(tmp_path)
    (folder / "new.csv").write_text(NEW, "utf-8")
    (tmp_path / "secret.csv").write_text(NEW, "utf-8")
    bench.configure(files=(folder,))
    async with bench.client() as client:
        text = await client.refused("add_contacts", audience_id=AUDIENCE, file="../secret.csv")
        added = await client.call("add_contacts", audience_id=AUDIENCE, file="new.csv")
    assert "not in a folder that the operator allows" in text
    assert added["added"] == 2


async def test_an_audience_that_is_being_called_is_left_alone(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        text = await client.refused("add_contacts", audience_id=AUDIENCE, csv=NEW)
    assert "is running on this audience" in text
    assert len(await members(bench)) == 2
    assert "members" not in bench.wire.changes


async def test_nobody_is_added_to_what_dials_by_itself(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        text = await client.refused("add_contacts", audience_id=AUDIENCE, csv=NEW)
        await client.call("delete_campaign", campaign_id=made["campaign_id"])
        await client.call("add_contacts", audience_id=AUDIENCE, csv=NEW)
    assert f"({made['campaign_id']}) is scheduled on this audience" in text
    assert "delete_campaign" in text
    assert bench.wire.changes.count("members") == 1


@pytest.mark.parametrize("way", ["start", "schedule"])
async def test_nobody_is_added_between_the_question_and_the_first_call(
    bench: Bench, way: str
) -> None:
    sandbox = bench.wire.below
    reached, go_on, text = anyio.Event(), anyio.Event(), ""
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)

        async def slow(request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and request.url.path.endswith(("/start", "/campaign")):
                reached.set()
                await go_on.wait()
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(slow)

        async def dial() -> None:
            if way == "start":
                await client.call("start_campaign", campaign_id=made["campaign_id"])
            else:
                later = {**DRAFT, "name": "Later", "scheduled_at": "2027-01-05T10:00:00+05:30"}
                await client.call("create_campaign", **later)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dial)
            await reached.wait()
            text = await client.refused("add_contacts", audience_id=AUDIENCE, csv=NEW)
            go_on.set()
    assert "at this moment" in text
    assert len(await members(bench)) == 2


@pytest.mark.slow
async def test_more_than_an_audience_holds_is_refused_with_the_room_that_is_left(
    bench: Bench,
) -> None:
    rows = "\n".join(f"+1415{n:07d}" for n in range(2000000, 2009600))
    async with bench.client() as client:
        text = await client.refused(
            "add_contacts", audience_id="Newsletter readers", csv=f"phone\n{rows}"
        )
    assert "The maximum limit is 10000 members" in text
    assert "9500 more members" in text


async def test_adding_the_same_list_twice_adds_nobody(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("add_contacts", audience_id=AUDIENCE, csv=NEW)
        again = await client.call("add_contacts", audience_id=AUDIENCE, csv=NEW)
    assert (again["added"], again["skipped"]) == (0, 2)
    assert len(await members(bench)) == 4
