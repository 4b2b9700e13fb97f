import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite import SqliteStore
from tests.support.bench import Bench
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


async def test_pausing_twice_sends_once(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
        again = await client.call("pause_campaign", **campaign)
    assert (again["status"], again["changed"]) == ("paused", False)
    assert bench.wire.changes.count("pause") == 1


async def test_a_draft_cannot_be_paused(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused("pause_campaign", campaign_id=made["campaign_id"])
    assert "is draft and cannot be paused" in text
    assert bench.wire.changes == ["campaign"]


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

        async def full_disk(*_: object) -> int:
            raise NotRecorded("The disk is full.")

        monkeypatch.setattr(SqliteStore, "begin", full_disk)
        stopped = await client.call("pause_campaign", **campaign)
        text = await client.refused("create_campaign", **DRAFT)
    assert stopped["status"] == "paused"
    assert "not recorded" in stopped["next_step"]
    assert "The disk is full." in text
    assert bench.wire.changes == ["campaign", "start", "pause"]
