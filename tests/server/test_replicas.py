"""Several servers on one Redis: what one is told, all know; and what holds while Redis is away."""

import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, InputRequiredResult
from redis.asyncio import Redis

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.server.auth.principal import principal_of
from atoms_campaigns_mcp.server.http import serve
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.mcp.subscriptions import Subscriptions
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from tests.server.http.test_serve import SERVE, address
from tests.support.bench import Bench
from tests.support.process import environment, spawned
from tests.support.redis import RedisServer, redis_in
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
MODERN = "2026-07-28"
OLD, NEW = b"o" * 32, b"n" * 32
YES = ElicitResult(action="accept", content={"confirm": True})


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_in(tmp_path_factory.mktemp("redis")) as server:
        yield server


@asynccontextmanager
async def replica(bench: Bench, *, asks: bool = True, **changes: Any) -> AsyncGenerator[Caller]:
    settings = replace(bench.settings, **changes)
    runtimes = RuntimePool(settings, clocks=bench.clock.clocks(), network=bench.wire)
    subscriptions = Subscriptions(
        lambda context: principal_of(context, settings).tenant,
        lambda: runtimes.store().shared_state,
    )

    async def elicit(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        return YES

    app = build(settings, runtimes, subscriptions=subscriptions)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(subscriptions.relay, bench.clock.sleep)
        async with Client(
            app, mode=MODERN, elicitation_callback=elicit if asks else None
        ) as client:
            yield Caller(client)
            subscriptions.close()
        tasks.cancel_scope.cancel()
    await runtimes.close()


@pytest.mark.slow
async def test_without_redis_calls_are_read_and_stopped_and_nothing_else_until_it_is_back(
    bench: Bench, server: RedisServer
) -> None:
    async with replica(bench, state=server.address, secret=(OLD,)) as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        server.kill()
        report = await client.call("get_campaign_status", **campaign)
        watched = await client.call("watch_campaign", **campaign, wait_seconds=5)
        create = await client.refused("create_campaign", **{**DRAFT, "name": "Another"})
        stopped = await client.call("pause_campaign", **campaign)
        start = await client.refused("start_campaign", **campaign)
        server.start()
        resumed = await client.call("start_campaign", **campaign)
    assert (report["status"], watched["status"]) == ("running", "running")
    assert stopped["status"] == "paused"
    assert "not recorded" in stopped["next_step"]
    for text in (create, start):
        assert "Nothing was sent" in text
        assert "ATOMS_MCP_STATE" in text
    assert resumed["status"] in {"processing", "running"}
    assert bench.wire.changes == ["campaign", "start", "pause", "start"]


@pytest.mark.slow
async def test_a_token_that_one_replica_gave_starts_once_on_any_other(
    bench: Bench, server: RedisServer
) -> None:
    shared: dict[str, Any] = {"state": server.address, "secret": (OLD,), "asks": False}
    async with replica(bench, **shared) as one, replica(bench, **shared) as two:
        made = await one.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        token = await one.token("start_campaign", **campaign)
        await two.call("start_campaign", **campaign, confirm_token=token)
        await one.call("pause_campaign", **campaign)
        again = await one.refused("start_campaign", **campaign, confirm_token=token)
    assert "confirm" in again
    assert bench.wire.changes.count("start") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("secrets", "counts"), [((OLD,), True), ((NEW, OLD), True), ((NEW,), False)]
)
async def test_an_answer_outlives_the_rotation_of_the_secret_until_the_old_one_is_taken_out(
    bench: Bench, server: RedisServer, secrets: tuple[bytes, ...], *, counts: bool
) -> None:
    async with replica(bench, state=server.address, secret=(OLD,)) as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        asked = await client.client.session.call_tool(
            "start_campaign", campaign, allow_input_required=True
        )
        assert isinstance(asked, InputRequiredResult)
    async with replica(bench, state=server.address, secret=secrets) as client:
        answer = await _answered(client, campaign, asked)
    assert (isinstance(answer, CallToolResult) and not answer.is_error) == counts
    assert bench.wire.changes.count("start") == counts


