"""One look for several servers that share a Redis, each on a clock of its own."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
import pytest

from atoms_campaigns_mcp.caching.replica_polls import Form, PollBoard
from atoms_campaigns_mcp.caching.shared_polls import SLOWEST, SharedPolls
from atoms_campaigns_mcp.errors import Unavailable
from atoms_campaigns_mcp.state.redis.store import RedisStore
from tests.support.clock import FakeClock
from tests.support.redis import RedisServer, redis_in

pytestmark = pytest.mark.anyio


class Api:
    """What all servers look at; each look gives the next number."""

    def __init__(self) -> None:
        self.replica_polls = 0
        self.failing = 0

    async def look(self) -> list[int]:
        self.replica_polls += 1
        await anyio.lowlevel.checkpoint()
        if self.replica_polls == self.failing:
            raise Unavailable("Away.")
        return [self.replica_polls]


class Replica:
    """A server: its clock, its connections, its polls."""

    def __init__(self, server: RedisServer, account: str = "account") -> None:
        self.clock = FakeClock()
        self.store = RedisStore.open(server.address)
        board = PollBoard(account, self.store.shared_state, self.clock.monotonic, self.clock.sleep)
        self.polls: SharedPolls[list[int]] = SharedPolls(
            self.clock.monotonic, self.clock.sleep, board
        )


FORM: Form[list[int]] = Form(lambda seen: json.dumps(seen).encode(), json.loads)


@pytest.fixture
async def replicas(emptied_redis: RedisServer) -> AsyncGenerator[list[Replica]]:
    opened = [Replica(emptied_redis) for _ in range(3)]
    yield opened
    for replica in opened:
        await replica.store.close()


async def test_servers_that_follow_one_thing_cost_the_looks_of_one(
    replicas: list[Replica],
) -> None:
    api = Api()
    seen: list[list[list[int]]] = [[], [], []]
    one, two, three = (each.polls.following("c", api.look, FORM) for each in replicas)
    async with one as first, two as second, three as third:
        for _ in range(10):
            for poll, so_far in zip((first, second, third), seen, strict=True):
                so_far.append(await (poll.after(so_far[-1]) if so_far else poll.current()))
    assert seen == [[[n] for n in range(1, 11)]] * 3
    assert api.replica_polls == 10


async def test_another_looks_when_the_one_that_looked_has_gone(replicas: list[Replica]) -> None:
    api = Api()
    one, two, _ = (each.polls.following("c", api.look, FORM) for each in replicas)
    async with two as second:
        async with one as first:
            assert await first.current() == [1]
            seen = await second.current()
        before = replicas[1].clock.monotonic()
        assert await second.after(seen) == [2]
    assert replicas[1].clock.monotonic() - before <= SLOWEST
    assert api.replica_polls == 2


async def test_those_who_begin_together_wait_for_the_one_that_looks(
    replicas: list[Replica],
) -> None:
    replica_polls, waiting, seen = 0, set[int](), list[list[int]]()
    go_on = anyio.Event()

    async def slow() -> list[int]:
        nonlocal replica_polls
        replica_polls += 1
        await go_on.wait()
        return [replica_polls]

    def noting(place: int, sleep: Callable[[float], Awaitable[None]]) -> None:
        async def noted(seconds: float) -> None:
            waiting.add(place)
            if len(waiting) == 2:
                go_on.set()
            await sleep(seconds)

        board = PollBoard(
            "account", replicas[place].store.shared_state, replicas[place].clock.monotonic, noted
        )
        replicas[place].polls = SharedPolls(replicas[place].clock.monotonic, noted, board)

    async def follow(replica: Replica) -> None:
        async with replica.polls.following("c", slow, FORM) as poll:
            seen.append(await poll.current())

    for place, replica in enumerate(replicas):
        noting(place, replica.clock.sleep)
    async with anyio.create_task_group() as tasks:
        for replica in replicas:
            tasks.start_soon(follow, replica)
    assert seen == [[1]] * 3


async def test_a_look_that_is_cancelled_or_fails_keeps_nobody_waiting(
    replicas: list[Replica],
) -> None:
    api = Api()
    api.failing = 1
    one, two, _ = (each.polls.following("c", api.look, FORM) for each in replicas)
    began = anyio.Event()

    async def endless() -> list[int]:
        began.set()
        await anyio.sleep_forever()
        return []

    async with one as first, two as second:
        with pytest.raises(Unavailable):
            await first.current()
        assert await second.current() == [2]
    third = replicas[2].polls.following("d", endless, FORM)
    async with third as poll, anyio.create_task_group() as tasks:
        tasks.start_soon(poll.current)
        await began.wait()
        tasks.cancel_scope.cancel()
    before = replicas[0].clock.monotonic()
    async with replicas[0].polls.following("d", api.look, FORM) as poll:
        assert await poll.current() == [3]
    assert replicas[0].clock.monotonic() == before


async def test_accounts_never_see_what_another_saw(
    replicas: list[Replica], emptied_redis: RedisServer
) -> None:
    api = Api()
    stranger = Replica(emptied_redis, account="stranger")
    async with replicas[0].polls.following("c", api.look, FORM) as poll:
        assert await poll.current() == [1]
    async with stranger.polls.following("c", api.look, FORM) as poll:
        assert await poll.current() == [2]
    await stranger.store.close()


async def test_a_sight_that_another_version_wrote_is_passed_over(replicas: list[Replica]) -> None:
    api = Api()
    for sight in (b"", b"\n[9]", b"mark never\n[9]", b"mark 1e12\n{", b"\xff"):
        await replicas[1].store.shared_state.keep_snapshot("account:c", sight, 60)
        async with replicas[0].polls.following("c", api.look, FORM) as poll:
            assert await poll.current() == [api.replica_polls]
    assert api.replica_polls == 5


async def test_without_redis_each_server_looks_for_itself(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    api = Api()
    with redis_in(tmp_path_factory.mktemp("away")) as server:
        replicas = [Replica(server) for _ in range(2)]
        server.kill()
        for replica in replicas:
            async with replica.polls.following("c", api.look, FORM) as poll:
                seen = await poll.current()
                await poll.after(seen)
            await replica.store.close()
    assert api.replica_polls == 4
