import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_the_newest_campaign_comes_first(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        result = await client.call("list_campaigns")
    assert result["campaigns"][0]["id"] == made["campaign_id"]
    assert result["campaigns"][0]["status"] == "draft"


async def test_limit_is_the_page_size_whatever_the_api_calls_it(bench: Bench) -> None:
    async with bench.client() as client:
        for _ in range(7):
            await client.call("create_campaign", **DRAFT, allow_duplicate=True)
        first = await client.call("list_campaigns", limit=3, search="January renewals")
        third = await client.call("list_campaigns", limit=3, page=3, search="January renewals")
    assert (len(first["campaigns"]), first["has_more"]) == (3, True)
    assert (len(third["campaigns"]), third["has_more"]) == (1, False)


async def test_a_state_filters_the_list(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT)
        drafts = await client.call("list_campaigns", status="draft")
        running = await client.call("list_campaigns", status="running")
    assert {row["status"] for row in drafts["campaigns"]} == {"draft"}
    assert running["campaigns"] == []
    assert "Nothing matches" in running["next_step"]


async def test_the_text_alone_names_the_campaigns(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        result = await client.raw("list_campaigns")
    text = getattr(result.content[0], "text", "")
    assert made["campaign_id"] in text
    assert "draft" in text
    assert text.startswith("[sandbox]")
