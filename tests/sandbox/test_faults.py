"""Faults on request, in process and over a socket."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
import uvicorn

from atoms_campaigns_mcp.sandbox.engine.faults import Fault, FaultKind, FaultPlan
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import Sandbox, client, draft, faulty
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio

CREATE = "POST /campaign"


async def names(sandbox: Sandbox) -> list[str]:
    return [row["name"] for row in (await sandbox.get("/campaign"))["campaigns"][:-1]]


async def test_a_429_names_the_seconds_to_wait_and_does_nothing(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=faulty(Fault(kind="rate_limit", route=CREATE, retry_after=7)))
    response = await sandbox.send("POST", "/campaign", json=draft())
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json() == {
        "status": False,
        "error": "Rate limit exceeded",
        "code": "RATE_LIMIT_EXCEEDED",
        "retry_after": 7,
    }
    assert await names(sandbox) == []


@pytest.mark.parametrize("work_done", [False, True])
@pytest.mark.parametrize(
    ("kind", "status", "media_type"),
    [
        ("error_500", 500, "application/json"),
        ("error_504", 504, "text/html"),
        ("html_error", 502, "text/html"),
    ],
)
async def test_errors_of_servers_and_gateways_may_hide_work_done(
    open_sandbox: OpenSandbox, kind: FaultKind, status: int, media_type: str, work_done: bool
) -> None:
    fault = Fault(kind=kind, route=CREATE, work_done=work_done)
    sandbox = open_sandbox(options=faulty(fault))
    async with unjudged(sandbox.world, sandbox.clock) as http:
        response = await http.post("/campaign", json=draft())
    assert response.status_code == status
    assert response.headers["content-type"].startswith(media_type)
    assert await names(sandbox) == (["January Outreach"] if work_done else [])


def unjudged(world: World, clock: FakeClock) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=create_app(world, sleep=clock.sleep)),
        base_url="http://sandbox/atoms/v1",
        headers={"Authorization": "Bearer sk_test"},
    )


async def test_a_slow_answer_takes_its_time_and_is_right(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=faulty(Fault(kind="slow", route=CREATE, delay=30)))
    before = sandbox.clock.now()
    assert await sandbox.create()
    assert (sandbox.clock.now() - before).total_seconds() == 30


@pytest.mark.parametrize(("kind", "created"), [("reset", False), ("lost_answer", True)])
async def test_a_broken_connection_is_a_transport_error(
    open_sandbox: OpenSandbox, kind: FaultKind, created: bool
) -> None:
    sandbox = open_sandbox(options=faulty(Fault(kind=kind, route=CREATE)))
    with pytest.raises(httpx2.TransportError):
        await sandbox.create()
    assert bool(await names(sandbox)) is created


async def test_late_work_is_done_when_its_time_comes(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=faulty(Fault(kind="late_work", route=CREATE, delay=5)))
    with pytest.raises(httpx2.TransportError):
        await sandbox.create(name="Late")
    assert await names(sandbox) == []
    sandbox.clock.advance(seconds=5)
    campaign = (await sandbox.get("/campaign"))["campaigns"][0]
    assert campaign["name"] == "Late"
    assert "2027-01-04T12:00:00.000Z" <= campaign["createdAt"] < "2027-01-04T12:00:05.000Z"
    sandbox.clock.advance(seconds=60)
    assert await names(sandbox) == ["Late"]


async def test_late_work_survives_a_restart_and_happens_at_its_virtual_time(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    fault = Fault(kind="late_work", route="POST /campaign/{id}/start", delay=5)
    first = Sandbox.open(tmp_path / "sandbox.db", clock=clock, options=faulty(fault))
    campaign = await first.create(maxRetries=0)
    with pytest.raises(httpx2.TransportError):
        await first.start(campaign)
    await first.close()
    clock.advance(days=1)
    second = Sandbox.open(tmp_path / "sandbox.db", clock=clock)
    details = await second.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["events"][-1]["createdAt"] < "2027-01-04T12:00:05.000Z"
    await second.close()


async def test_late_work_that_is_refused_then_changes_nothing(open_sandbox: OpenSandbox) -> None:
    fault = Fault(kind="late_work", route="POST /campaign/{id}/*")
    sandbox = open_sandbox(options=faulty(fault))
    campaign = await sandbox.create()
    with pytest.raises(httpx2.TransportError):
        await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=5)
    assert await sandbox.status(campaign) == "draft"
    stranger = sandbox.as_key("pk_refused_anyway")
    with pytest.raises(httpx2.TransportError):
        await stranger.start(campaign)
    sandbox.clock.advance(seconds=5)
    assert await sandbox.status(campaign) == "draft"
    await stranger.http.aclose()


async def test_faults_hit_their_route_their_share_and_their_number_of_times() -> None:
    def hits(fault: Fault, route: str = CREATE, count: int = 1000, seed: int = 1) -> list[bool]:
        plan = FaultPlan([fault], seed=seed)
        return [plan.next(route) is not None for _ in range(count)]

    third = Fault(kind="reset", route=CREATE, rate=0.3)
    assert 250 < sum(hits(third)) < 350
    assert hits(third) == hits(third)
    assert hits(third) != hits(third, seed=2)
    assert not any(hits(third, "GET /campaign"))
    assert all(hits(Fault(kind="reset", route="* /campaign*")))
    assert hits(Fault(kind="reset", times=2), count=4) == [True, True, False, False]
    assert not any(hits(Fault(kind="reset", rate=0)))


async def test_the_first_rule_that_hits_wins() -> None:
    plan = FaultPlan([Fault(kind="reset", times=1), Fault(kind="slow")], seed=1)
    kinds = [hit.fault.kind for hit in (plan.next(CREATE), plan.next(CREATE)) if hit]
    assert kinds == ["reset", "slow"]


@pytest.mark.parametrize("wrong", [{"rate": 1.1}, {"rate": -0.1}, {"delay": float("inf")}])
def test_an_impossible_fault_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Fault(kind="reset", **wrong)


async def test_faults_can_be_put_in_and_ended_while_it_runs(sandbox: Sandbox) -> None:
    sandbox.world.inject(Fault(kind="reset"))
    with pytest.raises(httpx2.TransportError):
        await sandbox.get("/user")
    sandbox.world.inject()
    assert await sandbox.get("/user")


async def test_requests_beyond_the_rate_are_refused_for_each_key(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, rate_limit=2))
    codes = [(await sandbox.send("GET", "/campaign")).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    async with client(sandbox.world, sandbox.clock, key="sk_other") as http:
        assert (await http.get("/campaign")).status_code == 200
    refused = await sandbox.send("GET", "/campaign")
    sandbox.clock.advance(seconds=int(refused.headers["retry-after"]))
    assert (await sandbox.send("GET", "/campaign")).status_code == 200


@asynccontextmanager
async def over_a_socket(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    """The sandbox behind uvicorn on a free port of the loopback interface."""
    config = uvicorn.Config(create_app(world), lifespan="off", ws="none", log_level="critical")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/atoms/v1"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            while not server.started:
                await anyio.lowlevel.checkpoint()
            headers = {"Authorization": "Bearer sk_test"}
            async with httpx2.AsyncClient(base_url=url, headers=headers) as http:
                yield http
            server.should_exit = True


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "created"), [("reset", 1), ("lost_answer", 2)])
async def test_a_socket_is_broken_without_an_answer(
    sandbox: Sandbox, kind: FaultKind, created: int
) -> None:
    async with over_a_socket(sandbox.world) as http:
        sandbox.world.inject(Fault(kind=kind, route=CREATE))
        with pytest.raises(httpx2.TransportError):
            await http.post("/campaign", json=draft())
        sandbox.world.inject()
        campaigns = (await http.get("/campaign")).json()["data"]["campaigns"]
        assert len(campaigns) == created
