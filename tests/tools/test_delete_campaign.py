import pytest

from tests.support.bench import Bench
from tests.support.serving import ERAS
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_a_draft_is_gone_after_the_person_agreed(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        gone = await client.call("delete_campaign", **campaign)
        text = await client.refused("get_campaign_status", **campaign)
    assert (gone["status"], gone["name"]) == ("deleted", "January renewals")
    assert "cannot be undone" in bench.questions[0]
    assert "Campaign not found" in text


async def test_without_agreement_it_stays(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        text = await client.refused("delete_campaign", **campaign)
        report = await client.call("get_campaign_status", **campaign)
    assert "confirm_token" in text
    assert report["status"] == "draft"


@pytest.mark.slow
async def test_a_running_campaign_must_be_paused_first(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        text = await client.refused("delete_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
        gone = await client.call("delete_campaign", **campaign)
    assert "pause_campaign first" in text
    assert gone["status"] == "deleted"


async def test_a_scheduled_campaign_is_stopped_by_deleting_it(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        gone = await client.call("delete_campaign", campaign_id=made["campaign_id"])
    assert gone["status"] == "deleted"


async def test_deleting_what_is_gone_says_so_without_asking(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("delete_campaign", campaign_id="f" * 24)
    assert "Campaign not found" in text
    assert bench.questions == []
