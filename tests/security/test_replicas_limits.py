"""Replicas that share a Redis share the operator's limits: they hold once, not once in each."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.http.replica_rate_limit import KEPT, ReplicaRateLimit
from atoms_campaigns_mcp.state.open import open_state
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.redis import RedisServer
from tests.support.team import ANNA, BERT, Team, prepared, routing, serving_team
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_what_one_replica_was_asked_counts_with_the_other(
    tmp_path: Path, emptied_redis: RedisServer
) -> None:
    with prepared(tmp_path) as bench:
        bench.configure(state=emptied_redis.address, secret=(b"s" * 32,), client_rate=4)
        async with serving_team(bench) as one, serving_team(bench) as other:
            answers = [
                (await team.post(ANNA, "tools/list")).status_code
                for team in (one, other, one, other, one, other)
            ]
            assert answers == [200] * 4 + [429] * 2
            assert (await other.post(BERT, "tools/list")).status_code == 200
            bench.clock.advance(seconds=1)
            assert (await other.post(ANNA, "tools/list")).status_code == 200


async def test_while_redis_is_away_each_replica_keeps_to_its_own_limit(
    tmp_path: Path, emptied_redis: RedisServer
) -> None:
    away = type(emptied_redis)(tmp_path, 1).address
    with prepared(tmp_path) as bench:
        bench.configure(state=away, secret=(b"s" * 32,), client_rate=2)
        async with serving_team(bench) as team:
            answers = [(await team.post(ANNA, "tools/list")).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


async def test_a_tenant_that_left_is_forgotten_with_what_was_booked_for_it(
    emptied_redis: RedisServer,
) -> None:
    clock = FakeClock()
    store = open_state(Settings(state=emptied_redis.address))
    limit = ReplicaRateLimit(lambda: store, clock.clocks().seconds)
    for number in range(20):
        assert not await limit(f"tenant {number}", 0.01)
    assert limit.tenants == 20
    clock.advance(seconds=KEPT)
    assert not await limit("another", 0.01)
    assert limit.tenants == 1
    clock.advance(hours=-1)  # nor does a clock that is set back keep anybody
    await limit("one more", 0.01)
    assert limit.tenants == 1
    await store.close()


@pytest.fixture
def shared(tmp_path: Path, emptied_redis: RedisServer) -> Generator[Bench]:
    with prepared(tmp_path) as bench:
        bench.configure(state=emptied_redis.address, secret=(b"s" * 32,))
        yield bench


@asynccontextmanager
async def serving_two(bench: Bench) -> AsyncGenerator[tuple[Team, Team]]:
    async with serving_team(bench) as one, serving_team(bench) as other:
        yield one, other


@asynccontextmanager
async def waiting_calls(bench: Bench, key: str, *teams: Team) -> AsyncGenerator[None]:
    """Meanwhile, a call of a tenant waits for the API in each of these replicas."""
    held, go, below = anyio.Semaphore(0), anyio.Event(), bench.wire.below

    async def holding(request: httpx2.Request) -> httpx2.Response:
        if "search=No" in request.url.query.decode():
            held.release()
            await go.wait()
        return await below.handle_async_request(request)

    async def ask(team: Team, number: int) -> None:
        arguments = {"search": f"No{number}"}
        params: dict[str, Any] = {"name": "list_campaigns", "arguments": arguments}
        assert (await team.post(key, "tools/call", params)).status_code == 200

    bench.wire.below = httpx2.MockTransport(holding)
    async with anyio.create_task_group() as tasks:
        for number, team in enumerate(teams):
            tasks.start_soon(ask, team, number)
        for _ in teams:
            await held.acquire()
        yield
        go.set()


@pytest.mark.slow
async def test_requests_at_once_are_counted_over_all_replicas(shared: Bench) -> None:
    shared.configure(client_calls=3)
    async with serving_two(shared) as (one, other):
        async with waiting_calls(shared, ANNA, one, other, one):
            refused = [await team.post(ANNA, "tools/list") for team in (one, other)]
            assert [answer.status_code for answer in refused] == [429, 429]
            assert refused[1].headers["retry-after"] == "1"
            assert (await other.post(BERT, "tools/list")).status_code == 200
            stop = {"name": "pause_campaign", "arguments": {"campaign_id": "all"}}
            assert (await other.post(ANNA, "tools/call", stop)).status_code == 200
        answers = [(await team.post(ANNA, "tools/list")).status_code for team in (one, other) * 2]
        assert answers == [200] * 4


@pytest.mark.slow
async def test_streams_leave_a_quarter_of_the_places_of_all_replicas(shared: Bench) -> None:
    shared.configure(client_calls=4)
    async with serving_two(shared) as (one, other), AsyncExitStack() as streams:
        statuses: list[int] = []
        for team in (one, other, one, other):
            session = await team.session(ANNA)
            http = await streams.enter_async_context(team.http(ANNA))
            head = {**routing(""), "Accept": "text/event-stream", "Mcp-Session-Id": session}
            head["Mcp-Protocol-Version"] = "2025-11-25"
            stream = http.stream("GET", "/mcp", headers=head)
            statuses.append((await streams.enter_async_context(stream)).status_code)
        assert statuses == [200, 200, 200, 429]
        assert (await other.post(ANNA, "tools/list")).status_code == 200


async def test_the_places_of_a_replica_that_was_killed_are_free_after_its_lease(
    shared: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.configure(client_calls=1)
    monkeypatch.setattr("atoms_campaigns_mcp.server.http.replica_places.LEASE", 0.001)
    async with serving_two(shared) as (one, other), waiting_calls(shared, ANNA, one):
        with anyio.fail_after(60):
            while (await other.post(ANNA, "tools/list")).status_code != 200:
                pass  # Redis tells how long ago that was


@pytest.mark.slow
async def test_what_is_in_flight_when_redis_comes_back_counts_again_after_a_renewal(
    shared: Bench, emptied_redis: RedisServer
) -> None:
    shared.configure(client_calls=2)
    async with serving_two(shared) as (one, other), waiting_calls(shared, ANNA, one, one):
        assert (await other.post(ANNA, "tools/list")).status_code == 429
        emptied_redis.empty()  # it has lost what it knew
        assert (await other.post(ANNA, "tools/list")).status_code == 200
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.service.keep_places)
            with anyio.fail_after(60):
                while (await other.post(ANNA, "tools/list")).status_code == 200:
                    pass
            tasks.cancel_scope.cancel()


@pytest.mark.slow
async def test_keys_not_seen_before_are_verified_at_one_pace_by_all_replicas(
    shared: Bench,
) -> None:
    shared.configure(rate=2)
    async with serving_two(shared) as (one, other):
        began = shared.clock.monotonic()
        for number in range(9):
            await (one, other)[number % 2].post(f"sk_made_up_{number}", "tools/list")
        # Two at once, and the others half a second apart, whichever replica asks.
        assert shared.clock.monotonic() - began == pytest.approx(3.5)


@pytest.mark.slow
async def test_two_replicas_start_no_more_campaigns_than_may_run(shared: Bench) -> None:
    shared.configure(max_running=1, confirm="never")
    async with (
        serving_two(shared) as (one, other),
        one.client(ANNA) as first,
        other.client(ANNA) as second,
    ):
        made = [
            (await first.call("create_campaign", **{**DRAFT, "name": name}))["campaign_id"]
            for name in ("One", "Two")
        ]
        results: list[Any] = []

        async def start(client: Any, campaign_id: str) -> None:
            results.append(await client.raw("start_campaign", campaign_id=campaign_id))

        async with anyio.create_task_group() as tasks:
            for client, campaign_id in zip((first, second), made, strict=True):
                tasks.start_soon(start, client, campaign_id)
        assert sorted(result.is_error for result in results) == [False, True]
