"""The result of an emergency stop never claims more than was seen."""

import httpx2
import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.open import journal_entries
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from tests.security.test_a_stop_before_the_start_shows import NEVER, begun
from tests.support.bench import Bench
from tests.support.lost import Trouble, fault, nothing_done, timed_out, trouble
from tests.support.serving import Caller
from tests.support.tampering import fail
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
ALL_CLEAR = "Nothing else dials"
LOST = [nothing_done, timed_out, fault]


async def refused_for_a_while(*_: object) -> httpx2.Response:
    return httpx2.Response(429, headers={"Retry-After": "60"})


async def away(*_: object, **__: object) -> list[object]:
    raise NotRecorded("The disk is full.")


@pytest.mark.slow
@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("resumed", [False, True], ids=["start", "resumption"])
async def test_a_pause_whose_answer_is_lost_is_sent_again_until_the_start_shows(
    bench: Bench, what: Trouble, *, resumed: bool
) -> None:
    async with bench.client() as client:
        campaign = await begun(client, bench, shown=3, resumed=resumed)
        trouble(bench, "POST", what)
        stopped = await client.call("pause_campaign", campaign_id=campaign)
        shown = await client.call("get_campaign_status", campaign_id=campaign)
    assert (stopped["status"], stopped["changed"]) == ("paused", True)
    assert shown["status"] == "paused"


@pytest.mark.slow
@pytest.mark.parametrize("resumed", [False, True], ids=["start", "resumption"])
async def test_a_lost_pause_of_a_start_that_does_not_show_is_no_success_and_not_forgotten(
    bench: Bench, *, resumed: bool
) -> None:
    async with bench.client() as client:
        campaign = await begun(client, bench, shown=NEVER, resumed=resumed)
        trouble(bench, "POST", nothing_done)
        text = await client.refused("pause_campaign", campaign_id=campaign)
        (last,) = await journal_entries(bench.settings, 1)
        again = await client.call("pause_campaign", campaign_id="all")
    assert "not seen so far" in text
    assert "pause_campaign again at once" in text
    assert last.outcome == "unknown"
    assert "may begin to dial any moment" in again["message"]
    assert ALL_CLEAR not in again["message"]


async def test_a_lost_pause_of_what_is_scheduled_is_no_success(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        trouble(bench, "POST", nothing_done)
        text = await client.refused("pause_campaign", campaign_id=made["campaign_id"])
    assert "No new call is made" not in text


@pytest.mark.parametrize("word", ["all", "id"])
async def test_nothing_is_clear_while_a_scheduled_creation_is_in_doubt(
    bench: Bench, word: str
) -> None:
    async with bench.client() as client:
        campaign = await dialling(client)
        trouble(bench, "POST", nothing_done)
        await client.refused("create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30")
        stopped = await client.call("pause_campaign", campaign_id={"id": campaign}.get(word, word))
    assert ALL_CLEAR not in stopped["message"]
    assert "list_campaigns shows it" in stopped["message"]


async def test_that_one_is_over_does_not_hide_that_others_cannot_be_listed(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await dialling(client)
        below = bench.wire.below

        async def answer(request: httpx2.Request) -> httpx2.Response:
            if request.url.params.get("status") == "processing":
                return httpx2.Response(403, json={"status": False, "errors": ["no"]})
            if request.url.path.endswith("/pause"):
                return httpx2.Response(400, json={"status": False, "errors": ["not running"]})
            got = await below.handle_async_request(request)
            if not request.url.path.endswith(campaign):
                return got
            over = (await got.aread()).replace(b'"running"', b'"completed"')
            return httpx2.Response(200, content=over, headers={"content-type": "application/json"})

        bench.wire.below = httpx2.MockTransport(answer)
        text = await client.refused("pause_campaign", campaign_id=DRAFT["name"])
    assert "completed" not in text


@pytest.mark.slow
@pytest.mark.parametrize("what", [refused_for_a_while, nothing_done])
async def test_what_was_begun_here_and_could_not_be_paused_is_told(
    bench: Bench, what: Trouble
) -> None:
    async with bench.client() as client:
        await begun(client, bench, shown=NEVER)
        trouble(bench, "POST", what, times=99)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert ALL_CLEAR not in stopped["message"]
    assert "could not be paused" in stopped["message"]
    assert "again at once" in stopped["next_step"]


async def test_nothing_is_clear_while_nobody_knows_what_was_begun_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        monkeypatch.setattr(SqliteJournal, "begun", away)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert ALL_CLEAR not in stopped["message"]
    assert "cannot be read" in stopped["message"]
    assert stopped["status"] == "unknown"


async def test_a_fault_of_the_journal_keeps_no_campaign_dialling(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> list[object]:
        raise ValueError("a fault of the store")

    async with bench.client() as client:
        campaign = await dialling(client)
        monkeypatch.setattr(SqliteJournal, "begun", crash)
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(campaign, "paused")]


async def test_a_pause_that_was_made_is_told_although_nothing_can_be_listed(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await begun(client, bench, shown=1)
        fail(bench, "GET /campaign[?]*")
        stopped = await client.call("pause_campaign", campaign_id="all")
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(campaign, "paused")]
    assert "There may be more" in stopped["message"]
    assert ALL_CLEAR not in stopped["message"]


@pytest.mark.slow
@pytest.mark.parametrize("word", ["id", "name"])
async def test_the_stop_of_one_says_that_another_may_begin(bench: Bench, word: str) -> None:
    async with bench.client() as client:
        other = await dialling(client, name="Other")
        await begun(client, bench, shown=NEVER)
        stopped = await client.call("pause_campaign", campaign_id={"id": other}.get(word, "Other"))
    assert stopped["campaigns"][0]["status"] == "paused"
    assert ALL_CLEAR not in stopped["message"]
    assert "may begin to dial any moment" in stopped["message"]


@pytest.mark.slow
async def test_a_stop_by_name_also_stops_what_of_that_name_was_begun_and_does_not_show_it(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        lima = await dialling(client, name=f"{DRAFT['name']} · Lima")
        delhi = await begun(client, bench, shown=3)
        stopped = await client.call("pause_campaign", campaign_id=DRAFT["name"])
    assert {row["id"]: row["status"] for row in stopped["campaigns"]} == {
        lima: "paused",
        delhi: "paused",
    }


async def dialling(client: Caller, **changes: str) -> str:
    made = await client.call(
        "create_campaign", **{**DRAFT, "audience_id": "Newsletter readers", **changes}
    )
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    return made["campaign_id"]
