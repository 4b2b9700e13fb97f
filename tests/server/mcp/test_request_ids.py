"""The journal names the request that changed something, and no other."""

import httpx2
import pytest

from atoms_campaigns_mcp.state.open import journal_entries
from tests.support.bench import Bench
from tests.support.lost import Sandbox, lost, trouble
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def named(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
    body = {"status": False, "errors": ["Not today"]}
    return httpx2.Response(400, json=body, headers={"x-request-id": "req-of-the-change"})


async def test_a_refused_change_is_kept_with_the_id_of_its_request(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        trouble(bench, "POST", named)
        await client.refused("start_campaign", campaign_id=made["campaign_id"])
    (entry,) = await journal_entries(bench.settings, 1)
    assert (entry.outcome, entry.request_id) == ("refused", "req-of-the-change")


async def test_a_change_whose_answer_is_lost_is_not_kept_with_the_id_of_a_look(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        trouble(bench, "POST", lost)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    (entry,) = await journal_entries(bench.settings, 1)
    assert (entry.intent.tool, entry.outcome, entry.request_id) == ("start_campaign", "done", "")
