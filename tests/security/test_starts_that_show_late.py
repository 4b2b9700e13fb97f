"""M3: ATOMS_MCP_MAX_RUNNING was passed while a start did not show yet."""

from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.tool_calls.duplicates import LATELY
from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
ACCEPTED = (202, {"status": True, "data": {"message": "queued"}})
LOST = (504, {"status": False, "errors": ["timeout"]})
REFUSED = (400, {"status": False, "errors": ["Not now"]})


@pytest.fixture(autouse=True)
def one_at_a_time(bench: Bench) -> None:
    bench.configure(max_running=1, confirm="never")


class Late:
    """Answers starts and creations as told, and does the work when told."""

    def __init__(self, bench: Bench, path: str, answer: tuple[int, Any]) -> None:
        self.below = bench.wire.below
        self.waiting: list[httpx2.Request] = []
        self.path, (self.status, self.body) = path, answer
        self.on = True
        bench.wire.below = httpx2.MockTransport(self.handle)

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        if self.on and request.method == "POST" and request.url.path.endswith(self.path):
            self.waiting.append(request)
            return httpx2.Response(self.status, json=self.body)
        return await self.below.handle_async_request(request)

    async def work(self) -> None:
        self.on = False
        while self.waiting:
            await self.below.handle_async_request(self.waiting.pop())


async def drafts(client: Caller, count: int = 2) -> list[dict[str, str]]:
    made = [
        await client.call("create_campaign", **{**DRAFT, "name": f"N{n}"}) for n in range(count)
    ]
    return [{"campaign_id": one["campaign_id"]} for one in made]


@pytest.mark.slow
@pytest.mark.parametrize("answer", [ACCEPTED, LOST], ids=["accepted", "lost"])
@pytest.mark.parametrize("servers", ["one server", "two servers"])
async def test_a_start_that_does_not_show_yet_counts_as_running(
    bench: Bench, answer: tuple[int, Any], servers: str
) -> None:
    async with bench.client() as client, bench.client() as second:
        other = second if servers == "two servers" else client
        one, two = await drafts(client)
        late = Late(bench, "/start", answer)
        await client.raw("start_campaign", **one)
        text = await other.refused("start_campaign", **two)
        await late.work()
        shown = await other.refused("start_campaign", **two)
        await client.call("pause_campaign", **one)
        started = await other.call("start_campaign", **two)
    assert "1 campaigns run or are scheduled (1 begun here and not seen yet), and 1 may" in text
    assert "1 campaigns run or are scheduled, and 1 may" in shown
    assert started["status"] == "running"


@pytest.mark.slow
async def test_a_resumption_that_does_not_show_yet_counts_too(bench: Bench) -> None:
    async with bench.client() as client:
        one, two = await drafts(client)
        await client.call("start_campaign", **one)
        await client.call("pause_campaign", **one)
        late = Late(bench, "/start", ACCEPTED)
        await client.call("start_campaign", **one)
        text = await client.refused("start_campaign", **two)
        await late.work()
        await client.call("pause_campaign", **one)
        await client.call("start_campaign", **two)
    assert "1 begun here and not seen yet" in text


@pytest.mark.slow
async def test_a_schedule_of_unknown_outcome_counts_until_it_is_settled(bench: Bench) -> None:
    async with bench.client() as client:
        (two,) = await drafts(client, 1)
        late = Late(bench, "/campaign", LOST)
        await client.refused("create_campaign", **DRAFT, scheduled_at=WHEN)
        text = await client.refused("start_campaign", **two)
        late.on = False
        made = await client.call("create_campaign", **DRAFT, scheduled_at=WHEN)
        await client.call("delete_campaign", campaign_id=made["campaign_id"])
        await client.call("start_campaign", **two)
    assert "1 begun here and not seen yet" in text
    assert made["status"] == "scheduled"


async def test_the_same_start_may_be_tried_again(bench: Bench) -> None:
    async with bench.client() as client:
        (one,) = await drafts(client, 1)
        late = Late(bench, "/start", LOST)
        await client.refused("start_campaign", **one)
        late.on = False
        started = await client.call("start_campaign", **one)
    assert started["status"] == "running"


@pytest.mark.slow
async def test_a_start_that_was_refused_or_long_ago_or_deleted_does_not_count(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        one, two, three, four = await drafts(client, 4)
        late = Late(bench, "/start", REFUSED)
        await client.refused("start_campaign", **one)
        late.status, late.body = LOST
        await client.refused("start_campaign", **one)
        await client.refused("start_campaign", **two)
        await client.call("delete_campaign", **one)
        await client.refused("start_campaign", **two)
        bench.clock.advance(seconds=LATELY + 1)
        await client.refused("start_campaign", **three)
        late.on = False
        text = await client.refused("start_campaign", **four)
        await client.call("delete_campaign", **three)
        started = await client.call("start_campaign", **four)
    assert "1 begun here and not seen yet" in text
    assert started["status"] == "running"
    assert len(late.waiting) == 4


@pytest.mark.slow
async def test_nobody_is_added_to_a_campaign_whose_start_does_not_show_yet(bench: Bench) -> None:
    new = {"audience_id": AUDIENCE, "csv": "phone\n+12025550177"}
    async with bench.client() as client:
        (one,) = await drafts(client, 1)
        late = Late(bench, "/start", ACCEPTED)
        await client.call("start_campaign", **one)
        text = await client.refused("add_contacts", **new)
        await late.work()
        await client.call("pause_campaign", **one)
        added = await client.call("add_contacts", **new)
    assert "was made to dial and does not show it yet" in text
    assert added["added"] == 1


async def test_a_start_that_was_seen_costs_no_further_look(bench: Bench) -> None:
    async with bench.client() as client:
        one, two = await drafts(client)
        await client.call("start_campaign", **one)
        before = len(bench.wire.requests)
        await client.refused("start_campaign", **two)
    asked = [request.url.path for request in bench.wire.requests[before:]]
    assert not any(path.endswith(one["campaign_id"]) for path in asked)
