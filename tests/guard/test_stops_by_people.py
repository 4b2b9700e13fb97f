"""What a person stops stays stopped, whatever a guard is about to resume at that moment."""

from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.guard.process import Guard
from atoms_campaigns_mcp.state.guarding import EVERYTHING, LEASE, STOPPED
from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.sqlite.guard import SqliteGuard
from atoms_campaigns_mcp.tool_calls.locks import Locks
from tests.guard.yard import Yard, begin, numbers
from tests.support.tampering import address, fail
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
ONCE: dict[str, Any] = {"max_retries": 0, "retry_delay": 1}
INDIA, BRITAIN = "+91981", "+44791"


async def full(*_: object) -> None:
    """Take the place of a method of the store that is out of order."""
    raise ValueError("a fault of the store")


async def started(place: Yard, prefix: str, name: str) -> str:
    async with place.bench.client() as client:
        return await begin(client, numbers(200, prefix), name, **ONCE)


async def night_falls(place: Yard, guard: Guard, campaign: str) -> None:
    """Watch until the guard has paused the campaign for the night."""
    evening = place.clock.now().replace(day=4, hour=13, minute=5, second=0, microsecond=0)
    await place.watch(guard, evening, every=60)
    assert await place.status(campaign) == "paused"


async def morning_comes(place: Yard, guard: Guard) -> None:
    """Watch until after its hours have begun."""
    await place.watch(guard, place.clock.now() + timedelta(hours=16), every=600)


@pytest.mark.slow
@pytest.mark.parametrize("hang_up", [False, True])
async def test_a_stop_by_name_holds_what_of_that_name_the_guard_had_paused(
    place: Yard, *, hang_up: bool
) -> None:
    delhi = await started(place, INDIA, "Guarded · Delhi")
    async with place.guard(resumes=True) as guard:
        await night_falls(place, guard, delhi)
        london = await started(place, BRITAIN, "Guarded · London")
        async with place.bench.client() as client:
            stopped = await client.call("pause_campaign", campaign_id="Guarded", hang_up=hang_up)
        await morning_comes(place, guard)
    assert [row["id"] for row in stopped["campaigns"]] == [london]
    assert "1 campaign of that name paused already" in stopped["message"]
    assert [await place.status(one) for one in (delhi, london)] == ["paused", "paused"]


@pytest.mark.slow
async def test_it_holds_it_also_if_what_dials_cannot_be_paused(place: Yard) -> None:
    delhi = await started(place, INDIA, "Guarded · Delhi")
    async with place.guard(resumes=True) as guard:
        await night_falls(place, guard, delhi)
        await started(place, BRITAIN, "Guarded · London")
        wire = place.bench.wire.below
        fail(place.bench, "POST */pause", status=403)
        async with place.bench.client() as client:
            await client.refused("pause_campaign", campaign_id="Guarded")
        place.bench.wire.below = wire
        await morning_comes(place, guard)
    assert await place.status(delhi) == "paused"


@pytest.mark.slow
async def test_a_guard_that_looks_in_the_middle_of_a_stop_resumes_nothing(place: Yard) -> None:
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await night_falls(place, guard, campaign)
        place.clock.advance(hours=15)
        below, rounds = place.bench.wire.below, list[str]()

        async def meanwhile(request: httpx2.Request) -> httpx2.Response:
            if "status=scheduled" in address(request) and not rounds:
                rounds.append("while the stop says what is left")
                await guard.round()
            return await below.handle_async_request(request)

        place.bench.wire.below = httpx2.MockTransport(meanwhile)
        async with place.bench.client() as client:
            await client.call("pause_campaign", campaign_id="all")
    assert rounds
    assert await place.status(campaign) == "paused"


