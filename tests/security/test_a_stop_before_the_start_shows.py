"""A stop was refused while a start that the API had accepted still showed as draft."""

from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
NEVER = 1000


class Gap:
    """Accepts starts and does their work just before the pause with number `shown`."""

    def __init__(self, bench: Bench, shown: int) -> None:
        self.below = bench.wire.below
        self.kept: list[httpx2.Request] = []
        self.pauses, self.shown = 0, shown
        bench.wire.below = httpx2.MockTransport(self.handle)

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        what = request.url.path.rpartition("/")[2] if request.method == "POST" else ""
        if what == "start":
            self.kept.append(request)
            return httpx2.Response(202, json={"status": True, "data": {"message": "queued"}})
        if what == "pause":
            self.pauses += 1
            while self.kept and self.pauses >= self.shown:
                await self.below.handle_async_request(self.kept.pop())
        return await self.below.handle_async_request(request)


async def begun(client: Caller, bench: Bench, *, shown: int, resumed: bool = False) -> str:
    made = await client.call("create_campaign", **DRAFT)
    campaign: dict[str, Any] = {"campaign_id": made["campaign_id"]}
    if resumed:
        await client.call("start_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
    Gap(bench, shown)
    await client.call("start_campaign", **campaign)
    return made["campaign_id"]


@pytest.mark.slow
@pytest.mark.parametrize("resumed", [False, True], ids=["start", "resumption"])
@pytest.mark.parametrize("by", ["id", "name", "all"])
async def test_the_stop_asks_again_until_what_was_begun_here_shows(
    bench: Bench, by: str, *, resumed: bool
) -> None:
    async with bench.client() as client:
        campaign = await begun(client, bench, shown=3, resumed=resumed)
        named = {"id": campaign, "name": DRAFT["name"], "all": "all"}[by]
        stopped = await client.call("pause_campaign", campaign_id=named)
        shown = await client.call("get_campaign_status", campaign_id=campaign)
    assert stopped["changed"]
    assert [row["id"] for row in stopped["campaigns"]] == [campaign]
    assert shown["status"] == "paused"


async def test_a_start_that_never_shows_is_told_as_one_that_may_begin(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await begun(client, bench, shown=NEVER)
        by_id = await client.refused("pause_campaign", campaign_id=campaign)
        everything = await client.call("pause_campaign", campaign_id="all")
    assert "may begin to dial any moment" in by_id
    assert "may begin to dial any moment" in everything["message"]
    assert "again at once" in everything["next_step"]


async def test_it_asks_again_too_when_the_journal_cannot_say_what_was_begun(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> int:
        raise NotRecorded("The disk is full.")

    async with bench.client() as client:
        campaign = await begun(client, bench, shown=3)
        for name in ("begun", "begin"):
            monkeypatch.setattr(SqliteJournal, name, away)
        stopped = await client.call("pause_campaign", campaign_id=campaign)
    assert stopped["status"] == "paused"
