"""Several answers and tokens at the same time: at most one start."""

from itertools import cycle
from pathlib import Path

import anyio
import httpx2
import pytest
from hypothesis import given, settings, strategies as st
from mcp_types import CallToolResult, ElicitResult

from atoms_campaigns_mcp.config.settings import Confirm
from tests.support.bench import Bench
from tests.support.clients import connected
from tests.support.confirmations import MODERN, YES, draft, starts
from tests.support.serving import ERAS, Caller, text_of

pytestmark = pytest.mark.anyio


async def tokens(client: Caller, campaign: dict[str, str], count: int) -> list[str]:
    return [await client.token("start_campaign", **campaign) for _ in range(count)]


@pytest.mark.parametrize("era", ERAS)
async def test_two_tokens_used_at_the_same_time_start_once(bench: Bench, era: str) -> None:
    async with connected(bench, "memory", era, None) as client:
        campaign = await draft(client)
        both = await tokens(client, campaign, 2)
        results: list[CallToolResult] = []

        async def start(token: str) -> None:
            results.append(await client.raw("start_campaign", **campaign, confirm_token=token))

        async with anyio.create_task_group() as tasks:
            for token in both:
                tasks.start_soon(start, token)
    assert starts(bench) == 1
    assert sum(not result.is_error for result in results) >= 1
    refused = [text_of(result) for result in results if result.is_error]
    assert all("Another call is changing the same thing" in text for text in refused)


async def test_two_people_who_say_yes_at_the_same_time_start_once(bench: Bench) -> None:
    """Both are asked before either has answered."""
    asked = anyio.Event()

    async def together(_: str) -> ElicitResult:
        if len(bench.questions) == 2:
            asked.set()
        await asked.wait()
        return YES

    async with (
        connected(bench, "memory", "legacy", together) as one,
        connected(bench, "memory", MODERN, together) as two,
    ):
        campaign = await draft(one)
        async with anyio.create_task_group() as tasks:
            for client in (one, two):
                tasks.start_soon(lambda c: c.raw("start_campaign", **campaign), client)
    assert len(bench.questions) == 2
    assert starts(bench) == 1


async def test_while_the_start_is_on_its_way_a_deletion_must_wait(bench: Bench) -> None:
    below = bench.wire.below
    arrived, released = anyio.Event(), anyio.Event()

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start"):
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(slowly)
    bench.configure(confirm="never")
    async with connected(bench, "memory", MODERN, None) as client:
        campaign = await draft(client)
        refused: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.call("start_campaign", **campaign))
            await arrived.wait()
            refused.append(await client.refused("delete_campaign", **campaign))
            released.set()
    assert "Another call is changing the same thing" in refused[0]
    assert "get_campaign_status" in refused[0]
    assert [r.method for r in bench.wire.requests if r.method != "GET"] == ["POST", "POST"]


async def test_a_start_that_looked_at_the_facts_for_too_long_leaves_it_to_the_next_one(
    bench: Bench,
) -> None:
    """Its lock may have ended meanwhile, so that another call is on its way too."""
    below = bench.wire.below
    arrived, released = anyio.Event(), anyio.Event()
    results: list[CallToolResult] = []

    async def stuck(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/concurrency") and not arrived.is_set():
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    async with connected(bench, "memory", MODERN, None) as client:
        campaign = await draft(client)
        first, second = await tokens(client, campaign, 2)
        bench.wire.below = httpx2.MockTransport(stuck)

        async def start(caller: Caller, token: str) -> None:
            results.append(await caller.raw("start_campaign", **campaign, confirm_token=token))

        async with (
            connected(bench, "memory", MODERN, None) as another,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(start, client, first)
            await arrived.wait()
            bench.clock.advance(seconds=121)
            await start(another, second)
            released.set()
    assert starts(bench) == 1
    assert not results[0].is_error
    assert "Nothing was done. Looking at the facts took too long" in text_of(results[1])


async def race(folder: Path, confirm: Confirm, servers: int, calls: int, waits: list[int]) -> int:
    """Start one campaign from all sides, each request delayed as told; give the starts sent."""
    with Bench.open(folder) as bench:
        bench.configure(confirm=confirm)
        below, pauses = bench.wire.below, cycle(waits)

        async def delayed(request: httpx2.Request) -> httpx2.Response:
            for _ in range(next(pauses)):
                await anyio.lowlevel.checkpoint()
            return await below.handle_async_request(request)

        async with connected(bench, "memory", MODERN, None) as client:
            campaign = await draft(client)
            offered = [""] * (servers * calls)
            if confirm == "token":
                offered = await tokens(client, campaign, servers * calls)
        bench.wire.below = httpx2.MockTransport(delayed)

        async def one_server() -> None:
            async with (
                connected(bench, "memory", MODERN, None) as client,
                anyio.create_task_group() as tasks,
            ):
                for _ in range(calls):
                    token = offered.pop()
                    arguments = campaign | ({"confirm_token": token} if token else {})
                    tasks.start_soon(lambda a: client.raw("start_campaign", **a), arguments)

        async with anyio.create_task_group() as tasks:
            for _ in range(servers):
                tasks.start_soon(one_server)
        return starts(bench)


@pytest.mark.slow
@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    confirm=st.sampled_from(["token", "never"]),
    servers=st.integers(1, 3),
    calls=st.integers(1, 3),
    waits=st.lists(st.integers(0, 40), min_size=1, max_size=7),
)
def test_however_starts_interleave_on_however_many_servers_one_is_sent(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    confirm: Confirm,
    servers: int,
    calls: int,
    waits: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("race")
    assert anyio.run(race, folder, confirm, servers, calls, waits) == 1
