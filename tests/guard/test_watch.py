"""What a guard says of what it cannot look through."""

import httpx2
import pytest

from atoms_campaigns_mcp.guard import watch
from tests.guard.yard import Yard

pytestmark = pytest.mark.anyio


async def test_it_warns_each_time_that_more_calls_go_on_than_it_looks_through(
    place: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox, crowds = place.bench.wire.below, [False, True, True, False, True]

    async def calls(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/conversation") or not crowds[len(warned)]:
            return await sandbox.handle_async_request(request)
        logs = [{"callId": "1", "status": "active", "campaignId": ""}]
        paging = {"hasMore": True, "total": 5000}
        return httpx2.Response(200, json={"status": True, "data": {"logs": logs, **paging}})

    warned = list[int]()
    place.bench.wire.below = httpx2.MockTransport(calls)
    async with place.guard() as guard:
        while len(warned) < len(crowds):
            caplog.clear()
            await guard.round()
            warned.append(sum("more calls are under way" in text for text in caplog.messages))
    assert watch.LIVE_PAGES > 1
    assert warned == [0, 1, 0, 0, 1]
