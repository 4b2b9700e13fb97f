"""M1: contacts were added while a draft on their audience was made and started."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
Held = tuple[anyio.Event, anyio.Event]


def hold(bench: Bench, wanted: Callable[[httpx2.Request], bool]) -> Held:
    """Keep back the first such request; give when it was reached, and what lets it go on."""
    below, reached, go_on = bench.wire.below, anyio.Event(), anyio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if wanted(request) and not reached.is_set():
            reached.set()
            await go_on.wait()
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(answer)
    return reached, go_on


def lists_campaigns(request: httpx2.Request) -> bool:
    return request.method == "GET" and request.url.path.endswith("/campaign")


async def small_audience(client: Caller) -> str:
    made = await client.call("create_audience", name="Mine", csv="phone\n+12025550111")
    return made["audience_id"]


async def people(bench: Bench, audience_id: str) -> int:
    data = await bench.api("GET", f"/audience/{audience_id}/members?page=1&offset=500")
    return len(data["members"])


@pytest.mark.slow
@pytest.mark.parametrize("confirm", ["ask", "never"])
@pytest.mark.parametrize("way", ["start", "resume", "schedule"])
async def test_nobody_is_dialled_whom_the_yes_did_not_count(
    bench: Bench, way: str, confirm: Any
) -> None:
    bench.configure(confirm=confirm)
    async with bench.client() as client, bench.client() as other:
        audience = await small_audience(client)
        draft = {**DRAFT, "audience_id": audience}
        paused = ""
        if way == "resume":
            paused = (await client.call("create_campaign", **draft))["campaign_id"]
            await client.call("start_campaign", campaign_id=paused)
            await client.call("pause_campaign", campaign_id=paused)
        reached, go_on = hold(bench, lists_campaigns)
        said: list[str] = []

        async def dial() -> None:
            await reached.wait()
            if way == "schedule":
                said.append(await client.refused("create_campaign", **draft, scheduled_at=WHEN))
            else:
                made = paused or (await client.call("create_campaign", **draft))["campaign_id"]
                said.append(await client.refused("start_campaign", campaign_id=made))
            go_on.set()

        starts = bench.wire.changes.count("start")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dial)
            await other.call("add_contacts", audience_id=audience, csv="phone\n+12025550112")
    assert await people(bench, audience) == 2
    assert "Another call is changing the same thing" in said[0]
    assert bench.wire.changes.count("start") == starts


async def test_nobody_is_deleted_whom_the_yes_did_not_count(bench: Bench) -> None:
    async with bench.client() as client, bench.client() as other:
        audience = await small_audience(client)
        reached, go_on = hold(bench, lists_campaigns)
        said: list[str] = []

        async def delete() -> None:
            await reached.wait()
            said.append(await client.refused("delete_audience", audience_id=audience))
            go_on.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(delete)
            await other.call("add_contacts", audience_id=audience, csv="phone\n+12025550112")
    assert "Another call is changing the same thing" in said[0]
    assert await people(bench, audience) == 2


async def test_contacts_are_added_between_calls_of_no_audience_of_theirs(bench: Bench) -> None:
    async with bench.client() as client, bench.client() as other:
        audience = await small_audience(client)
        made = await client.call("create_campaign", **DRAFT)
        reached, go_on = hold(bench, lists_campaigns)

        async def dial() -> None:
            await reached.wait()
            await client.call("start_campaign", campaign_id=made["campaign_id"])
            go_on.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dial)
            await other.call("add_contacts", audience_id=audience, csv="phone\n+12025550112")
    assert await people(bench, audience) == 2