@pytest.mark.slow
async def test_what_a_guard_resumed_as_the_stop_began_is_paused_too(
    place: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had looked for the stop just before that was written, and started just after."""
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await night_falls(place, guard, campaign)
        place.clock.advance(hours=15)
        keep, rounds = SqliteGuard.keep_each, list[str]()

        async def late(store: SqliteGuard, account: str, subjects: list[str], text: str) -> None:
            if STOPPED + EVERYTHING in subjects and not rounds:
                rounds.append("before the stop is written")
                with anyio.CancelScope(shield=True):
                    await guard.round()
            await keep(store, account, subjects, text)

        monkeypatch.setattr(SqliteGuard, "keep_each", late)
        async with place.bench.client() as client:
            stopped = await client.call("pause_campaign", campaign_id="all")
    assert rounds
    assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [(campaign, "paused")]
    assert await place.status(campaign) == "paused"


@pytest.mark.slow
@pytest.mark.parametrize("named", ["id", "Guarded", "all"])
async def test_guards_are_told_as_the_pauses_leave_and_again_at_the_end(
    place: Yard, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await guard.round()
    keep, told = SqliteGuard.keep_each, list[str]()

    async def heard(store: SqliteGuard, account: str, subjects: list[str], text: str) -> None:
        told.extend(subjects)
        await keep(store, account, subjects, text)

    monkeypatch.setattr(SqliteGuard, "keep_each", heard)
    below = place.bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        told.append(address(request).partition("?")[0])
        return await below.handle_async_request(request)

    place.bench.wire.below = httpx2.MockTransport(answer)
    async with place.bench.client() as client:
        await client.call(
            "pause_campaign", campaign_id=campaign if named == "id" else named, hang_up=False
        )
    mark = STOPPED + (EVERYTHING if named == "all" else campaign)
    first_look = told.index(f"GET /campaign/{campaign}")
    assert told.index(f"POST /campaign/{campaign}/pause") < first_look
    assert told.index(mark) < first_look
    assert told[-1] == mark


@pytest.mark.slow
async def test_a_stop_of_which_no_guard_could_be_told_says_so(
    place: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await guard.round()

    monkeypatch.setattr(SqliteGuard, "keep_each", full)
    async with place.bench.client() as client:
        stopped = await client.call("pause_campaign", campaign_id=campaign)
    assert stopped["status"] == "paused"
    assert "No guard could be told of this stop" in stopped["next_step"]


@pytest.mark.slow
async def test_a_stop_that_fails_and_of_which_no_guard_could_be_told_says_both(
    place: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await guard.round()
    monkeypatch.setattr(SqliteGuard, "keep_each", full)
    fail(place.bench, "POST */pause", status=403)
    async with place.bench.client() as client:
        refused = await client.refused("pause_campaign", campaign_id=campaign)
    assert "No guard could be told of this stop" in str(refused)


@pytest.mark.slow
async def test_guards_are_told_of_all_campaigns_of_a_name_in_one_write(
    place: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a write takes, they learn of the last one as soon as of the first."""
    await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await guard.round()
        async with place.bench.client() as client:
            for number in range(12):
                name = f"Wave · {number}"
                draft = {**DRAFT, "name": name, "allow_duplicate": True}
                await client.call("create_campaign", **draft)
            write, writes = StateFile.write, list[str]()

            async def counted(file: StateFile, work: Any, *, leave: bool = False) -> Any:
                writes.append("one more")
                return await write(file, work, leave=leave)

            monkeypatch.setattr(StateFile, "write", counted)
            await client.refused("pause_campaign", campaign_id="Wave")
        kept = await guard.runtime.store.guard.kept(guard.runtime.account)
    assert sum(subject.startswith(STOPPED) for subject in kept) == 12
    assert len(writes) < 12


@pytest.mark.slow
async def test_what_a_person_stops_while_the_guard_cancels_its_calls_is_not_resumed(
    place: Yard,
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    below, asked, stops = place.bench.wire.below, list[str](), list[dict[str, Any]]()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        paused = f"POST /campaign/{campaign}/pause" in asked
        asked.append(address(request))
        if paused and "/conversation" in asked[-1] and not stops:
            stops.append({})
            async with place.bench.client() as client:
                stops[0] = await client.call("pause_campaign", campaign_id=campaign)
            place.clock.advance(seconds=150)
        return await below.handle_async_request(request)

    async with place.guard(resumes=True) as guard:
        place.bench.wire.below = httpx2.MockTransport(slow)
        await night_falls(place, guard, campaign)
        await morning_comes(place, guard)
    assert stops[0]["status"] == "paused"
    assert await place.status(campaign) == "paused"


@pytest.mark.slow
async def test_a_guard_that_says_it_resumes_a_pause_does_so_if_calls_were_slow_to_cancel(
    place: Yard,
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    below, asked = place.bench.wire.below, list[str]()

    async def slow(request: httpx2.Request) -> httpx2.Response:
        paused = f"POST /campaign/{campaign}/pause" in asked
        asked.append(address(request))
        if paused and "/conversation" in asked[-1]:
            place.bench.wire.below = below
            place.clock.advance(seconds=150)
        return await below.handle_async_request(request)

    async with place.guard(resumes=True) as guard:
        place.bench.wire.below = httpx2.MockTransport(slow)
        await night_falls(place, guard, campaign)
        assert place.bench.wire.below is below
        await morning_comes(place, guard)
    assert await place.status(campaign) != "paused"


@pytest.mark.slow
async def test_a_guard_whose_lease_has_run_out_meanwhile_resumes_nothing(
    place: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await started(place, INDIA, "Guarded")
    async with place.guard(resumes=True) as guard:
        await night_falls(place, guard, campaign)
        place.clock.advance(hours=15)
        below, extend, slow = place.bench.wire.below, Locks.extend, list[str]()

        async def late(request: httpx2.Request) -> httpx2.Response:
            if address(request) == f"GET /campaign/{campaign}" and not slow:
                slow.append("the first look")
                place.clock.advance(seconds=LEASE * 2 / 3)
            return await below.handle_async_request(request)

        async def extended(locks: Locks, subject: str) -> bool:
            held = await extend(locks, subject)
            if held and len(slow) == 1:
                slow.append("the last look")
                place.clock.advance(seconds=LEASE / 3 + 1)
            return held

        place.bench.wire.below = httpx2.MockTransport(late)
        monkeypatch.setattr(Locks, "extend", extended)
        done = await guard.round()
    assert slow == ["the first look", "the last look"]
    assert done.resumed == 0
    assert await place.status(campaign) == "paused"
