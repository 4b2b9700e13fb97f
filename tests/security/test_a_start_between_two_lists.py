"""A campaign that begins by itself while the lists are read is in one of those that follow."""

from datetime import timedelta

import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_no_contacts_are_added_for_a_campaign_that_begins_meanwhile(bench: Bench) -> None:
    below, listed = bench.wire.below, list[str]()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await below.handle_async_request(request)
        status = request.url.params.get("status")
        if request.url.path.endswith("/campaign") and status:
            if not listed:
                bench.clock.advance(seconds=60.2)
            listed.append(status)
        return response

    at = (bench.clock.now() + timedelta(minutes=1)).isoformat()
    async with bench.client() as client:
        await client.call("create_campaign", **DRAFT, scheduled_at=at)
        bench.wire.below = httpx2.MockTransport(answer)
        before = len(bench.wire.changes)
        said = await client.refused(
            "add_contacts", audience_id=DRAFT["audience_id"], csv="phone\n+12025550199"
        )
    assert "on this audience" in said
    assert len(bench.wire.changes) == before