async def _answered(client: Caller, campaign: dict[str, Any], asked: InputRequiredResult) -> Any:
    try:
        return await client.client.session.call_tool(
            "start_campaign",
            campaign,
            input_responses={"confirm": YES},
            request_state=asked.request_state,
            allow_input_required=True,
        )
    except MCPError as error:  # a state that cannot be opened
        return error


@pytest.mark.slow
async def test_a_change_that_one_replica_sees_is_told_once_to_listeners_of_another(
    bench: Bench, server: RedisServer
) -> None:
    shared: dict[str, Any] = {"state": server.address, "secret": (OLD,)}
    async with replica(bench, **shared) as one, replica(bench, **shared) as two:
        made = await one.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        uri = f"atoms://campaigns/{campaign['campaign_id']}"
        await one.call("start_campaign", **campaign)
        async with Redis(port=server.port) as redis:
            while await redis.pubsub_numpat() < 1:  # pyright: ignore[reportUnknownMemberType]
                await anyio.lowlevel.checkpoint()
        async with two.client.listen(resource_subscriptions=[uri]) as events:

            async def watch() -> None:
                await one.call("watch_campaign", **campaign)

            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(watch)
            event = await anext(aiter(events))
        async with Redis(port=server.port) as redis:
            commands: Any = await redis.info("commandstats")  # pyright: ignore[reportUnknownMemberType]
    assert isinstance(event, ResourceUpdated)
    assert event.uri == uri
    assert commands["cmdstat_publish"]["calls"] == 2  # the start, and what all watchers saw


def test_http_does_not_start_beside_replicas_without_a_secret_for_all_of_them() -> None:
    settings = Settings.load({"ATOMS_MCP_STATE": "redis://127.0.0.1:1"}, auth="key")
    with pytest.raises(ConfigurationError, match="ATOMS_MCP_SECRET") as caught:
        serve.serve(settings, "127.0.0.1:0")
    assert "openssl rand" in caught.value.next_step


def test_a_password_in_the_flag_stops_the_start_and_is_not_shown(tmp_path: Path) -> None:
    words = ("serve", "--state", "redis://:hidden-word@127.0.0.1:1/0")
    with spawned(*words, env=environment(tmp_path)) as child:
        code, err = child.leave()
    assert code == 2
    assert "ATOMS_MCP_STATE" in err
    assert "hidden-word" not in err


@pytest.mark.slow
async def test_the_journal_command_reads_what_the_replicas_wrote(
    bench: Bench, server: RedisServer, tmp_path: Path
) -> None:
    async with replica(bench, state=server.address, secret=(OLD,)) as client:
        await client.call("create_campaign", **DRAFT)
    env = environment(tmp_path, ATOMS_MCP_STATE=server.url, COLUMNS="200")
    with spawned("journal", env=env) as child:
        out, _ = child.process.communicate(timeout=60)
    assert "create_campaign" in out
    assert "done" in out


@pytest.mark.slow
async def test_a_list_sent_to_one_process_is_used_by_another_and_both_end_in_order(
    server: RedisServer, tmp_path: Path
) -> None:
    def env(name: str) -> dict[str, str]:
        return environment(
            tmp_path / name,
            ATOMS_MCP_STATE=server.url,
            ATOMS_MCP_SECRET=OLD.decode(),
            ATOMS_MCP_SANDBOX_DB=str(tmp_path / f"{name}.sqlite3"),
        )

    with spawned(*SERVE, env=env("a")) as one, spawned(*SERVE, env=env("b")) as two:
        async with httpx2.AsyncClient() as client:
            sent = await client.put(
                address(one).replace("/mcp", "/contacts"),
                content="phoneNumber,name\n+12025550143,Ada\n",
                headers={"Content-Type": "text/csv"},
            )
        upload = {"name": "Sent elsewhere", "upload_id": sent.json()["upload_id"]}
        async with Client(address(two), mode=MODERN) as client:
            made = await client.call_tool("create_audience", upload)
        for child in (one, two):
            child.process.send_signal(signal.SIGTERM)
            assert child.process.wait(timeout=60) == 0
    assert not made.is_error, text_of(made)
    assert "1 contact" in text_of(made)
