"""What a running campaign does: dials, retries, slots, the do-not-call list, metrics."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.driver import Driver, behaviour, driving, only
from tests.contract.samples import AGENT, PHONE

pytestmark = pytest.mark.anyio


async def listed_number(api: Driver, *, agent: str | None) -> str:
    """A number of the seeded do-not-call list, of everybody or of one agent."""
    entries = (await api.get("/dnc"))["entries"]
    return next(e["phoneNumber"] for e in entries if e.get("agentId") == agent)


def at(call: Any, field: str = "createdAt") -> datetime:
    return datetime.fromisoformat(call[field])


@behaviour("retry.who.unanswered-and-failed")
@pytest.mark.parametrize("outcome", ["no_answer", "voicemail", "busy", "failed"])
async def test_unanswered_and_failed_calls_are_tried_again(outcome: str) -> None:
    async with driving(odds=only(outcome)) as api:
        campaign = await api.started(maxRetries=1, retryDelay=5)
        api.later(minutes=10)
        status = "failed" if outcome == "failed" else "no_answer"
        assert [call["status"] for call in await api.calls(campaign)] == [status] * 4


@behaviour("retry.who.unanswered-and-failed")
async def test_answered_calls_are_not_tried_again() -> None:
    async with driving(odds=only("connected")) as api:
        campaign = await api.started(maxRetries=3, retryDelay=1)
        api.later(minutes=30)
        assert [call["status"] for call in await api.calls(campaign)] == ["completed"] * 2


@behaviour("retry.who.reasons-tell-machine-and-busy-apart")
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("no_answer", "dial_no_answer"), ("voicemail", "voicemail"), ("busy", "dial_busy")],
)
async def test_the_reason_tells_a_machine_and_a_busy_line_from_no_answer(
    outcome: str, reason: str
) -> None:
    async with driving(odds=only(outcome)) as api:
        campaign = await api.started(maxRetries=0)
        api.later(minutes=5)
        calls = await api.calls(campaign)
        assert {call["disconnectionReason"] for call in calls} == {reason}
        assert await api.metrics(campaign) == (2, 2, 0)


@behaviour("retry.count.at-most-max-retries-more")
@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_a_contact_is_dialled_once_and_at_most_so_often_again(retries: int) -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=retries, retryDelay=1)
        api.later(hours=1)
        assert await api.status(campaign) == "completed"
        assert len(await api.calls(campaign)) == 2 * (retries + 1)
        assert (await api.campaign(campaign))["retryAttempts"] == 2 * retries


@behaviour("retry.delay.counts-from-the-end-of-the-attempt")
async def test_the_delay_counts_from_the_end_of_the_attempt() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=1, retryDelay=7)
        api.later(minutes=5)
        ends = {call["to"]: at(call, "updatedAt") for call in await api.calls(campaign)}
        api.later(minutes=10)
        retries = await api.calls(campaign, callAttemptFilter="retry")
        gaps = {at(call) - ends[call["to"]] for call in retries}
        assert gaps == {timedelta(minutes=7)}


@behaviour("retry.count.rises-when-dialled")
async def test_a_retry_counts_when_it_is_dialled_not_when_it_is_due() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=1, retryDelay=5)
        api.later(minutes=3)
        before = await api.campaign(campaign)
        assert before["retryAttempts"] == 0
        api.later(minutes=4)
        after = await api.campaign(campaign)
        assert after["retryAttempts"] == 2
        assert after["updatedAt"] > before["updatedAt"]


@behaviour("retry.pause.waits-for-the-resume")
async def test_retries_that_fall_due_in_a_pause_wait_for_the_resume() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=1, retryDelay=5)
        api.later(minutes=2)
        await api.paused(campaign)
        api.later(hours=1)
        assert len(await api.calls(campaign)) == 2
        await api.start(campaign)
        api.later(seconds=5)
        assert len(await api.calls(campaign)) == 4
        api.later(minutes=2)
        assert await api.status(campaign) == "completed"


@behaviour("slots.own-calls.wait-in-the-queue")
async def test_calls_beyond_the_limit_wait_in_the_queue() -> None:
    async with driving(org_limit=1, odds=only("connected")) as api:
        campaign = await api.started(seconds=2)
        statuses = sorted(call["status"] for call in await api.calls(campaign))
        assert statuses == ["in_queue", "processing"]
        api.later(minutes=5)
        assert {call["status"] for call in await api.calls(campaign)} == {"completed"}


@behaviour("slots.own-calls.wait-in-the-queue")
async def test_campaigns_of_one_organization_share_its_slots() -> None:
    async with driving(org_limit=3, odds=only("connected")) as api:
        campaigns = [await api.started(seconds=0) for _ in range(2)]
        api.later(seconds=3)
        calls = [call for campaign in campaigns for call in await api.calls(campaign)]
        assert [call["status"] for call in calls].count("in_queue") == 1


@behaviour("slots.own-calls.wait-in-the-queue")
async def test_retries_wait_for_slots_too() -> None:
    async with driving(org_limit=1, odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=1, retryDelay=1)
        api.later(seconds=85)
        await api.paused(campaign)
        api.later(minutes=5)  # both retries are due when it goes on
        await api.start(campaign)
        api.later(seconds=3)
        retries = await api.calls(campaign, callAttemptFilter="retry")
        assert sorted(call["status"] for call in retries) == ["in_queue", "processing"]
        api.later(minutes=3)
        retries = await api.calls(campaign, callAttemptFilter="retry")
        assert [call["status"] for call in retries] == ["no_answer", "no_answer"]
        assert await api.status(campaign) == "completed"


@behaviour("slots.foreign-load.fails-calls")
async def test_calls_fail_when_other_traffic_holds_every_slot() -> None:
    async with driving(org_limit=20, foreign_calls=20) as api:
        campaign = await api.started(seconds=5, maxRetries=1, retryDelay=1)
        assert [call["status"] for call in await api.calls(campaign)] == ["failed"] * 2
        api.later(minutes=2)
        calls = await api.calls(campaign)
        assert [call["status"] for call in calls] == ["failed"] * 4
        reasons = {call["callFailureReason"] for call in calls}
        assert reasons == {"No concurrency slots available"}
        assert await api.status(campaign) == "completed"
        assert await api.metrics(campaign) == (2, 2, 0)


@behaviour("dnc.campaign.blocked-and-settled")
async def test_a_number_on_the_list_is_blocked_settled_and_not_counted() -> None:
    async with driving(odds=only("no_answer")) as api:
        number = await listed_number(api, agent=None)
        audience = await api.audience(f"phoneNumber\n{number}\n+12025550199\n")
        campaign = await api.started(audienceId=audience, maxRetries=1, retryDelay=1)
        api.later(minutes=10)
        calls = {
            call["to"]: call for call in await api.calls(campaign, callAttemptFilter="initial")
        }
        assert calls[number]["status"] == "blocked"
        assert calls[number]["callFailureReason"] == "Number is on the DNC list"
        assert calls[number]["duration"] == 0
        assert len(await api.calls(campaign)) == 3
        assert await api.metrics(campaign) == (2, 1, 0)
        assert await api.status(campaign) == "completed"


@behaviour("dnc.campaign.blocked-and-settled")
@pytest.mark.parametrize("mine", [True, False])
async def test_an_entry_of_one_agent_blocks_only_its_calls(api: Driver, *, mine: bool) -> None:
    agents = (await api.get("/agent"))["agents"]
    (other,) = [agent["_id"] for agent in agents if agent["_id"] != AGENT]
    number = await listed_number(api, agent=other)
    audience = await api.audience(f"phoneNumber\n{number.removeprefix('+')}\n")
    campaign = await api.started(
        seconds=3, audienceId=audience, agentId=other if mine else AGENT, maxRetries=0
    )
    (call,) = await api.calls(campaign)
    assert (call["status"] == "blocked") is mine


@behaviour("numbers.rotation.round-robin-per-contact")
async def test_several_caller_ids_take_turns_and_a_contact_keeps_one() -> None:
    async with driving(odds=only("no_answer")) as api:
        numbers = [n for n in await api.get("/product/phone-numbers") if n["isActive"]]
        rows = "\n".join(f"+120255501{line}" for line in range(10, 16))
        campaign = await api.started(
            audienceId=await api.audience(f"phoneNumber\n{rows}\n"),
            phoneNumberIds=[number["_id"] for number in numbers],
            maxRetries=1,
            retryDelay=1,
        )
        api.later(minutes=10)
        calls = await api.calls(campaign)
        first = [call["from"] for call in calls if call["retryAttemptNumber"] == 0]
        assert {first.count(number) for number in set(first)} == {3}
        pairs = {(call["to"], call["from"]) for call in calls}
        assert (len(calls), len(pairs)) == (12, 6)


@behaviour("numbers.rotation.round-robin-per-contact")
async def test_a_caller_id_that_is_not_active_is_left_out(api: Driver) -> None:
    numbers = await api.get("/product/phone-numbers")
    (sleeping,) = [number["_id"] for number in numbers if not number["isActive"]]
    campaign = await api.started(seconds=3, phoneNumberIds=[sleeping, PHONE])
    assert {call["from"] for call in await api.calls(campaign)} == {"+912268093560"}


@behaviour("metrics.counts.contacts-not-dials")
async def test_metrics_count_contacts_not_dials() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=3, retryDelay=1)
        api.later(minutes=30)
        assert len(await api.calls(campaign)) == 8
        assert await api.metrics(campaign) == (2, 2, 0)


@pytest.mark.slow
@behaviour("metrics.counts.contacts-not-dials")
async def test_a_call_counts_once_it_is_answered_or_over_and_connects_when_completed() -> None:
    async with driving(odds=only("connected")) as api:
        campaign = await api.started(seconds=2)
        assert await api.metrics(campaign) == (2, 0, 0)
        seen = [await api.metrics(campaign)]
        for _ in range(130):
            api.later(seconds=1)
            seen.append(await api.metrics(campaign))
            calls = await api.calls(campaign)
            statuses = [call["status"] for call in calls]
            called = statuses.count("active") + statuses.count("completed")
            assert seen[-1] == (2, called, statuses.count("completed"))
        assert (2, 2, 0) in seen
        assert seen[-1] == (2, 2, 2)


@behaviour("members.snapshot.frozen-at-first-start")
async def test_members_added_in_a_pause_are_not_called(api: Driver) -> None:
    audience = await api.audience("phoneNumber\n+12025550110\n")
    campaign = await api.started(audienceId=audience, maxRetries=0)
    await api.paused(campaign)
    body = {"members": [{"phoneNumber": "+12025550111"}]}
    await api.post(f"/audience/{audience}/members", body)
    await api.start(campaign)
    api.later(minutes=5)
    assert {call["to"] for call in await api.calls(campaign)} == {"+12025550110"}
    assert (await api.metrics(campaign))[0] == 1


@behaviour("members.snapshot.frozen-at-first-start")
async def test_members_added_before_the_start_are_called_but_the_count_is_of_the_creation(
    api: Driver,
) -> None:
    audience = await api.audience("phoneNumber\n+12025550110\n")
    campaign = await api.draft(audienceId=audience, maxRetries=0)
    body = {"members": [{"phoneNumber": "+12025550111"}]}
    await api.post(f"/audience/{audience}/members", body)
    await api.start(campaign)
    api.later(minutes=5)
    assert len(await api.calls(campaign)) == 2
    assert (await api.campaign(campaign))["participantsCount"] == 1


@behaviour("samples.seed.same-seed-same-calls")
async def test_the_same_seed_gives_the_same_calls() -> None:
    async def outcomes(seed: int) -> list[tuple[str, int]]:
        async with driving(seed=seed) as api:
            audience = (await api.get("/audience"))[1]["_id"]
            campaign = await api.started(audienceId=audience, maxRetries=1, retryDelay=1)
            api.later(minutes=10)
            return [(call["status"], call["duration"]) for call in await api.calls(campaign)]

    assert await outcomes(1) == await outcomes(1)
    assert await outcomes(1) != await outcomes(2)
