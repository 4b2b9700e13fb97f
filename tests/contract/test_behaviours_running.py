"""The state machine: start, pause, resume, schedule, completion, executions, events."""

from pathlib import Path

import pytest

from tests.contract.driver import Driver, behaviour, driving, only
from tests.contract.samples import AGENT, AUDIENCE
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio


@behaviour("campaign.start.answers-202-before-it-happens")
async def test_a_start_is_answered_before_it_happens(api: Driver) -> None:
    campaign = await api.draft()
    data = await api.start(campaign)
    assert data.keys() == {"message", "taskId", "campaignId"}
    assert data["campaignId"] == campaign
    assert await api.status(campaign) == "processing"
    assert await api.calls(campaign) == []


@behaviour("campaign.start.processing-lasts-about-a-second")
async def test_processing_lasts_about_a_second_and_can_be_seen(api: Driver) -> None:
    campaign = await api.draft()
    await api.start(campaign)
    api.later(seconds=0.9)
    assert await api.status(campaign) == "processing"
    api.later(seconds=0.3)
    assert await api.status(campaign) == "running"


@behaviour("campaign.start.another-task-each-time")
async def test_every_start_has_a_task_of_its_own(api: Driver) -> None:
    tasks = [(await api.start(await api.draft()))["taskId"] for _ in range(3)]
    assert len(set(tasks)) == 3


@behaviour("campaign.start.from-draft-and-paused-only")
@pytest.mark.parametrize("state", ["scheduled", "processing", "running", "completed", "failed"])
async def test_only_a_draft_or_paused_campaign_can_be_started(api: Driver, state: str) -> None:
    campaign = await api.in_state(state)
    errors = await api.refused("POST", f"/campaign/{campaign}/start")
    assert errors == [f"Campaign cannot be started from status {state}"]
    assert await api.status(campaign) == state


@behaviour("campaign.start.from-draft-and-paused-only")
@pytest.mark.parametrize("state", ["processing", "running"])
async def test_a_switch_makes_a_second_start_harmless(state: str) -> None:
    async with driving(idempotent_start=True) as api:
        campaign = await api.in_state(state)
        await api.start(campaign)
        assert await api.status(campaign) == state
        api.later(seconds=2)
        assert await api.actions(campaign) == ["started"]
        done = await api.in_state("completed")
        assert await api.refused("POST", f"/campaign/{done}/start")


@behaviour("campaign.start.without-caller-id-fails-soon-after")
@pytest.mark.parametrize(
    ("own", "chosen"),
    [(False, "nothing"), (False, "none"), (False, "inactive"), (True, "inactive")],
)
async def test_without_an_active_caller_id_the_start_is_accepted_and_the_campaign_fails(
    api: Driver, chosen: str, *, own: bool
) -> None:
    numbers = await api.get("/product/phone-numbers")
    sleeping = [number["_id"] for number in numbers if not number["isActive"]]
    assert len(sleeping) == 1
    body = {
        "name": "Spring",
        "agentId": AGENT if own else await api.agent(),
        "audienceId": AUDIENCE,
        **{"nothing": {}, "none": {"phoneNumberIds": []}, "inactive": {"phoneNumberIds": sleeping}}[
            chosen
        ],
    }
    campaign = (await api.careless.post("/campaign", json=body)).json()["data"]["_id"]
    await api.start(campaign)
    assert await api.status(campaign) == "processing"
    api.later(seconds=2)
    document = await api.campaign(campaign)
    assert document["status"] == "failed"
    assert document["error"] == "No phone numbers available"
    assert document["failedAt"] == "2027-01-04T12:00:01.000Z"
    assert [one["status"] for one in document["executions"]] == ["failed"]
    assert await api.actions(campaign) == ["started", "failed"]
    assert await api.calls(campaign) == []


@behaviour("campaign.start.credits-only-when-enforced")
async def test_credits_stop_a_campaign_only_when_they_are_enforced() -> None:
    async with driving(credits=0.0) as api:
        assert await api.status(await api.started()) == "running"
    async with driving(credits=0.0, enforce_credits=True) as api:
        campaign = await api.started(seconds=2)
        document = await api.campaign(campaign)
        assert (document["status"], document["error"]) == ("failed", "Insufficient credits")
        assert await api.actions(campaign) == ["started", "failed"]
        assert await api.calls(campaign) == []


