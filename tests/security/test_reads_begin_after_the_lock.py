"""M2: the gate judged by reads that others had begun before its lock."""

import anyio
import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


def deliver_late(bench: Bench, path: str) -> tuple[anyio.Event, anyio.Event]:
    """Take the first answer to that path at once, and deliver it when told."""
    below, taken, deliver = bench.wire.below, anyio.Event(), anyio.Event()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        first = request.url.path.endswith(path) and not taken.is_set()
        response = await below.handle_async_request(request)
        if not first:
            return response
        body = await response.aread()
        taken.set()
        await deliver.wait()
        return httpx2.Response(response.status_code, content=body, headers=response.headers)

    bench.wire.below = httpx2.MockTransport(answer)
    return taken, deliver


@pytest.mark.slow
async def test_a_yes_does_not_count_by_what_was_read_before_the_lock(bench: Bench) -> None:
    """Another server adds a contact while a read of the first server is on its way."""
    async with bench.client(answer=None) as one, bench.client() as two:
        audience = (await one.call("create_audience", name="Mine", csv="phone\n+12025550111"))[
            "audience_id"
        ]
        made = await one.call("create_campaign", **{**DRAFT, "audience_id": audience})
        campaign = {"campaign_id": made["campaign_id"]}
        token = await one.token("start_campaign", **campaign)
        taken, deliver = deliver_late(bench, "/members")
        said: list[str] = []

        async def start() -> None:
            said.append(await one.refused("start_campaign", **campaign, confirm_token=token))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: one.raw("preview_campaign", **campaign))
            await taken.wait()
            await two.call("add_contacts", audience_id=audience, csv="phone\n+12025550112")
            tasks.start_soon(start)
            await anyio.wait_all_tasks_blocked()
            deliver.set()
    assert "What was confirmed is not what would happen now" in said[0]
    assert "start" not in bench.wire.changes


async def test_a_creation_is_looked_for_by_reads_that_begin_once_it_is_alone(
    bench: Bench,
) -> None:
    """Another server has made it while a read of the first server is on its way."""
    async with bench.client() as one, bench.client() as two:
        taken, deliver = deliver_late(bench, "/campaign")
        said: list[str] = []

        async def create() -> None:
            said.append(await one.refused("create_campaign", **DRAFT))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: one.raw("list_campaigns", search=DRAFT["name"], limit=100))
            await taken.wait()
            await two.call("create_campaign", **DRAFT)
            tasks.start_soon(create)
            await anyio.wait_all_tasks_blocked()
            deliver.set()
    assert "has the same name, agent" in said[0]
    assert bench.wire.changes.count("campaign") == 1
