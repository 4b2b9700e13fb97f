"""Sharing reads: who fetches, what the others get, and when nobody may share any more."""

from weakref import WeakSet

import anyio
import pytest

from atoms_campaigns_mcp.caching.single_flight import KEPT, SingleFlight
from atoms_campaigns_mcp.errors import Unavailable
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio


class Answer:
    """What a read gave, while anybody holds it."""


class Source:
    """Counts reads; each takes until it is released."""

    def __init__(self) -> None:
        self.reads = 0
        self.under_way = anyio.Event()
        self.released = anyio.Event()
        self.failing = False

    async def __call__(self) -> int:
        self.reads += 1
        number = self.reads
        self.under_way.set()
        await self.released.wait()
        if self.failing:
            raise Unavailable("away")
        return number


async def settle(steps: int = 5) -> None:
    for _ in range(steps):
        await anyio.lowlevel.checkpoint()


async def test_when_the_one_that_reads_is_cancelled_the_next_reads_for_all() -> None:
    single_flight, source, got = SingleFlight(FakeClock().monotonic), Source(), list[int]()

    async def want() -> None:
        got.append(await single_flight.get("key", source))

    async with anyio.create_task_group() as tasks:
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(want)
            await source.under_way.wait()
            tasks.start_soon(want)
            tasks.start_soon(want)
            await settle()
            impatient.cancel_scope.cancel()
        await settle()
        source.released.set()
    assert got == [2, 2]


async def test_all_who_wait_share_a_failure_and_the_next_one_tries_again() -> None:
    single_flight, source, failed = SingleFlight(FakeClock().monotonic), Source(), list[str]()
    source.failing = True

    async def want() -> None:
        with pytest.raises(Unavailable) as caught:
            await single_flight.get("key", source, fresh_for=5)
        failed.append(caught.value.message)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(want)
        await settle()
        source.released.set()
    source.failing = False
    assert failed == ["away"] * 3
    assert await single_flight.get("key", source, fresh_for=5) == 2


async def test_whoever_asks_after_a_change_does_not_get_what_was_asked_before_it() -> None:
    single_flight, source, got = SingleFlight(FakeClock().monotonic), Source(), list[int]()

    async def want() -> None:
        got.append(await single_flight.get("key", source))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(want)
        await source.under_way.wait()
        single_flight.forget()
        tasks.start_soon(want)
        await settle()
        source.released.set()
    assert sorted(got) == [1, 2]


async def test_no_number_of_different_reads_is_kept_for_ever() -> None:
    single_flight, alive = SingleFlight(FakeClock().monotonic), WeakSet[Answer]()

    async def fetch() -> Answer:
        alive.add(answer := Answer())
        return answer

    for number in range(20 * KEPT):
        await single_flight.get(number, fetch, fresh_for=60)
    assert len(alive) <= KEPT + 1
