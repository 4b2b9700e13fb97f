"""Known from before: `dials_started` counted what somebody else had started."""

import httpx2
import pytest

from atoms_campaigns_mcp.tool_calls import run
from tests.support.bench import Bench
from tests.support.lost import Sandbox, trouble
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    dials: list[int] = []

    def count(_mode: str) -> None:
        dials.append(1)

    monkeypatch.setattr(run, "dialled", count)
    return dials


async def test_a_start_that_somebody_else_made_first_is_not_counted(
    bench: Bench, counted: list[int]
) -> None:
    below = bench.wire.below

    async def overtaken(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start"):
            await below.handle_async_request(request)
        return await below.handle_async_request(request)

    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        bench.wire.below = httpx2.MockTransport(overtaken)
        started = await client.call("start_campaign", campaign_id=made["campaign_id"])
    assert (started["changed"], counted) == (False, [])


async def test_what_an_earlier_request_scheduled_is_not_counted_again(
    bench: Bench, counted: list[int]
) -> None:
    late: list[httpx2.Request] = []

    async def put_off(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
        late.append(request)
        raise httpx2.ReadError("reset")

    async with bench.client() as client:
        sandbox = bench.wire.below
        trouble(bench, "POST", put_off)
        await client.refused("create_campaign", **DRAFT, scheduled_at=WHEN)
        await sandbox.handle_async_request(late.pop())
        again = await client.call("create_campaign", **DRAFT, scheduled_at=WHEN)
    assert "was not created now" in again["next_step"]
    assert counted == []


@pytest.mark.slow
async def test_each_start_and_schedule_of_ours_is_counted_once(
    bench: Bench, counted: list[int]
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        await client.call("create_campaign", **DRAFT, scheduled_at=WHEN)
    assert counted == [1, 1]