@behaviour("campaign.stop.is-no-route")
async def test_stop_is_unknown_and_changes_nothing_unless_a_switch_makes_it_a_pause(
    api: Driver,
) -> None:
    campaign = await api.started()
    response = await api.unjudged.post(f"/campaign/{campaign}/stop")
    assert response.status_code == 404
    assert f"Cannot POST /atoms/v1/campaign/{campaign}/stop" in response.text
    assert await api.status(campaign) == "running"
    async with driving(stop_route=True) as switched:
        campaign = await switched.started()
        response = await switched.http.post(f"/campaign/{campaign}/stop")
        assert (response.status_code, response.json()) == (200, {"status": True})
        switched.later(seconds=2)
        assert await switched.status(campaign) == "paused"


@behaviour("campaign.pause.answers-before-it-happens")
async def test_a_pause_is_answered_bare_and_happens_about_a_second_later(api: Driver) -> None:
    campaign = await api.started(seconds=3)
    response = await api.http.post(f"/campaign/{campaign}/pause")
    assert (response.status_code, response.json()) == (200, {"status": True})
    assert await api.status(campaign) == "running"
    api.later(seconds=1.2)
    document = await api.campaign(campaign)
    assert document["status"] == "paused"
    assert document["pausedAt"] == "2027-01-04T12:00:04.000Z"
    assert document["cancelledCallsCount"] == 0


@behaviour("campaign.pause.from-running-and-processing-only")
@pytest.mark.parametrize("state", ["draft", "scheduled", "paused", "completed", "failed"])
async def test_only_a_campaign_at_work_can_be_paused(api: Driver, state: str) -> None:
    campaign = await api.in_state(state)
    errors = await api.refused("POST", f"/campaign/{campaign}/pause")
    assert errors == ["Campaign is not running"]
    assert await api.status(campaign) == state


@behaviour("campaign.pause.from-running-and-processing-only")
async def test_a_processing_campaign_can_be_paused(api: Driver) -> None:
    campaign = await api.draft()
    await api.start(campaign)
    document = await api.paused(campaign)
    assert document["pausedAt"] == "2027-01-04T12:00:01.000Z"
    assert await api.actions(campaign) == ["started", "paused"]


@behaviour("campaign.pause.from-running-and-processing-only")
async def test_a_second_pause_is_fine_while_the_first_is_pending(api: Driver) -> None:
    campaign = await api.started(seconds=3)
    await api.post(f"/campaign/{campaign}/pause")
    api.later(seconds=0.5)
    await api.post(f"/campaign/{campaign}/pause")
    api.later(seconds=0.6)
    assert await api.status(campaign) == "paused"
    assert await api.actions(campaign) == ["started", "paused"]


@behaviour("campaign.pause.cancels-queued-and-leaves-live-calls")
async def test_a_pause_cancels_what_is_queued_and_lets_live_calls_end() -> None:
    async with driving(org_limit=1, odds=only("connected")) as api:
        campaign = await api.started(seconds=3)
        document = await api.paused(campaign)
        assert document["cancelledCallsCount"] == 1
        assert document["executions"][0]["processedMembers"] == 1
        calls = await api.calls(campaign)
        assert sorted(call["status"] for call in calls) == ["cancelled", "processing"]
        api.later(minutes=5)
        calls = await api.calls(campaign)
        assert sorted(call["status"] for call in calls) == ["cancelled", "completed"]
        assert await api.status(campaign) == "paused"


@behaviour("campaign.resume.goes-on-where-it-was")
async def test_a_resumed_campaign_calls_only_who_was_not_reached() -> None:
    async with driving(org_limit=1, odds=only("connected")) as api:
        campaign = await api.started(seconds=3)
        await api.paused(campaign)
        api.later(minutes=5)
        await api.start(campaign)
        api.later(minutes=5)
        assert await api.status(campaign) == "completed"
        reached = [call["to"] for call in await api.calls(campaign, statusFilter="completed")]
        assert len(reached) == len(set(reached)) == 2
        assert await api.metrics(campaign) == (2, 2, 2)


@behaviour("campaign.execution.one-per-start-or-resume")
async def test_each_start_or_resume_opens_one_execution_over_who_is_left() -> None:
    async with driving(org_limit=1, odds=only("connected")) as api:
        campaign = await api.started(seconds=3)
        await api.paused(campaign)
        await api.start(campaign)
        api.later(minutes=10)
        executions = (await api.campaign(campaign))["executions"]
        told = [(one["executionNumber"], one["executionType"]) for one in executions]
        assert told == [(1, "initial"), (2, "resume")]
        assert [one["totalMembers"] for one in executions] == [2, 1]
        assert all(one["processedMembers"] <= one["totalMembers"] for one in executions)
        assert executions[1]["processedMembers"] == 1


