"""Waves whose making is cut off: nothing is made twice, and the same call finishes it."""

from pathlib import Path
from random import Random

import httpx2
import pytest

from atoms_campaigns_mcp.state.open import journal_entries
from tests.support.bench import Bench
from tests.support.lost import lost, trouble
from tests.support.serving import text_of
from tests.support.tampering import fail
from tests.support.world import DRAFT
from tests.tools.waves.killing import killer
from tests.tools.waves.waving import CALLS, EVERYBODY, NAMES, audiences, campaigns, listed, members

pytestmark = pytest.mark.anyio
LEFT = "Morning calls · not scheduled"
EXPIRED = 61  # seconds after which the locks of a server that died are gone


def refuse_campaign(bench: Bench, number: int) -> None:
    """Let the API refuse the creation of the `number`th campaign from now on."""
    below, seen = bench.wire.below, 0

    async def handle(request: httpx2.Request) -> httpx2.Response:
        nonlocal seen
        if request.method == "POST" and request.url.path.endswith("/campaign"):
            seen += 1
            if seen == number:
                return httpx2.Response(400, json={"status": False, "errors": ["no"]})
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(handle)


async def made_once(bench: Bench) -> None:
    """See that every wave is there once, with its own contacts, and nobody is lost."""
    rows = await campaigns(bench)
    assert sorted(row["name"] for row in rows) == sorted(NAMES)
    called = [await members(bench, row["audience"]["_id"]) for row in rows]
    names = [row["name"] for row in await bench.api("GET", "/audience")]
    assert sorted(name for name in names if name.startswith("Morning")) == sorted([*NAMES, LEFT])
    called.append(await members(bench, (await audiences(bench))[LEFT]))
    assert sum(map(len, called)) == len(EVERYBODY)
    assert set[str]().union(*called) == set(EVERYBODY)


