import sqlite3
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from tests.support.bench import Bench
from tests.support.running import running
from tests.support.serving import text_of
from tests.support.tampering import alter
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_a_running_campaign_is_really_paused_when_the_call_returns(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        paused = await client.call("pause_campaign", **campaign)
        report = await client.call("get_campaign_status", **campaign)
    assert (paused["status"], paused["changed"]) == ("paused", True)
    assert report["status"] == "paused"
    assert "paused_at" in report


async def test_pausing_needs_no_agreement(bench: Bench) -> None:
    bench.configure(confirm="never")
    async with bench.client(answer=None) as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        assert (await client.call("pause_campaign", **campaign))["status"] == "paused"


async def test_pausing_twice_changes_nothing_the_second_time(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
        again = await client.call("pause_campaign", **campaign)
    assert (again["status"], again["changed"]) == ("paused", False)
    assert "already paused" in again["message"]


async def test_a_draft_cannot_be_paused(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused("pause_campaign", campaign_id=made["campaign_id"])
    assert "is draft and cannot be paused" in text


async def test_a_scheduled_campaign_can_only_be_deleted(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        text = await client.refused("pause_campaign", campaign_id=made["campaign_id"])
    assert "delete_campaign" in text


async def test_the_emergency_stop_works_without_the_journal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)

        async def full_disk(*_: object, **__: object) -> int:
            raise NotRecorded("The disk is full.")

        monkeypatch.setattr(SqliteJournal, "begin", full_disk)
        stopped = await client.call("pause_campaign", **campaign)
        text = await client.refused("create_campaign", **{**DRAFT, "name": "Other"})
    assert stopped["status"] == "paused"
    assert "not recorded" in stopped["next_step"]
    assert "The disk is full." in text
    assert bench.wire.changes == ["campaign", "start", "pause"]


@pytest.mark.slow
async def test_all_pauses_whatever_dials_and_lists_what_is_scheduled(bench: Bench) -> None:
    async with bench.client() as client:
        dialling = await running(client, 3)
        draft = await client.call("create_campaign", **DRAFT)
        later = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        bench.questions.clear()
        result = await client.raw("pause_campaign", campaign_id="all")
        rows = (await client.call("list_campaigns", limit=100))["campaigns"]
    stopped, text = result.structured_content, text_of(result)
    assert stopped is not None
    assert (stopped["campaign_id"], stopped["status"], stopped["changed"]) == (
        "all",
        "paused",
        True,
    )
    assert {row["id"] for row in stopped["campaigns"]} == set(dialling)
    assert {row["status"] for row in stopped["campaigns"]} == {"paused"}
    assert [row["id"] for row in stopped["scheduled"]] == [later["campaign_id"]]
    status = {row["id"]: row["status"] for row in rows}
    assert {status[campaign] for campaign in dialling} == {"paused"}
    assert (status[draft["campaign_id"]], status[later["campaign_id"]]) == ("draft", "scheduled")
    assert all(campaign in text for campaign in dialling)
    assert f'Still scheduled to dial: "January renewals" ({later["campaign_id"]})' in text
    assert "Only delete_campaign stops what is scheduled." in stopped["next_step"]
    assert bench.questions == []
    assert bench.wire.changes.count("pause") == 3


async def test_all_pauses_a_campaign_that_is_still_being_set_up(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = made["campaign_id"]
        await bench.api("POST", f"/campaign/{campaign}/start")
        before = await client.call("get_campaign_status", campaign_id=campaign)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert before["status"] == "processing"
    assert [row["id"] for row in stopped["campaigns"]] == [campaign]
    assert stopped["status"] == "paused"


@pytest.mark.slow
async def test_all_pauses_what_begins_to_run_while_it_looks(bench: Bench) -> None:
    """It is not in the list of what runs, and not any more in that of what is set up."""
    async with bench.client() as client:
        (campaign,) = await running(client, 1)
        lists = iter(["GET /campaign?*status=running*"])

        def before_it_ran(data: Any) -> Any:
            return {**data, "campaigns": []} if next(lists, None) else data

        alter(bench, "GET /campaign?*status=running*", before_it_ran)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert [row["id"] for row in stopped["campaigns"]] == [campaign]
    assert stopped["status"] == "paused"


@pytest.mark.slow
async def test_one_that_cannot_be_paused_does_not_keep_the_others_dialling(bench: Bench) -> None:
    sandbox = bench.wire.below
    async with bench.client() as client:
        first, stuck, last = await running(client, 3)

        async def refuse_one(request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith(f"/campaign/{stuck}/pause"):
                return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(refuse_one)
        result = await client.raw("pause_campaign", campaign_id="all")
        rows = (await client.call("list_campaigns", limit=100))["campaigns"]
    status = {row["id"]: row["status"] for row in rows}
    assert [status[campaign] for campaign in (first, stuck, last)] == [
        "paused",
        "running",
        "paused",
    ]
    text = text_of(result)
    assert stuck in text
    assert "could not be paused" in text


@pytest.mark.slow
async def test_a_list_that_fails_does_not_keep_what_is_in_the_other_dialling(bench: Bench) -> None:
    sandbox = bench.wire.below
    async with bench.client() as client:
        (dialling,) = await running(client, 1)

        async def refuse_one(request: httpx2.Request) -> httpx2.Response:
            if request.url.params.get("status") == "processing":
                return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(refuse_one)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(dialling, "paused")]
    assert "There may be more" in stopped["message"]
    assert "again" in stopped["next_step"]


async def test_all_fails_if_nothing_can_be_listed(bench: Bench) -> None:
    async def refuse(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})

    bench.wire.below = httpx2.MockTransport(refuse)
    async with bench.client() as client:
        await client.refused("pause_campaign", campaign_id="all")


@pytest.mark.slow
async def test_a_campaign_that_cannot_be_seen_is_paused_all_the_same(bench: Bench) -> None:
    sandbox = bench.wire.below
    async with bench.client() as client:
        (dialling,) = await running(client, 1)

        async def blind(request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET":
                return httpx2.Response(500, json={"status": False, "errors": ["Boom"]})
            return await sandbox.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(blind)
        stopped = await client.call("pause_campaign", campaign_id=dialling)
        bench.wire.below = sandbox
        seen = await client.call("get_campaign_status", campaign_id=dialling)
    assert (stopped["status"], stopped["changed"]) == ("unknown", True)
    assert "cannot be read at present" in stopped["message"]
    assert seen["status"] == "paused"


@pytest.mark.slow
async def test_all_finds_more_campaigns_than_one_page_holds(bench: Bench) -> None:
    async with bench.client() as client:
        (campaign,) = await running(client, 1)
        with bench.world.writing() as moment:
            copy_running(moment.db, campaign, 120)
        stopped = await client.call("pause_campaign", campaign_id="all")
        rows = await client.call("list_campaigns", status="running", limit=100)
    assert len(stopped["campaigns"]) == 50
    assert {row["status"] for row in stopped["campaigns"]} == {"paused"}
    assert rows["campaigns"] == []


def copy_running(db: sqlite3.Connection, campaign: str, count: int) -> None:
    """Make copies of a running campaign, with ids of their own."""
    rows = db.execute("PRAGMA table_info(campaign)").fetchall()
    own = {"pk": "? + 1000", "id": "printf('%024x', ?)"}
    names = [str(row[1]) for row in rows]
    values = ", ".join(own.get(name, name) for name in names)
    sql = f"INSERT INTO campaign ({', '.join(names)}) SELECT {values} FROM campaign WHERE id = ?"  # noqa: S608
    db.executemany(sql, [(n, n, campaign) for n in range(1, count + 1)])


async def test_when_nothing_dials_all_changes_nothing_and_says_so(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert (stopped["campaigns"], stopped["changed"]) == ([], False)
    assert "Nothing was dialling." in stopped["message"]
    assert "pause" not in bench.wire.changes


@pytest.mark.slow
async def test_what_all_paused_can_be_resumed(bench: Bench) -> None:
    async with bench.client() as client:
        (campaign,) = await running(client, 1)
        await client.call("pause_campaign", campaign_id="all")
        again = await client.call("start_campaign", campaign_id=campaign)
    assert again["status"] == "running"


@pytest.mark.slow
@pytest.mark.parametrize("style", [str, str.upper, "`{}`".format, "campaign {}.".format])
async def test_with_an_id_in_any_form_the_pause_is_the_first_request(
    bench: Bench, style: Callable[[str], str]
) -> None:
    async with bench.client() as client:
        (dialling,) = await running(client, 1)
        bench.wire.requests.clear()
        stopped = await client.call("pause_campaign", campaign_id=style(dialling))
    first = bench.wire.requests[0]
    assert (first.method, first.url.path.rpartition("/")[2]) == ("POST", "pause")
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(dialling, "paused")]


@pytest.mark.slow
@pytest.mark.parametrize("together", [list, ", ".join, tuple])
async def test_several_ids_stop_several_campaigns(
    bench: Bench, together: Callable[[list[str]], Any]
) -> None:
    async with bench.client() as client:
        first, second, third = await running(client, 3)
        stopped = await client.call("pause_campaign", campaign_id=together([first, third]))
        rows = (await client.call("list_campaigns", status="running"))["campaigns"]
    assert {row["id"]: row["status"] for row in stopped["campaigns"]} == {
        first: "paused",
        third: "paused",
    }
    assert [row["id"] for row in rows] == [second]


async def test_of_several_ids_one_that_is_wrong_does_not_keep_the_other_dialling(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        (dialling,) = await running(client, 1)
        stopped = await client.call("pause_campaign", campaign_id=["0" * 24, dialling])
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(dialling, "paused")]
    assert "1 could not be paused" in stopped["message"]


@pytest.mark.slow
@pytest.mark.parametrize("word", ["ALL", "All", " all ", '"all"', ["all"]])
async def test_all_may_be_written_in_any_way(bench: Bench, word: Any) -> None:
    async with bench.client() as client:
        (dialling,) = await running(client, 1)
        stopped = await client.call("pause_campaign", campaign_id=word)
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(dialling, "paused")]


@pytest.mark.slow
async def test_the_exact_name_stops_every_campaign_of_that_name(bench: Bench) -> None:
    async with bench.client() as client:
        first, other = await running(client, 2)
        with bench.world.writing() as moment:
            copy_running(moment.db, first, 1)
        stopped = await client.call("pause_campaign", campaign_id="RUN 0")
        status = (await client.call("get_campaign_status", campaign_id=other))["status"]
    assert {row["name"] for row in stopped["campaigns"]} == {"Run 0"}
    assert [row["status"] for row in stopped["campaigns"]] == ["paused", "paused"]
    assert status == "running"


@pytest.mark.slow
async def test_a_name_of_what_does_not_dial_is_answered_with_its_state(bench: Bench) -> None:
    async with bench.client() as client:
        (dialling,) = await running(client, 1)
        await client.call("pause_campaign", campaign_id=dialling)
        again = await client.call("pause_campaign", campaign_id="Run 0")
        await client.call("create_campaign", **DRAFT)
        text = await client.refused("pause_campaign", campaign_id=DRAFT["name"])
    assert (again["status"], again["changed"]) == ("paused", False)
    assert "is draft and cannot be paused" in text


@pytest.mark.slow
@pytest.mark.parametrize("value", [None, "", "null", [], " "])
async def test_without_an_id_the_stop_says_what_dials_and_how_to_stop_it(
    bench: Bench, value: Any
) -> None:
    async with bench.client() as client:
        dialling = await running(client, 2)
        told = await client.call("pause_campaign", campaign_id=value)
        same = await client.call("pause_campaign")
        await client.call("pause_campaign", campaign_id="all")
        nothing = await client.call("pause_campaign")
    assert told == same
    assert {row["id"] for row in told["campaigns"]} == set(dialling)
    assert (told["status"], told["changed"]) == ("running", False)
    assert "campaign_id all" in told["next_step"]
    assert (nothing["campaigns"], nothing["changed"]) == ([], False)
    assert bench.wire.changes.count("pause") == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "value", ["Run", "everything", 7, True, 2.5, {"a": "b"}, "x" * 5000, "\x00", "../../x"]
)
async def test_what_names_no_campaign_is_answered_with_what_dials(bench: Bench, value: Any) -> None:
    async with bench.client() as client:
        (dialling,) = await running(client, 1)
        text = await client.refused("pause_campaign", campaign_id=value)
    assert "nothing was paused" in text
    assert dialling in text
    assert "campaign_id all" in text
    assert len(text) < 500


@pytest.mark.slow
async def test_the_stop_of_one_says_what_else_dials_and_what_is_scheduled(bench: Bench) -> None:
    async with bench.client() as client:
        first, other = await running(client, 2)
        later = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        stopped = await client.call("pause_campaign", campaign_id=first)
        await client.call("pause_campaign", campaign_id=other)
        await client.call("delete_campaign", campaign_id=later["campaign_id"])
        alone = await client.call("pause_campaign", campaign_id=first)
    assert [row["id"] for row in stopped["others"]] == [other]
    assert [(row["id"], row["scheduled_at"][:10]) for row in stopped["scheduled"]] == [
        (later["campaign_id"], "2027-01-05")
    ]
    assert "Nothing else dials, and no campaign is scheduled" in alone["message"]
