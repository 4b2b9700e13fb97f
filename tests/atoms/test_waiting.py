"""Waiting for others: after 429, for equal reads in flight, for what was read a moment ago."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.errors import (
    RateLimited,
)
from tests.support.api_double import GOOD, Api, connected, read
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio
TOO_MANY: list[tuple[dict[str, str], dict[str, Any], float]] = [
    ({"Retry-After": "3"}, {}, 3),
    ({"retry-after-ms": "250", "Retry-After": "3"}, {}, 0.25),
    ({}, {"retry_after": 4}, 4),
    ({"Retry-After": "Mon, 04 Jan 2027 12:00:05 GMT"}, {}, 5),
    ({"Retry-After": "soon"}, {"retry_after": "2.5"}, 2.5),
]


@pytest.mark.parametrize(("headers", "body", "seconds"), TOO_MANY)
async def test_after_429_everyone_waits_as_long_as_the_api_asks(
    headers: dict[str, str], body: dict[str, Any], seconds: float
) -> None:
    clock = FakeClock()
    before = clock.now()
    answer, api = await read(httpx2.Response(429, headers=headers, json=body), GOOD, clock=clock)
    assert answer == GOOD
    assert len(api.requests) == 2
    assert (clock.now() - before).total_seconds() == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("told", ["120", "Mon, 04 Jan 2027 12:02:00 GMT"])
async def test_a_long_wait_is_reported_instead_of_waited_for(told: str) -> None:
    error, api = await read(httpx2.Response(429, headers={"Retry-After": told}))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 120
    assert "Wait 120 seconds" in str(error)
    assert len(api.requests) == 1


@pytest.mark.parametrize("odd", ["-1", "nan", "inf", "1e99", "Mon, 04 Jan 2027 12:02:00"])
async def test_a_wait_that_makes_no_sense_does_no_harm(odd: str) -> None:
    answer, _ = await read(
        httpx2.Response(429, headers={"Retry-After": odd}, json={"retry_after": None}), GOOD
    )
    assert answer == GOOD or isinstance(answer, RateLimited)


async def gathered(count: int, work: Callable[[], Awaitable[Any]]) -> list[Any]:
    results: list[Any] = []

    async def one() -> None:
        results.append(await work())

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return results


async def test_equal_reads_in_flight_are_one_request_and_different_ones_are_not() -> None:
    api = Api([GOOD])

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        return await api.handle(request)

    async with connected(httpx2.MockTransport(slowly), FakeClock()) as opened:
        assert await gathered(50, lambda: opened.read("/thing", page=1)) == [GOOD] * 50
        assert len(api.requests) == 1
        await opened.read("/thing", page=1)
        await opened.read("/thing", page=2)
    assert len(api.requests) == 3


async def test_a_list_that_hardly_changes_is_kept_until_it_is_old_or_we_change_something() -> None:
    api, clock = Api([GOOD]), FakeClock()
    async with connected(httpx2.MockTransport(api.handle), clock) as opened:
        for _ in range(3):
            await opened.read("/agents", fresh_for=5)
        assert len(api.requests) == 1
        clock.advance(seconds=6)
        await opened.read("/agents", fresh_for=5)
        assert len(api.requests) == 2
        await opened.change("POST", "/thing", lambda _: 1)
        await opened.read("/agents", fresh_for=5)
    assert len(api.requests) == 4


async def test_an_emergency_does_not_queue() -> None:
    api, clock = Api([GOOD]), FakeClock()
    async with connected(httpx2.MockTransport(api.handle), clock, rate=0.1) as opened:
        await opened.pacer.slow_down(30)
        with pytest.raises(RateLimited):
            await opened.read("/thing")
        before = clock.now()
        await opened.urgently().change("POST", "/thing", lambda _: 1)
    assert clock.now() == before
    assert [request.method for request in api.requests] == ["POST"]


async def test_an_emergency_does_not_wait_for_an_equal_read_that_queues() -> None:
    api, queued = Api([GOOD]), anyio.Event()

    async def queue(_: float) -> None:
        queued.set()
        await anyio.sleep_forever()

    clock = FakeClock()
    async with connected(httpx2.MockTransport(api.handle), clock, rate=1) as opened:
        slow = replace(opened, pacer=Pacer(1, clock.monotonic, queue))
        await slow.pacer.slow_down(5)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(slow.read, "/thing")
            await queued.wait()
            assert await slow.urgently().read("/thing") == GOOD
            tasks.cancel_scope.cancel()
    assert len(api.requests) == 1
