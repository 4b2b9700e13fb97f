"""The proxies of `deploy/`: sessions stay with their replica, and the stop gets through always."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from atoms_campaigns_mcp.server.http.serve import Service
from tests.support.bench import Bench
from tests.support.issuer import RESOURCE, Hosts, Issuer
from tests.support.proxies import Fronted, proxied
from tests.support.redis import RedisServer, redis_in
from tests.support.serving import Wire
from tests.support.team import ACCEPT, ANNA, LEGACY, Team, prepared, serving_team, told
from tests.support.world import DRAFT

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.parametrize("kind", ["nginx", "caddy"]),
]
OLD, MODERN = "legacy", "2026-07-28"
LIST: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisServer]:
    with redis_in(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path, redis: RedisServer) -> Generator[Bench]:
    with prepared(tmp_path) as bench:
        bench.configure(state=redis.address, secret=(b"one secret of both replicas here",))
        yield bench


@dataclass
class Replica:
    """A server that a test may end."""

    told: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)

    async def serve(self, bench: Bench, *, task_status: TaskStatus[Team]) -> None:
        async with serving_team(bench) as team:
            task_status.started(team)
            await self.told.wait()
        self.ended.set()

    async def end(self) -> None:
        self.told.set()
        await self.ended.wait()


@asynccontextmanager
async def fronted(bench: Bench, kind: str, folder: Path) -> AsyncGenerator[tuple[Fronted, Replica]]:
    """Serve by two replicas behind a proxy; give the front, and the replica one."""
    replicas, teams = [Replica(), Replica()], list[Team]()
    async with anyio.create_task_group() as tasks:
        for name, replica in zip(("one", "two"), replicas, strict=True):
            bench.configure(replica=name)
            teams.append(await tasks.start(replica.serve, bench))
        ports = [int(team.url.rpartition(":")[2]) for team in teams]
        async with proxied(kind, folder, ports) as (url, trusted):
            yield Fronted(bench, teams[1].service, url, trusted), replicas[0]
        for replica in replicas:
            replica.told.set()


async def listed(front: Fronted, key: str, session: str) -> int:
    """Ask for the tools in a session of the older era; give the status."""
    async with front.http(key) as http:
        headers = {**ACCEPT, **LEGACY, "Mcp-Session-Id": session}
        return (await http.post("/mcp", json=LIST, headers=headers)).status_code


async def test_every_session_of_the_older_era_stays_with_the_replica_that_opened_it(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    async with fronted(bench, kind, tmp_path) as (front, _):
        sessions = [await front.session(ANNA) for _ in range(12)]
        statuses = [await listed(front, ANNA, session) for session in sessions for _ in range(2)]
    assert {session.partition(".")[0] for session in sessions} == {"one", "two"}
    assert statuses == [200] * 24


async def test_a_question_reaches_its_client_and_the_answer_the_replica_that_asked(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    async with fronted(bench, kind, tmp_path) as (front, _):
        for number, era in enumerate([OLD, MODERN] * 3):
            async with front.client(ANNA, era) as client:
                made = await client.call("create_campaign", **DRAFT | {"name": f"No. {number}"})
                campaign = {"campaign_id": made["campaign_id"]}
                assert (await client.call("start_campaign", **campaign))["consent"] == "asked"
                await client.call("pause_campaign", **campaign)


async def test_a_session_outlives_the_refresh_of_its_access_token(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"anna": "sk_acme", "carl": "sk_other"}))
    accounts.chmod(0o600)
    issuer = Issuer(lambda: bench.clock.now().timestamp())
    bench.wire = Wire(Hosts(issuer, bench.wire.below))
    bench.configure(auth="oauth", oauth_resource=RESOURCE, oauth_accounts=accounts)
    bench.configure(oauth_issuer=issuer.url)
    async with fronted(bench, kind, tmp_path) as (front, _):
        sessions = [await front.session(issuer.token()) for _ in range(6)]
        tokens = [issuer.token(jti=f"refreshed {number}") for number in range(4)]
        statuses = [await listed(front, token, one) for one in sessions for token in tokens]
        foreign = [await listed(front, issuer.token(sub="carl"), session) for session in sessions]
    assert len(set(tokens)) == 4
    assert statuses == [200] * 24
    assert foreign == [404] * 6


async def test_without_redis_the_proxy_still_lets_reads_and_the_emergency_stop_through(
    bench: Bench, redis: RedisServer, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: dict[int, int] = {}
    seen = anyio.Event()
    ask = Service._state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def counting(self: Service) -> str:
        state = await ask(self)
        if state == "away":
            probed[id(self)] = probed.get(id(self), 0) + 1
            if len(probed) == 2 and min(probed.values()) > 2:
                seen.set()
        return state

    monkeypatch.setattr(Service, "_state", counting)
    async with (
        fronted(bench, kind, tmp_path) as (front, _),
        front.client(ANNA, OLD) as session,
        front.client(ANNA) as client,
        front.http() as http,
    ):
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **campaign)
        redis.kill()
        with anyio.fail_after(60):
            while not seen.is_set():  # Caddy probes by itself, too
                ready = await http.get("/health/ready")
                assert (ready.status_code, ready.json()) == (200, {"ready": True, "state": "away"})
        status = await session.call("get_campaign_status", **campaign)
        refused = await client.refused("create_campaign", **DRAFT | {"name": "Another"})
        stopped = await session.call("pause_campaign", **campaign)
    assert status["status"] == "running"
    assert "nothing was sent" in refused.lower()
    assert stopped["status"] == "paused"
    assert "not recorded" in stopped["next_step"]
    assert bench.wire.changes == ["campaign", "start", "pause"]


async def test_when_a_replica_is_gone_its_sessions_are_not_found_and_everything_else_goes_on(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    async with fronted(bench, kind, tmp_path) as (front, one):
        sessions = [await front.session(ANNA) for _ in range(4)]
        (lost, *_) = [session for session in sessions if session.startswith("one.")]
        (kept, *_) = [session for session in sessions if session.startswith("two.")]
        await one.end()
        with anyio.fail_after(60):
            status = await listed(front, ANNA, lost)
            while kind == "caddy" and status == 502:  # see the Caddyfile
                status = await listed(front, ANNA, lost)
        assert status == 404
        assert await listed(front, ANNA, kept) == 200
        assert (await front.session(ANNA)).startswith("two.")
        answers = [await front.post(ANNA, "tools/list") for _ in range(4)]
    assert all(told(answer)["result"]["tools"] for answer in answers)
