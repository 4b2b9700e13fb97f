"""What is Redis's own: restarts, silence, memory, and what is left behind."""

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import pytest
from redis import Redis

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.journal import Entry, Intent
from atoms_campaigns_mcp.state.redis.connection import AWAY, PREFIX, RedisConnection
from atoms_campaigns_mcp.state.redis.journal import RedisJournal
from atoms_campaigns_mcp.state.redis.store import RedisStore
from atoms_campaigns_mcp.state.store import PlanRecord, Upload
from tests.support.redis import RedisServer, redis_in

pytestmark = pytest.mark.anyio
RECORD = PlanRecord("plan", "tenant", "start_campaign", "digest", 1000.0, "audience")
INTENT = Intent("tenant", "create_campaign", '{"name": "x"}', "asked", "digest", "k", ("c1",))
UPLOAD = Upload("u1", "tenant", b"phone", 1900.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_in(tmp_path) as server:
        yield server


@pytest.fixture
async def stores(server: RedisServer) -> AsyncGenerator[list[RedisStore]]:
    """Three servers' stores."""
    opened = [RedisStore.open(server.address) for _ in range(3)]
    yield opened
    for store in opened:
        await store.close()


@pytest.fixture
def store(stores: list[RedisStore]) -> RedisStore:
    return stores[0]


class Commands:
    """In place of a connection: it keeps the names of the commands, and has written to its disk."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def do(self, *command: Any) -> int:
        self.sent.append(command[0])
        return 7

    async def in_a_row(self, *commands: Any, **_: bool) -> list[Any]:
        self.sent += [command[0] for command in commands]
        return [7, [1, 0]]

    def answering(self) -> AbstractContextManager[None]:
        return nullcontext()


@pytest.mark.parametrize(("lasting", "sent"), [(True, ["EVAL", "WAITAOF"]), (False, ["EVAL"])])
async def test_only_an_entry_that_must_last_waits_for_the_disk(
    sent: list[str], *, lasting: bool
) -> None:
    link: Any = Commands()
    assert await RedisJournal(link).begin(INTENT, 1, lasting=lasting) == 7
    assert link.sent == sent


CALLS: dict[str, Callable[[RedisStore], Awaitable[object]]] = {
    "plans.keep": lambda store: store.plans.keep(RECORD),
    "plans.get": lambda store: store.plans.get("plan"),
    "plans.use": lambda store: store.plans.use("plan"),
    "locks.acquire": lambda store: store.locks.acquire("campaign", "one", 1, 2),
    "locks.extend": lambda store: store.locks.extend("campaign", "one", 2),
    "locks.release": lambda store: store.locks.release("campaign", "one"),
    "caller_ids.keep": lambda store: store.caller_ids.keep("a", "c", ()),
    "caller_ids.get": lambda store: store.caller_ids.get("a", "c"),
    "uploads.keep": lambda store: store.uploads.keep(UPLOAD, 1000.0, 2),
    "uploads.get": lambda store: store.uploads.get("tenant", "u1", 1000.0),
    "journal.begin": lambda store: store.journal.begin(INTENT, 1),
    "journal.finish": lambda store: store.journal.finish(1, "done"),
    "journal.unresolved": lambda store: store.journal.unresolved("k"),
    "journal.entries": lambda store: store.journal.entries(5),
    "journal.unfinished": lambda store: store.journal.unfinished(1000.0),
    "pace.book": lambda store: store.pace.book("key", Slot(1000.0, 0.1)),
    "pace.hold": lambda store: store.pace.hold("key", 1000.0, 1001.0),
    "take_turn": lambda store: store.shared_state.take_turn("campaign", "one", 1),
    "end_turn": lambda store: store.shared_state.end_turn("campaign", "one"),
    "keep_snapshot": lambda store: store.shared_state.keep_snapshot("campaign", b"seen", 1),
    "snapshot": lambda store: store.shared_state.snapshot("campaign"),
    "publish": lambda store: store.shared_state.publish("tenant", "news"),
}


async def failures(store: RedisStore) -> dict[str, str]:
    """Call everything; give what was said of each call that failed."""
    said: dict[str, str] = {}
    for name, call in CALLS.items():
        try:
            await call(store)
        except NotRecorded as error:
            said[name] = str(error)
    return said


async def test_everything_is_said_to_be_unrecorded_while_redis_is_away_and_works_again_after(
    server: RedisServer,
) -> None:
    moments = iter(range(0, 10**6, 10))  # so that no call is given up for an earlier failure
    store = RedisStore(RedisConnection(server.address, monotonic=lambda: float(next(moments))))
    await store.journal.begin(INTENT, 1)
    assert await failures(store) == {}
    server.kill()
    said = await failures(store)
    assert said.keys() == CALLS.keys()
    assert all("operator" in text and "ATOMS_MCP_STATE" in text for text in said.values())
    assert all(str(server.port) not in text for text in said.values())
    server.start()
    assert await failures(store) == {}
    await store.close()


async def test_what_can_be_done_without_does_not_wait_for_a_redis_that_failed_just_now(
    server: RedisServer,
) -> None:
    now = [100.0]
    store = RedisStore(RedisConnection(server.address, monotonic=lambda: now[0]))
    server.kill()
    with pytest.raises(NotRecorded):
        await store.shared_state.snapshot("campaign")
    server.start()
    with pytest.raises(NotRecorded, match="a moment ago"):
        await store.pace.book("key", Slot(1000.0, 0.1))
    await store.journal.begin(INTENT, 1)  # a record is always tried
    now[0] += AWAY
    assert await store.pace.book("key", Slot(1000.0, 0.1)) == 0
    await store.close()


@pytest.mark.slow
async def test_a_redis_that_is_silent_is_not_waited_for_without_end(
    store: RedisStore, server: RedisServer
) -> None:
    await store.journal.begin(INTENT, 1)
    server.send(signal.SIGSTOP)
    with pytest.raises(NotRecorded, match="TimeoutError"):
        await store.journal.begin(INTENT, 2)
    server.send(signal.SIGCONT)
    latest = await store.journal.begin(INTENT, 3)
    assert [entry.at for entry in await store.journal.entries(1)] == [3]
    assert latest == (await store.journal.entries(1))[0].id


@pytest.mark.slow
async def test_no_entry_that_was_promised_is_lost_when_redis_is_killed_in_the_middle(
    stores: list[RedisStore], server: RedisServer
) -> None:
    promised: dict[int, float] = {}
    finished: set[int] = set()
    refused: list[float] = []

    async def write(store: RedisStore, first: int) -> None:
        for at in range(first, first + 40):
            try:
                number = await store.journal.begin(replace(INTENT, key=str(at)), at)
                promised[number] = at
                await store.journal.finish(number, "done")
                finished.add(number)
            except NotRecorded:
                refused.append(at)
            if at == 20:  # the first one only: the others count from 1000 on
                await anyio.to_thread.run_sync(server.restart)

    async with anyio.create_task_group() as tasks:
        for place, store in enumerate(stores * 3):
            tasks.start_soon(write, store, place * 1000)
    found: dict[int, Entry] = {entry.id: entry for entry in await stores[0].journal.entries(1000)}
    assert len(promised) + len(refused) >= 9 * 40
    assert refused
    assert {number: found[number].at for number in promised} == promised
    assert all(found[number].outcome == "done" for number in finished)


async def test_a_used_plan_and_a_lock_survive_a_kill(
    store: RedisStore, server: RedisServer
) -> None:
    await store.plans.keep(RECORD)
    assert await store.plans.use("plan")
    assert await store.locks.acquire("campaign", "one", 100, 160)
    await anyio.to_thread.run_sync(server.restart)
    assert await store.plans.get("plan") == RECORD
    assert not await store.plans.use("plan")
    assert not await store.locks.acquire("campaign", "two", 120, 180)


async def test_an_entry_whose_intent_redis_has_lost_gets_no_outcome_in_silence(
    store: RedisStore,
) -> None:
    with pytest.raises(NotRecorded, match="not there any more"):
        await store.journal.finish(7, "done")


async def test_a_full_redis_refuses_what_cannot_be_kept(
    store: RedisStore, server: RedisServer
) -> None:
    kept = await store.journal.begin(INTENT, 1)
    with Redis(port=server.port) as redis:
        redis.config_set("maxmemory", "1")  # pyright: ignore[reportUnknownMemberType]
    with pytest.raises(NotRecorded):
        await store.journal.begin(INTENT, 2)
    assert [entry.id for entry in await store.journal.entries(5)] == [kept]


async def test_only_journal_and_caller_ids_stay_and_every_key_has_the_prefix(
    store: RedisStore, server: RedisServer
) -> None:
    await store.journal.finish(await store.journal.begin(INTENT, 1), "unknown")
    await failures(store)
    await store.journal.begin(INTENT, 2)
    await store.locks.acquire("campaign", "one", 1, 2)
    await store.shared_state.take_turn("campaign", "one", 60)
    with Redis(port=server.port, decode_responses=True) as redis:
        names: list[str] = cast("Any", redis).keys()
        lives: dict[str, int] = {name: cast("Any", redis).pttl(name) for name in names}
    assert all(name.startswith(f"{PREFIX}:") for name in lives)
    kinds = {name.split(":")[2] for name, lives_for in lives.items() if lives_for == -1}
    assert kinds == {"callers", "journal", "last", "open", "outcomes", "unresolved"}
    mortal = {name.split(":")[2] for name in lives} - kinds
    assert mortal >= {"plan", "claim", "upload", "uploads", "pace", "turn", "sight"}


async def test_the_turn_is_one_owners_until_it_gives_it_back(stores: list[RedisStore]) -> None:
    taken: list[str] = []

    async def take(store: RedisStore, owner: str) -> None:
        if await store.shared_state.take_turn("campaign", owner, 60):
            taken.append(owner)

    async with anyio.create_task_group() as tasks:
        for place, store in enumerate(stores * 5):
            tasks.start_soon(take, store, str(place))
    assert len(taken) == 1
    await stores[0].shared_state.end_turn("campaign", "nobody")
    assert not await stores[1].shared_state.take_turn("campaign", "other", 60)
    await stores[2].shared_state.end_turn("campaign", taken[0])
    assert await stores[1].shared_state.take_turn("campaign", "other", 60)


async def test_news_reach_every_server_with_their_tenant_and_end_with_redis(
    stores: list[RedisStore], server: RedisServer
) -> None:
    one, two, _ = stores
    heard: list[tuple[str, str]] = []
    listening, ended = anyio.Event(), anyio.Event()

    async def hearing(tenant: str, news: str) -> None:
        heard.append((tenant, news))
        listening.set()

    async def listen() -> None:
        with pytest.raises(NotRecorded):
            await two.shared_state.subscribe(hearing)
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        while not listening.is_set():  # until the subscription is there
            await one.shared_state.publish("nobody", "")
        await one.shared_state.publish("tenant", "news: é")
        await one.shared_state.publish("tenant", "last")
        while ("tenant", "last") not in heard:
            await anyio.lowlevel.checkpoint()
        server.kill()
        await ended.wait()
    assert [each for each in heard if each[0] != "nobody"] == [
        ("tenant", "news: é"),
        ("tenant", "last"),
    ]


def test_an_address_that_the_client_does_not_understand_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        RedisStore.open(RedisAddress("gopher://:hidden@host"))
    assert "hidden" not in str(caught.value)
    assert "redis://" in caught.value.next_step


async def test_entries_of_earlier_and_later_versions_are_read(
    store: RedisStore, server: RedisServer
) -> None:
    """The journal in Redis needs no migration: what is not there is absent."""
    number = await store.journal.begin(INTENT, 1)
    with Redis(port=server.port) as redis:
        fields = cast("Any", redis.xrange(f"{PREFIX}:journal"))[0][1]
        assert b"answered_after" not in fields
        redis.xadd(f"{PREFIX}:journal", {**fields, b"of tomorrow": b"x"}, id=f"{number + 1}-0")
        redis.rpush(f"{PREFIX}:outcomes:{number + 1}", '["done", "", "request"]')
        assert (await store.journal.entries(1))[0].outcome == "done"
        told = '["done", "", "request", "", "a1", "of tomorrow"]'
        redis.rpush(f"{PREFIX}:outcomes:{number + 1}", told)
    later, earlier = await store.journal.entries(2)
    assert later.created == "a1"
    assert (later.intent, later.outcome, later.request_id) == (INTENT, "done", "request")
    assert (earlier.intent, earlier.outcome) == (INTENT, "")
