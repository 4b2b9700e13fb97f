"""Sharing one poll: who looks, how often, and what happens when one gives up."""

from collections.abc import Callable
from itertools import count

import anyio
import pytest

from atoms_campaigns_mcp.caching.shared_polls import FASTEST, SLOWEST, Poll, SharedPolls
from atoms_campaigns_mcp.errors import Unavailable
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio


class Looker:
    """Counts looks and notes the pauses between them."""

    def __init__(self, see: Callable[[int], str] = str) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.replica_polls = 0
        self._see = see
        self._numbers = count(1)

    async def fetch(self) -> str:
        self.replica_polls += 1
        await anyio.lowlevel.checkpoint()
        return self._see(next(self._numbers))

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.clock.sleep(seconds)

    def polls(self) -> SharedPolls[str]:
        return SharedPolls(self.clock.monotonic, self.sleep)


async def follow(polls: SharedPolls[str], looker: Looker, steps: int, key: str = "a") -> list[str]:
    async with polls.following(key, looker.fetch) as poll:
        seen = [await poll.current()]
        for _ in range(steps):
            seen.append(await poll.after(seen[-1]))
    return seen


async def test_pauses_grow_while_nothing_changes_and_have_a_limit() -> None:
    looker = Looker(lambda _: "same")
    await follow(looker.polls(), looker, 8)
    assert looker.pauses[0] == FASTEST
    assert looker.pauses == sorted(looker.pauses)
    assert looker.pauses[1] > FASTEST
    assert looker.pauses[-1] == SLOWEST


async def test_a_change_makes_it_fast_again() -> None:
    looker = Looker(lambda number: "late" if number > 6 else "early")
    await follow(looker.polls(), looker, 7)
    assert looker.pauses[5] > 2 * FASTEST
    assert looker.pauses[6] == FASTEST


async def test_followers_of_one_thing_see_the_same_with_the_looks_of_one() -> None:
    looker = Looker()
    polls = looker.polls()
    seen: list[list[str]] = []

    async def one() -> None:
        seen.append(await follow(polls, looker, 5))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(one)
    assert seen == [["1", "2", "3", "4", "5", "6"]] * 50
    assert looker.replica_polls == 6


async def test_different_things_are_looked_at_apart() -> None:
    looker = Looker()
    polls = looker.polls()
    first = await follow(polls, looker, 1, "a")
    second = await follow(polls, looker, 1, "b")
    assert first == ["1", "2"]
    assert second == ["3", "4"]


async def test_a_poll_ends_with_its_last_follower() -> None:
    looker = Looker()
    polls = looker.polls()
    async with polls.following("a", looker.fetch) as outer:
        async with polls.following("a", looker.fetch) as inner:
            assert inner is outer
        assert outer.followers == 1
    async with polls.following("a", looker.fetch) as later:
        assert later is not outer
        assert later.followers == 1


async def test_what_was_seen_within_a_second_is_not_looked_at_again() -> None:
    looker = Looker()
    poll = Poll(looker.fetch, looker.clock.monotonic, looker.sleep)
    first = await poll.current()
    looker.clock.advance(seconds=0.9)
    assert await poll.current() == first
    looker.clock.advance(seconds=0.2)
    assert await poll.current() != first
    assert looker.replica_polls == 2


async def test_when_the_one_that_looks_is_cancelled_the_next_takes_over() -> None:
    looker = Looker()
    held = anyio.Event()

    async def held_sleep(_: float) -> None:
        if not held.is_set():
            held.set()
            await anyio.sleep_forever()

    poll = Poll(looker.fetch, looker.clock.monotonic, held_sleep)
    first = await poll.current()
    seen: list[str] = []
    leader = anyio.CancelScope()

    async def lead() -> None:
        with leader:
            seen.append(await poll.after(first))

    async def next_in_line() -> None:
        seen.append(await poll.after(first))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lead)
        await held.wait()
        tasks.start_soon(next_in_line)
        await anyio.lowlevel.checkpoint()
        leader.cancel()
    assert leader.cancelled_caught
    assert seen == ["2"]


async def test_those_who_wait_for_a_first_look_share_its_failure_and_the_next_looks_again() -> None:
    def away(number: int) -> str:
        if number == 1:
            raise Unavailable("Away.")
        return "back"

    looker = Looker(away)
    poll = Poll(looker.fetch, looker.clock.monotonic, looker.sleep)
    told: list[str] = []

    async def one() -> None:
        try:
            await poll.current()
        except Unavailable as error:
            told.append(error.message)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(one)
    assert told == ["Away."] * 10
    assert looker.replica_polls == 1
    assert await poll.current() == "back"


async def test_a_failure_later_on_ends_one_follower_and_the_rest_go_on() -> None:
    def once_away(number: int) -> str:
        if number == 2:
            raise Unavailable("Away.")
        return str(number)

    looker = Looker(once_away)
    poll = Poll(looker.fetch, looker.clock.monotonic, looker.sleep)
    first = await poll.current()
    outcomes: list[str] = []

    async def one() -> None:
        try:
            outcomes.append(await poll.after(first))
        except Unavailable as error:
            outcomes.append(error.message)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert sorted(outcomes) == ["3", "3", "3", "3", "Away."]
    assert looker.pauses == [FASTEST, FASTEST]