@behaviour("campaign.execution.one-per-start-or-resume")
async def test_the_current_execution_is_shown_only_while_the_campaign_works(api: Driver) -> None:
    campaign = await api.started()
    current = (await api.campaign(campaign))["currentExecution"]
    assert (current["executionNumber"], current["totalMembers"]) == (1, 2)
    assert current["executionType"] == "initial"
    assert "currentExecution" not in await api.paused(campaign)
    await api.start(campaign)
    api.later(seconds=1.2)
    assert (await api.campaign(campaign))["currentExecution"]["executionNumber"] == 2


@behaviour("campaign.execution.covers-dispatch-not-calls")
async def test_an_execution_is_over_when_all_are_dispatched_though_calls_go_on(
    api: Driver,
) -> None:
    campaign = await api.started(seconds=3)
    document = await api.campaign(campaign)
    assert document["status"] == "running"
    (execution,) = document["executions"]
    assert execution["status"] == "completed"
    assert execution["totalMembers"] == execution["processedMembers"] == 2
    assert execution["startedAt"] < execution["completedAt"]


@behaviour("campaign.execution.covers-dispatch-not-calls")
async def test_retries_open_no_execution() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=2, retryDelay=1)
        api.later(minutes=10)
        assert len(await api.calls(campaign)) == 6
        assert len((await api.campaign(campaign))["executions"]) == 1


@behaviour("campaign.events.newest-first-by-the-system")
async def test_events_tell_the_life_of_a_campaign_newest_first(api: Driver) -> None:
    campaign = await api.started(seconds=3, maxRetries=0)
    await api.paused(campaign)
    await api.start(campaign)
    api.later(minutes=5)
    events = (await api.get(f"/campaign/{campaign}"))["events"]
    actions = ["completed", "resumed", "paused", "started"]
    assert [event["eventAction"] for event in events] == actions
    assert {event["triggerSource"] for event in events} == {"system"}
    times = [event["createdAt"] for event in events]
    assert times == sorted(times, reverse=True)


@behaviour("campaign.complete.when-every-contact-is-settled")
async def test_a_campaign_runs_until_the_last_retry_is_over() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=1, retryDelay=10)
        api.later(minutes=5)
        assert await api.status(campaign) == "running"
        api.later(minutes=10)
        assert await api.status(campaign) == "completed"
        assert (await api.actions(campaign))[-1] == "completed"


@behaviour("campaign.complete.when-every-contact-is-settled")
async def test_a_switch_completes_a_campaign_when_all_are_dispatched_as_recorded() -> None:
    async with driving(completion="dispatched", odds=only("no_answer")) as api:
        campaign = await api.started(seconds=4, maxRetries=1, retryDelay=1)
        assert await api.status(campaign) == "completed"
        assert [call["status"] for call in await api.calls(campaign)] == ["processing"] * 2
        api.later(minutes=5)
        assert [call["status"] for call in await api.calls(campaign)] == ["no_answer"] * 4
        assert (await api.campaign(campaign))["retryAttempts"] == 2
        assert await api.actions(campaign) == ["started", "completed"]


@behaviour("campaign.schedule.starts-by-itself")
async def test_a_scheduled_campaign_starts_by_itself_at_its_time(api: Driver) -> None:
    campaign = await api.draft(scheduledAt="2027-01-04T13:00:00.000Z")
    api.later(minutes=59, seconds=59)
    assert await api.status(campaign) == "scheduled"
    api.later(seconds=1.5)
    assert await api.status(campaign) == "processing"
    api.later(seconds=3)
    assert await api.status(campaign) == "running"
    assert await api.actions(campaign) == ["started"]
    assert len(await api.calls(campaign)) == 2


@behaviour("campaign.schedule.overdue-fires-after-a-restart")
async def test_a_schedule_that_passed_while_the_sandbox_was_off_fires_at_once(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with driving(db=tmp_path / "db", clock=clock) as api:
        campaign = await api.draft(scheduledAt="2027-01-04T13:00:00.000Z", maxRetries=0)
    clock.advance(hours=5)
    async with driving(db=tmp_path / "db", clock=clock) as api:
        assert await api.status(campaign) in ("processing", "running", "completed")
        api.later(minutes=5)
        assert await api.status(campaign) == "completed"
        assert len(await api.calls(campaign)) == 2


@behaviour("campaign.delete.gone-at-once-with-what-waits")
async def test_retries_that_wait_are_dropped_with_their_campaign() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=3, retryDelay=10)
        api.later(minutes=2)
        await api.paused(campaign)
        await api.ok("DELETE", f"/campaign/{campaign}")
        api.later(hours=2)
        assert len(await api.calls(campaign)) == 2
