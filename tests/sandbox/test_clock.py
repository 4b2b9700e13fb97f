"""Virtual time: its speed, its return to the wall clock, and what two processes see."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import ALWAYS_CONNECTED, NEVER_ANSWERED, Sandbox, actions
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


async def test_an_idle_world_keeps_the_time_of_the_wall_clock(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=60))
    sandbox.clock.advance(hours=1)
    assert sandbox.world.now() == sandbox.clock.now()


async def test_time_runs_faster_while_a_campaign_runs(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=60, odds=NEVER_ANSWERED))
    await sandbox.started(maxRetries=1, retryDelay=15)
    sandbox.clock.advance(seconds=10)
    assert sandbox.world.now() == NOON + timedelta(minutes=10)


async def test_time_runs_faster_while_a_campaign_is_scheduled(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=60))
    campaign = await sandbox.create(scheduledAt="2027-01-04T13:00:00Z")
    sandbox.clock.advance(seconds=59)
    assert await sandbox.status(campaign) == "scheduled"
    sandbox.clock.advance(seconds=2)
    assert await sandbox.status(campaign) == "running"


async def test_time_returns_to_the_wall_clock_when_nothing_runs(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=60, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=30)
    assert await sandbox.status(campaign) == "completed"
    assert sandbox.world.now() == sandbox.clock.now()
    newer = await sandbox.create(name="Newer")
    assert (await sandbox.campaign(newer))["createdAt"] == "2027-01-04T12:00:30.000Z"
    newest = (await sandbox.get("/campaign"))["campaigns"][0]
    assert newest["name"] == "Newer"


async def test_a_paused_campaign_lets_time_return_and_its_retries_keep_their_delay(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=3600, odds=NEVER_ANSWERED))
    audience = await sandbox.audience_of(300)
    campaign = await sandbox.started(audienceId=audience, maxRetries=1, retryDelay=5)
    sandbox.clock.advance(seconds=0.1)
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=1)
    assert await sandbox.status(campaign) == "paused"
    assert sandbox.world.now() == sandbox.clock.now()
    resumed = sandbox.world.now()
    await sandbox.start(campaign)
    sandbox.clock.advance(seconds=10)
    details = await sandbox.details(campaign)
    assert actions(details)[-1] == "completed"
    finished = datetime.fromisoformat(details["events"][0]["createdAt"])
    assert finished - resumed < timedelta(hours=1)


async def test_a_clock_nobody_looked_at_for_long_is_not_left_ahead(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=60, odds=ALWAYS_CONNECTED))
    await sandbox.started()
    sandbox.clock.advance(hours=8)
    assert sandbox.world.now() == sandbox.clock.now()


async def test_reading_the_clock_changes_nothing_while_somebody_looks(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=3)
    assert sandbox.world.now() == NOON + timedelta(seconds=3)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "running"


async def test_at_the_highest_speed_every_request_moves_the_world(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed="max", odds=NEVER_ANSWERED))
    campaign = await sandbox.started(maxRetries=3, retryDelay=1440)
    seen = [await sandbox.status(campaign) for _ in range(3)]
    assert seen[0] == "running"
    assert seen[-1] == "completed"
    assert sandbox.clock.now() == NOON
    assert sandbox.world.now() == NOON


async def test_a_schedule_at_the_end_of_time_breaks_nothing(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed="max", odds=NEVER_ANSWERED))
    campaign = await sandbox.create(scheduledAt="9999-12-31T23:59:59.999Z", maxRetries=1)
    while await sandbox.status(campaign) != "completed":
        pass
    assert sandbox.world.now() == sandbox.clock.now()


async def test_a_step_at_the_highest_speed_is_bounded_by_work(tmp_path: Path) -> None:
    clock = FakeClock()
    ticks = iter(range(1_000_000))
    world = World.open(
        tmp_path / "sandbox.db",
        now=clock.now,
        options=Options(speed="max"),
        monotonic=lambda: next(ticks) / 1000,  # every look at the watch takes a millisecond
    )
    sandbox = Sandbox.open(tmp_path / "sandbox.db", clock=clock, options=Options(speed="max"))
    campaign = await sandbox.started(audienceId=await sandbox.audience_of(200), maxRetries=0)
    steps = 0
    while world.now() != clock.now() or not steps:
        assert world.advance()
        steps += 1
    assert steps > 20
    assert await sandbox.status(campaign) == "completed"
    await sandbox.close()
    world.close()


@pytest.mark.slow
@pytest.mark.parametrize("slice_seconds", [2.9, 61.0, 100_000.0])
async def test_how_time_is_sliced_makes_no_difference(
    open_sandbox: OpenSandbox, slice_seconds: float
) -> None:
    async def log_of(step: float) -> list[tuple[object, ...]]:
        sandbox = open_sandbox(options=Options(speed=1, org_limit=2))
        audience = (await sandbox.upload(PEOPLE))["_id"]
        campaigns = [
            await sandbox.started(audienceId=audience, maxRetries=2, retryDelay=1) for _ in range(2)
        ]
        elapsed = 0.0
        while elapsed < 3000:
            sandbox.clock.advance(seconds=step)
            elapsed += step
            await sandbox.get("/user")
        calls = [call for campaign in campaigns for call in await sandbox.calls(campaign)]
        return [(c["callId"], c["status"], c["createdAt"], c["updatedAt"]) for c in calls]

    assert await log_of(slice_seconds) == await log_of(3000)


PEOPLE = "phoneNumber\n" + "".join(f"+1202555{index:04}\n" for index in range(1000, 1012))


async def test_two_processes_on_one_file_see_the_same_world(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    clock = FakeClock()
    db = tmp_path / "sandbox.db"
    one, two = (
        open_sandbox(db, clock=clock, options=Options(speed=60, odds=NEVER_ANSWERED))
        for _ in range(2)
    )
    campaign = await one.started(maxRetries=2, retryDelay=1)
    for turn in range(40):
        clock.advance(seconds=0.25)
        first, second = (one, two) if turn % 2 else (two, one)
        assert await first.details(campaign) == await second.details(campaign)
        assert one.world.now() == two.world.now()
    assert await two.status(campaign) == "completed"


@pytest.mark.slow
async def test_closing_and_opening_again_loses_nothing(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    clock = FakeClock()
    options = Options(speed=1, org_limit=2)
    whole = open_sandbox(options=options)
    campaign = await whole.started(maxRetries=2, retryDelay=1)
    for _ in range(20):
        sandbox = Sandbox.open(tmp_path / "sandbox.db", clock=clock, options=options)
        if clock.now() == NOON:
            assert await sandbox.started(maxRetries=2, retryDelay=1) == campaign
        clock.advance(seconds=20)
        whole.clock.advance(seconds=20)
        assert await sandbox.details(campaign) == await whole.details(campaign)
        assert await sandbox.calls(campaign) == await whole.calls(campaign)
        await sandbox.close()


async def test_an_overdue_schedule_fires_after_a_restart(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    clock = FakeClock()
    first = Sandbox.open(tmp_path / "sandbox.db", clock=clock)
    campaign = await first.create(scheduledAt="2027-01-04T13:00:00Z", maxRetries=0)
    await first.close()
    clock.advance(days=30)
    second = open_sandbox(tmp_path / "sandbox.db", clock=clock)
    details = await second.details(campaign)
    assert actions(details) == ["started", "completed"]
    assert details["events"][-1]["createdAt"] == "2027-01-04T13:00:00.000Z"


async def test_a_change_of_speed_goes_on_from_the_same_time(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    clock = FakeClock()
    slow = open_sandbox(tmp_path / "a.db", clock=clock, options=Options(speed=10))
    await slow.create(scheduledAt="2027-01-08T12:00:00Z")
    clock.advance(seconds=10)
    assert slow.world.now() == NOON + timedelta(seconds=100)
    fast = open_sandbox(tmp_path / "a.db", clock=clock, options=Options(speed=1000))
    clock.advance(seconds=1)
    assert slow.world.now() == fast.world.now() == NOON + timedelta(seconds=1100)
