"""Two campaigns on one audience may be started at the same time: one waits for the other."""

from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.state.sqlite.locks import SqliteLocks
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_a_start_waits_while_another_holds_the_audience(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.configure(confirm="never")
    below = bench.wire.below
    arrived, released = anyio.Event(), anyio.Event()

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start") and not arrived.is_set():
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    acquire = SqliteLocks.acquire

    async def noting(self: SqliteLocks, key: str, *rest: Any) -> bool:
        held = await acquire(self, key, *rest)
        if not held:
            assert members_of(DRAFT["audience_id"]) in key
            released.set()
        return held

    bench.wire.below = httpx2.MockTransport(slowly)
    monkeypatch.setattr(SqliteLocks, "acquire", noting)
    async with bench.client() as client, bench.client() as other:
        one, two = [
            (await client.call("create_campaign", **{**DRAFT, "name": name}))["campaign_id"]
            for name in ("January one", "January two")
        ]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.call("start_campaign", campaign_id=one))
            await arrived.wait()
            # The fake clock's sleep ends at once: the first one has its answer after a few tries.
            await other.call("start_campaign", campaign_id=two)
    assert released.is_set()
    assert bench.wire.changes.count("start") == 2
