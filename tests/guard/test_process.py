"""A guard in front of the sandbox: what it stops, what it leaves, and what it resumes."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.guard.rules import LEAD
from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from atoms_campaigns_mcp.state.guarding import LEASE
from atoms_campaigns_mcp.state.open import journal_entries
from tests.guard.yard import SECRET, Yard, begin, numbers
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
INDIA = "+91981"
ONCE: dict[str, Any] = {"max_retries": 0, "retry_delay": 1}
NIGHT = timedelta(hours=16)


def closes(place: Yard) -> datetime:
    return place.clock.now().replace(day=4, hour=13, minute=0, second=0, microsecond=0)


async def started(place: Yard, count: int = 60, **changes: Any) -> str:
    async with place.bench.client() as client:
        return await begin(client, numbers(count, INDIA), **{**ONCE, **changes})


async def tool(place: Yard, name: str, /, **arguments: Any) -> dict[str, Any]:
    async with place.bench.client() as client:
        return await Caller(client.client).call(name, **arguments)


@pytest.mark.slow
async def test_what_dials_is_paused_before_the_hours_end(place: Yard) -> None:
    campaign = await started(place, 300)
    end = closes(place)
    async with place.guard() as guard:
        await place.watch(guard, end - LEAD - timedelta(seconds=20), every=60)
        assert await place.status(campaign) == "running"
        await place.watch(guard, end + timedelta(hours=1), every=60)
    assert await place.status(campaign) == "paused"
    assert max(at for at, _ in place.dials()) < end
    (entry,) = [e for e in await journal_entries(place.settings, 50) if e.intent.tool == "guard"]
    told = json.loads(entry.intent.arguments)
    assert (entry.outcome, told["campaign_id"]) == ("done", campaign)
    assert (told["rule"], "13:00" in told["figures"]) == ("calling_hours", True)


@pytest.mark.slow
async def test_queued_calls_of_a_campaign_that_is_called_completed_are_cancelled(
    dispatched: Yard,
) -> None:
    end = closes(dispatched)
    dispatched.clock.moment = end - timedelta(minutes=4, seconds=30)
    campaign = await started(dispatched, 60)
    async with dispatched.guard() as guard:
        await dispatched.watch(guard, end + timedelta(minutes=10), every=5)
    assert await dispatched.status(campaign) == "completed"
    assert max(at for at, _ in dispatched.dials()) < end
    cancelled = [
        e for e in await journal_entries(dispatched.settings, 100) if e.intent.tool == "guard"
    ]
    assert cancelled
    assert {entry.outcome for entry in cancelled} == {"done"}


@pytest.mark.slow
async def test_contacts_whose_hours_end_later_go_on_once_the_others_are_over(place: Yard) -> None:
    british = numbers(200, "+44791").partition("\n")[2]
    async with place.bench.client() as client:
        campaign = await begin(client, f"{numbers(3, INDIA)}\n{british}", **ONCE)
    async with place.guard() as guard:
        await place.watch(guard, closes(place) + timedelta(minutes=2), every=30)
    assert await place.status(campaign) == "running"
    late = {number[:3] for at, number in place.dials() if at >= closes(place)}
    assert late == {"+44"}


@pytest.mark.slow
async def test_the_dearest_call_counts_for_those_under_way(place: Yard) -> None:
    place.configure(calling_hours=None, guard_spend=0.2)
    campaign = await started(place, 60)
    async with place.guard() as guard:
        await place.watch(guard, place.clock.now() + timedelta(minutes=10))
    found = await tool(place, "list_calls", campaign_id=campaign, limit=100)
    assert await place.status(campaign) == "paused"
    assert 0.05 < sum(call["cost"] or 0 for call in found["calls"]) <= 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"guard_min_answered": 99.0}, "answered"),
        ({"guard_max_failed": 0.0}, "failed"),
        ({"guard_max_opt_outs": 0.0, "guard_opt_outs": ("interested=no",)}, "opt_outs"),
    ],
)
async def test_a_share_that_a_person_must_judge_stops_it_until_a_person_resumes_it(
    place: Yard, limits: dict[str, Any], rule: str
) -> None:
    place.configure(calling_hours=None, guard_after=5, **limits)
    campaign = await started(place, 60)
    async with place.guard(resumes=True) as guard:
        await place.watch(guard, place.clock.now() + timedelta(minutes=20), every=15)
        assert await place.status(campaign) == "paused"
        assert f"{rule}: " in place.said[0]
        await tool(place, "start_campaign", campaign_id=campaign)
        await guard.round()
        # Its calls are counted anew: whoever resumes it has seen the figures.
        assert await place.status(campaign) == "running"


@pytest.mark.slow
async def test_nothing_is_dialled_after_the_moment_that_the_operator_set(place: Yard) -> None:
    end = place.clock.now() + timedelta(minutes=10)
    place.configure(calling_hours=None, guard_until=end)
    campaign = await started(place, 200)
    async with place.guard(resumes=True) as guard:
        # It must look more often than it stops early: the process looks every 5 seconds.
        await place.watch(guard, end + timedelta(minutes=5), every=60)
        await place.watch(guard, end + NIGHT, every=300)
    assert await place.status(campaign) == "paused"
    assert max(at for at, _ in place.dials()) < end


@pytest.mark.slow
async def test_no_retry_of_a_campaign_that_is_called_completed_is_dialled_after_that_moment(
    dispatched: Yard,
) -> None:
    end = dispatched.clock.now() + timedelta(minutes=25)
    dispatched.configure(calling_hours=None, guard_until=end)
    campaign = await started(dispatched, 100, max_retries=1, retry_delay=5)
    async with dispatched.guard() as guard:
        await dispatched.watch(guard, end + timedelta(minutes=15), every=15)
    assert await dispatched.status(campaign) == "completed"
    assert max(at for at, _ in dispatched.dials()) < end


async def paused_for_the_night(place: Yard, guard: Any, **changes: Any) -> str:
    campaign = await started(place, 200, **changes)
    await place.watch(guard, closes(place) + timedelta(minutes=5), every=60)
    assert await place.status(campaign) == "paused"
    return campaign


@pytest.mark.slow
async def test_its_own_pause_ends_when_the_hours_begin_again(place: Yard) -> None:
    async with place.guard(resumes=True) as guard:
        campaign = await paused_for_the_night(place, guard)
        evening = len(place.dials())
        await place.watch(guard, closes(place) + timedelta(hours=14), every=600)
        assert len(place.dials()) == evening  # 08:30 in Kolkata
        await place.watch(guard, closes(place) + NIGHT, every=60)
        tried: dict[str, float] = getattr(guard, "_tried")  # noqa: B009 - what grows unseen
        assert tried == {}
    assert await place.status(campaign) != "paused"
    assert len(place.dials()) > evening
    resumed = [e for e in await journal_entries(place.settings, 50) if e.intent.dials]
    assert resumed[0].intent.tool == "guard"


@pytest.mark.slow
async def test_a_guard_that_may_not_resume_leaves_it_paused(place: Yard) -> None:
    async with place.guard() as guard:
        campaign = await paused_for_the_night(place, guard)
        await place.watch(guard, closes(place) + NIGHT, every=600)
    assert await place.status(campaign) == "paused"


@pytest.mark.slow
@pytest.mark.parametrize("word", ["", "all"])
async def test_a_person_who_stops_what_the_guard_paused_wins(place: Yard, word: str) -> None:
    async with place.guard(resumes=True) as guard:
        campaign = await paused_for_the_night(place, guard)
        await tool(place, "pause_campaign", campaign_id=word or campaign)
        await place.watch(guard, closes(place) + NIGHT, every=600)
    assert await place.status(campaign) == "paused"
    assert "A person must resume it" in place.said[-1]


@pytest.mark.slow
async def test_what_a_person_resumed_and_paused_again_stays_paused(place: Yard) -> None:
    async with place.guard(resumes=True) as guard:
        campaign = await paused_for_the_night(place, guard)
    assert await place.dashboard(f"/campaign/{campaign}/start")
    place.clock.advance(seconds=5)
    assert await place.dashboard(f"/campaign/{campaign}/pause")
    place.clock.advance(seconds=5)  # by when it has taken effect
    async with place.guard(resumes=True) as guard:
        await place.watch(guard, closes(place) + NIGHT, every=600)
    assert await place.status(campaign) == "paused"


@pytest.mark.slow
async def test_what_a_person_stops_while_the_facts_are_read_again_is_not_resumed(
    place: Yard,
) -> None:
    async with place.guard(resumes=True) as guard:
        campaign = await paused_for_the_night(place, guard)
    below, meddled = place.bench.wire.below, list[str]()

    async def meddling(request: httpx2.Request) -> httpx2.Response:
        answer = await below.handle_async_request(request)
        if request.url.path.endswith("/members") and not meddled:
            meddled.append(request.url.path)
            assert await place.dashboard(f"/campaign/{campaign}/start")
            place.clock.advance(seconds=5)
            assert await place.dashboard(f"/campaign/{campaign}/pause")
            place.clock.advance(seconds=5)
        return answer

    place.bench.wire.below = httpx2.MockTransport(meddling)
    place.clock.moment = closes(place) + NIGHT
    async with place.guard(resumes=True) as guard:
        assert (await guard.round()).resumed == 0
    assert meddled
    assert await place.status(campaign) == "paused"
    assert "A person must resume it" in place.said[-1]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["contacts", "policy"])
async def test_nothing_is_resumed_that_is_not_as_it_was_agreed_to(place: Yard, change: str) -> None:
    async with place.guard(resumes=True) as guard:
        campaign = await paused_for_the_night(place, guard)
    if change == "policy":
        place.configure(origins={"max_contacts": "user policy"}, max_contacts=9_999)
    else:
        found = await tool(place, "get_campaign_status", campaign_id=campaign)
        await tool(
            place, "add_contacts", audience_id=found["audience_id"], csv=numbers(1, "+91982")
        )
    async with place.guard(resumes=True) as guard:
        await place.watch(guard, closes(place) + NIGHT, every=600)
    assert await place.status(campaign) == "paused"
    assert "not as they were" in place.said[-1]


async def test_of_two_guards_one_acts_and_the_other_takes_over(place: Yard) -> None:
    async with place.guard() as one, place.guard() as other:
        assert not (await one.round()).standby
        assert (await other.round()).standby
        place.clock.advance(seconds=LEASE + 1)
        assert not (await other.round()).standby
        assert (await one.round()).standby


@pytest.mark.slow
async def test_a_stop_that_is_not_confirmed_is_repeated_and_said_loudly(
    place: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = await started(place, 200)
    place.clock.moment = closes(place) - LEAD
    place.bench.world.inject(Fault(kind="error_500", route="POST /campaign/{id}/pause"))
    async with place.guard() as guard:
        done = await guard.round()
        assert (done.unconfirmed, await place.status(campaign)) == (1, "running")
        assert "CANNOT STOP" in place.said[0]
        assert any(record.levelname == "CRITICAL" for record in caplog.records)
        place.bench.world.inject()
        done = await guard.round()
    assert (done.unconfirmed, await place.status(campaign)) == (0, "paused")


@pytest.mark.slow
async def test_what_dials_unseen_for_a_minute_is_stopped(place: Yard) -> None:
    campaign = await started(place, 200)
    place.bench.world.inject(Fault(kind="error_500", route="GET /audience*"))
    async with place.guard() as guard:
        await guard.round()
        assert await place.status(campaign) == "running"
        await place.watch(guard, place.clock.now() + timedelta(seconds=80), every=10)
    assert await place.status(campaign) == "paused"
    assert "unread: " in place.said[0]


@pytest.mark.slow
async def test_a_dry_run_says_once_what_it_would_stop_and_stops_nothing(place: Yard) -> None:
    campaign = await started(place, 200)
    place.clock.moment = closes(place) - LEAD
    async with place.guard(dry=True) as guard:
        await guard.round()
        await guard.round()
    assert len(place.said) == 1
    assert "Would stop" in place.said[0]
    assert await place.status(campaign) == "running"
    assert (await tool(place, "get_account"))["guarded"].startswith("no")


@pytest.mark.slow
async def test_whoever_asks_hears_whether_a_guard_watches(place: Yard) -> None:
    draft = (await tool(place, "create_campaign", **DRAFT))["campaign_id"]

    async def told() -> tuple[str, str]:
        account = await tool(place, "get_account")
        preview = await tool(place, "preview_campaign", campaign_id=draft)
        return account["guarded"], preview["guarded"]

    assert all(text.startswith("no") for text in await told())
    async with place.guard(resumes=True) as guard:
        await guard.round()
        assert all("calling hours 09:00-18:30" in text for text in await told())
        await guard.lease.release()
    assert all(text.startswith("no") for text in await told())


@pytest.mark.slow
async def test_the_operator_is_told_by_a_message_that_is_signed(place: Yard) -> None:
    place.configure(guard_webhook="https://example.com/hook", guard_webhook_secret=(SECRET,))
    campaign = await started(place, 200)
    place.clock.moment = closes(place) - LEAD
    async with place.guard() as guard:
        await guard.round()
    (request,) = place.told
    told = json.loads(request.content)
    assert (told["type"], told["data"]["campaign_id"]) == ("campaign.stopped", campaign)
    assert (told["data"]["rule"], told["data"]["status"]) == ("calling_hours", "paused")
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.content
    mark = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{mark}"


async def test_an_address_without_a_secret_to_sign_with_is_refused(place: Yard) -> None:
    place.configure(guard_webhook="https://example.com/hook")
    with pytest.raises(ConfigurationError, match="WEBHOOK_SECRET"):
        async with place.guard():
            pass


async def test_a_guard_without_a_rule_is_refused(place: Yard) -> None:
    place.configure(calling_hours=None)
    with pytest.raises(ConfigurationError, match="no rule"):
        async with place.guard():
            pass