@pytest.mark.slow
async def test_a_failure_before_anything_is_scheduled_removes_what_was_made(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        before = await audiences(bench)
        refuse_campaign(bench, 1)
        text = await client.refused("schedule_waves", **CALLS)
        assert await audiences(bench) == before
        await client.call("schedule_waves", **CALLS)
    assert "Nothing is scheduled, and what was made is removed" in text
    await made_once(bench)


@pytest.mark.slow
async def test_after_a_failure_in_the_middle_the_same_call_makes_the_rest(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        refuse_campaign(bench, 2)
        text = await client.refused("schedule_waves", **CALLS)
        assert [row["name"] for row in await campaigns(bench)] == NAMES[:1]
        made = await client.call("schedule_waves", **CALLS)
    assert "1 of 3 waves scheduled" in text
    assert "same arguments" in text
    assert "1 of 3 waves were scheduled by an earlier equal call" in bench.questions[1]
    assert NAMES[0] not in bench.questions[1].splitlines()[-2]
    assert [wave["name"] for wave in made["waves"]] == NAMES
    await made_once(bench)


@pytest.mark.slow
async def test_an_answer_that_is_lost_makes_nothing_twice(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        trouble(bench, "POST", lost)
        made = await client.call("schedule_waves", **CALLS)
    assert len(made["waves"]) == 3
    await made_once(bench)


@pytest.mark.slow
async def test_everything_is_in_the_journal_under_the_plan_that_was_agreed_to(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
    found = [
        e for e in await journal_entries(bench.settings, 50) if e.intent.tool == "schedule_waves"
    ]
    assert len({entry.intent.digest for entry in found}) == 1
    assert {entry.outcome for entry in found} == {"done"}
    assert sum(entry.intent.dials and bool(entry.intent.key) for entry in found) == 7
    assert EVERYBODY[0] not in str(found)


@pytest.mark.slow
async def test_a_list_that_changed_meanwhile_is_not_called_by_the_old_plan(bench: Bench) -> None:
    async with bench.client() as client:
        source = await listed(client)
        refuse_campaign(bench, 2)
        await client.refused("schedule_waves", **CALLS)
        await client.call("add_contacts", audience_id=source, csv="phone\n+12125550177")
        text = await client.refused("schedule_waves", **CALLS)
    assert "contacts have changed since" in text
    assert len(await campaigns(bench)) == 1


@pytest.mark.slow
async def test_a_wave_whose_time_has_passed_is_made_no_more_and_told(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        refuse_campaign(bench, 2)
        await client.refused("schedule_waves", **CALLS)
        bench.clock.advance(days=7, hours=3, minutes=30)  # past New York's ten o'clock
        made = await client.call("schedule_waves", **CALLS)
    assert [wave["name"] for wave in made["waves"]] == [NAMES[0], NAMES[2]]
    assert "the time of their wave has passed: 4" in made["left"]


async def begun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill a server that has made an audience, and no wave yet."""
    with killer(bench, monkeypatch) as death:
        for left in range(50, 130, 2):
            death.revive(left, after=True)
            async with bench.client() as client:
                await client.raw("schedule_waves", **CALLS)
            death.revive(-1, after=False)
            bench.clock.advance(seconds=EXPIRED)
            if LEFT in await audiences(bench):
                break
    assert await campaigns(bench) == []


@pytest.mark.slow
async def test_waves_of_which_none_was_made_in_time_are_planned_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        await listed(client)
    await begun(bench, monkeypatch)
    bench.clock.advance(days=7, hours=3, minutes=30)  # past the first ten o'clocks
    async with bench.client() as client:
        made = await client.call("schedule_waves", **CALLS)
    assert {wave["name"]: wave["local_start"] for wave in made["waves"]} == {
        NAMES[0]: "2027-01-12 10:00",
        NAMES[1]: "2027-01-12 10:00",
        NAMES[2]: "2027-01-11 10:00",
    }
    await made_once(bench)


@pytest.mark.slow
async def test_waves_of_a_list_that_changed_before_any_was_made_are_gone_on_with(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        source = await listed(client)
    await begun(bench, monkeypatch)
    async with bench.client() as client:
        await client.call("add_contacts", audience_id=source, csv="phone\n+12125550177")
        refuse_campaign(bench, 2)
        stopped = await client.refused("schedule_waves", **CALLS)
        made = await client.call("schedule_waves", **CALLS)
    assert "1 of 3 waves scheduled" in stopped
    assert [(wave["name"], wave["contacts"]) for wave in made["waves"]] == [
        *zip(NAMES, (2, 5, 3), strict=True)
    ]
    assert len(await campaigns(bench)) == 3


@pytest.mark.slow
async def test_a_failure_removes_no_audience_that_was_there_before(bench: Bench) -> None:
    async with bench.client() as client:
        await listed(client)
        await client.call("schedule_waves", **CALLS)
        await client.call("delete_campaign", campaign_id="Morning calls *")
        before = await audiences(bench)
        refuse_campaign(bench, 1)
        await client.refused("schedule_waves", **CALLS)
        assert await audiences(bench) == before
        await client.call("schedule_waves", **CALLS)
    await made_once(bench)


@pytest.mark.slow
async def test_what_could_not_be_removed_after_a_failure_is_said_and_gone_on_with(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await listed(client)
        refuse_campaign(bench, 1)
        fail(bench, "DELETE /audience/*", status=400)
        text = await client.refused("schedule_waves", **CALLS)
        await client.call("schedule_waves", **CALLS)
    assert "Nothing is scheduled; audiences that were made are left" in text
    assert "same arguments" in text
    await made_once(bench)


@pytest.mark.slow
@pytest.mark.parametrize(("most", "allowed"), [(3, True), (2, False)])
async def test_waves_that_are_over_leave_no_room_for_others_to_run(
    bench: Bench, most: int, *, allowed: bool
) -> None:
    bench.configure(max_running=most)
    async with bench.client() as client:
        await listed(client)
        refuse_campaign(bench, 2)
        await client.refused("schedule_waves", **CALLS, max_retries=0)
        bench.clock.advance(days=6, hours=18)  # Kolkata's is over
        for minute in (30, 40):
            other = {**DRAFT, "name": f"Other {minute}"}
            at = f"2027-01-11T15:{minute}:00Z"
            await client.call("create_campaign", **other, scheduled_at=at)
        result = await client.raw("schedule_waves", **CALLS, max_retries=0)
    assert result.is_error is not allowed
    assert len(await campaigns(bench)) == (3 if allowed else 1)


async def killed_and_finished(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Kill the server at random points until the call is through; return how often it died."""
    random = Random(seed)  # noqa: S311 - it draws moments
    with Bench.open(folder) as bench:
        async with bench.client() as client:
            await listed(client)
        with killer(bench, monkeypatch) as death:
            deaths = -1
            death.dead = True
            while death.dead:
                deaths += 1
                bench.clock.advance(seconds=EXPIRED)
                death.revive(random.randrange(130), after=random.random() < 0.5)
                async with bench.client() as client:
                    await client.raw("schedule_waves", **CALLS)
            death.revive(-1, after=False)
            async with bench.client() as client:
                last = text_of(await client.raw("schedule_waves", **CALLS))
        # It died after the last wave and before it had recorded that: then the waves are given.
        given = all(name in last for name in NAMES)
        assert given or "3 campaigns of this name there already" in last, seed
        await made_once(bench)
    return deaths


@pytest.mark.slow
async def test_killed_at_fifty_random_points_it_ends_with_each_wave_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths, seed = 0, 100
    while deaths < 50:
        folder = tmp_path / str(seed)
        folder.mkdir()
        deaths += await killed_and_finished(folder, seed, monkeypatch)
        seed += 1
