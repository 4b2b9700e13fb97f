"""What pausing and resuming do to calls, retries and executions."""

from collections import Counter

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import (
    ALWAYS_CONNECTED,
    NEVER_ANSWERED,
    Sandbox,
    actions,
)

pytestmark = pytest.mark.anyio

FAR = {"days": 3}


async def test_resuming_goes_on_from_where_it_stopped(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=3, odds=ALWAYS_CONNECTED))
    audience = await sandbox.audience_of(10)
    campaign = await sandbox.started(audienceId=audience)
    sandbox.clock.advance(seconds=2)
    await sandbox.pause(campaign)
    sandbox.clock.advance(hours=1)
    await sandbox.start(campaign)
    sandbox.clock.advance(hours=1)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert actions(details) == ["started", "paused", "resumed", "completed"]
    kinds = [
        (execution["executionType"], execution["totalMembers"], execution["processedMembers"])
        for execution in details["campaign"]["executions"]
    ]
    assert kinds == [("initial", 10, 3), ("resume", 7, 7)]
    done = [call["to"] for call in await sandbox.calls(campaign) if call["status"] == "completed"]
    assert len(set(done)) == len(done) == 10


async def test_due_retries_wait_for_the_resume_and_then_go_at_once(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=NEVER_ANSWERED))
    campaign = await sandbox.started(maxRetries=1, retryDelay=10)
    sandbox.clock.advance(minutes=2)
    await sandbox.pause(campaign)
    sandbox.clock.advance(hours=5)
    assert len(await sandbox.calls(campaign)) == 2
    await sandbox.start(campaign)
    sandbox.clock.advance(seconds=2)
    assert len(await sandbox.calls(campaign)) == 4
    sandbox.clock.advance(minutes=2)
    assert await sandbox.status(campaign) == "completed"


async def test_a_retry_taken_from_the_queue_comes_again_as_the_same_attempt(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, org_limit=1, odds=NEVER_ANSWERED))
    audience = await sandbox.audience_of(5)
    campaign = await sandbox.started(audienceId=audience, maxRetries=1, retryDelay=1)
    sandbox.clock.advance(seconds=140)
    queued = await sandbox.calls(campaign, statusFilter="in_queue")
    retries = sum(call["retryAttemptNumber"] for call in queued)
    assert 0 < retries < 5
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=1)
    assert (await sandbox.campaign(campaign))["cancelledCallsCount"] == len(queued)
    await sandbox.start(campaign)
    sandbox.clock.advance(**FAR)
    assert await sandbox.status(campaign) == "completed"
    counted = Counter(
        (call["retryAttemptNumber"], call["status"]) for call in await sandbox.calls(campaign)
    )
    assert (counted[0, "no_answer"], counted[1, "no_answer"]) == (5, 5)
    assert counted[1, "cancelled"] == retries


async def test_a_pause_while_processing_takes_effect(sandbox: Sandbox) -> None:
    campaign = await sandbox.started()
    await sandbox.pause(campaign)
    sandbox.clock.advance(seconds=1)
    assert await sandbox.status(campaign) == "paused"
    assert await sandbox.calls(campaign) == []
    await sandbox.start(campaign)
    sandbox.clock.advance(**FAR)
    assert await sandbox.status(campaign) == "completed"


async def test_a_campaign_paused_after_its_last_call_completes_when_resumed(
    open_sandbox: OpenSandbox,
) -> None:
    sandbox = open_sandbox(options=Options(speed=1, odds=ALWAYS_CONNECTED))
    campaign = await sandbox.started()
    sandbox.clock.advance(seconds=2)
    await sandbox.pause(campaign)
    sandbox.clock.advance(hours=1)
    assert await sandbox.status(campaign) == "paused"
    await sandbox.start(campaign)
    sandbox.clock.advance(seconds=2)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["metrics"]["contacts_connected"] == 2
