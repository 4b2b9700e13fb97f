from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
NAME = DRAFT["name"]


@pytest.mark.parametrize(
    "tool",
    [
        "get_campaign_status",
        "watch_campaign",
        "preview_campaign",
        "get_campaign_results",
        "list_calls",
    ],
)
@pytest.mark.parametrize("style", [str, str.upper, " {} ".format])
async def test_every_tool_that_reads_a_campaign_takes_its_exact_name(
    bench: Bench, tool: str, style: Any
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        limit = {"wait_seconds": 1} if tool == "watch_campaign" else {}
        by_name = await client.call(tool, campaign_id=style(NAME), **limit)
        by_id = await client.call(tool, campaign_id=style(made["campaign_id"]), **limit)
    assert by_name["campaign_id"] == by_id["campaign_id"] == made["campaign_id"]


@pytest.mark.slow
async def test_a_campaign_is_started_stopped_and_deleted_by_its_name(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        started = await client.call("start_campaign", campaign_id=NAME)
        stopped = await client.call("pause_campaign", campaign_id=NAME)
        deleted = await client.call("delete_campaign", campaign_id=NAME)
    assert {row["campaign_id"] for row in (started, stopped, deleted)} == {made["campaign_id"]}
    assert [row["status"] for row in (started, stopped, deleted)] == [
        "running",
        "paused",
        "deleted",
    ]


async def test_of_two_campaigns_of_one_name_none_is_taken(bench: Bench) -> None:
    async with bench.client() as client:
        ids = [
            (await client.call("create_campaign", **DRAFT, retry_delay=delay))["campaign_id"]
            for delay in (15, 16)
        ]
        for tool in ("start_campaign", "delete_campaign", "get_campaign_status"):
            text = await client.refused(tool, campaign_id=NAME)
            assert all(campaign in text for campaign in ids)
            assert "Ask the user" in text
    assert bench.questions == []
    assert bench.wire.changes == ["campaign", "campaign"]


async def test_a_name_that_only_a_part_matches_is_no_campaigns(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused("start_campaign", campaign_id=NAME[:-1])
    assert made["campaign_id"] in text
    assert bench.wire.changes == ["campaign"]


async def test_a_second_of_the_name_is_found_behind_a_page_of_similar_ones(bench: Bench) -> None:
    async with bench.client() as client:
        first = (await client.call("create_campaign", **DRAFT))["campaign_id"]
        with bench.world.writing() as moment:
            columns = [str(row[1]) for row in moment.db.execute("PRAGMA table_info(campaign)")]
            own = {"pk": "? + 1000", "id": "printf('%024x', ?)", "name": "name || ' ' || ?"}
            chosen = ", ".join(own.get(column, column) for column in columns)
            sql = f"INSERT INTO campaign ({', '.join(columns)}) SELECT {chosen} FROM campaign "  # noqa: S608
            moment.db.executemany(f"{sql} WHERE id = ?", [(n, n, n, first) for n in range(1, 151)])
        second = await client.call("create_campaign", **DRAFT, retry_delay=16)
        text = await client.refused("start_campaign", campaign_id=NAME)
    assert first in text
    assert second["campaign_id"] in text


async def test_what_a_token_of_the_id_allows_may_be_started_by_name(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        bench.configure(confirm="token")
        made = await client.call("create_campaign", **DRAFT)
        token = await client.token("start_campaign", campaign_id=made["campaign_id"])
        started = await client.call("start_campaign", campaign_id=NAME, confirm_token=token)
    assert started["campaign_id"] == made["campaign_id"]
    assert bench.wire.changes == ["campaign", "start"]


async def test_contacts_not_reached_come_from_a_campaign_by_name(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT)
        text = await client.refused("create_audience", name="Again", from_campaign_id="nobody's")
    assert "from_campaign_id" in text
