"""An export that does not come to its end, while the host waits for the tool call."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.results import store
from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
HOSTS_WAIT = 60  # seconds


async def over(bench: Bench, client: Caller) -> dict[str, Any]:
    made = await client.call("create_campaign", **{**DRAFT, "audience_id": "Spring renewals"})
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.clock.advance(hours=3)
    return {"campaign_id": made["campaign_id"]}


async def trickle() -> AsyncIterator[bytes]:
    yield b'{"data": ['
    await anyio.sleep_forever()


async def break_off() -> AsyncIterator[bytes]:
    yield b'{"data": ['


@pytest.mark.slow
@pytest.mark.parametrize("bodies", [[trickle], [break_off, trickle]], ids=["first", "repeated"])
async def test_results_that_trickle_in_end_with_a_way_to_read_them_in_pages(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bodies: list[Any]
) -> None:
    below, left = bench.wire.below, list(bodies)

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        if "/export/" not in request.url.path:
            return await below.handle_async_request(request)
        return httpx2.Response(200, content=left.pop(0)())

    async with bench.client() as client:
        campaign = await over(bench, client)
        with monkeypatch.context() as patched:
            patched.setattr(store, "DEADLINE", 0.05)
            bench.wire.below = httpx2.MockTransport(slowly)
            with anyio.fail_after(30):
                result = await client.raw("get_campaign_results", **campaign)
        data = result.structured_content
        bench.wire.below = below
        after = await client.call("get_campaign_results", **campaign)
    assert left == []
    assert result.is_error
    assert data is not None
    assert data["code"] == "unavailable"
    assert "list_calls" in data["next_step"]
    assert after["contacts"] == 25


def test_an_export_has_less_time_than_hosts_give_a_tool_call() -> None:
    assert store.DEADLINE <= HOSTS_WAIT * 2 / 3
