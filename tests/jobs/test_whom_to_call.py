"""What people say about whom to call, each done in a few calls and without showing a number."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.do_not_call import list_as_seeded
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
MOST_CALLS = 6
READERS = {"from_audience_id": "Newsletter readers"}
FINISHED = "Spring renewals, first round"
PEOPLE = "name,phone\n" + "\n".join(f"Person {n},+1415555{n:04d}" for n in range(100, 112))


class Session:
    """Counts the calls of a scripted session, at most six, and looks that no number is shown."""

    def __init__(self, bench: Bench, caller: Caller) -> None:
        self._bench = bench
        self._caller = caller
        self.calls = 0

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        assert self.calls <= MOST_CALLS
        told = await self._caller.call(tool, **arguments)
        assert "5555" not in str(told)
        return told

    async def start(self, audience_id: str, name: str) -> dict[str, str]:
        """Make a campaign on an audience and start it."""
        draft = {**DRAFT, "name": name, "audience_id": audience_id, "max_retries": 0}
        made = await self.call("create_campaign", **draft)
        await self.call("start_campaign", campaign_id=made["campaign_id"])
        self._bench.clock.advance(hours=3)
        return {"campaign_id": made["campaign_id"]}


async def called(bench: Bench, campaign: dict[str, str]) -> dict[str, str]:
    """Return the status of every contact's call, by number, as the sandbox tells it."""
    path = f"/conversation?campaignIds={campaign['campaign_id']}&callAttemptFilter=all&limit=500"
    data = await bench.api("GET", path)
    return {call["to"]: call["status"] for call in data["logs"]}


@pytest.mark.slow
async def test_leave_out_who_is_on_the_do_not_call_list(bench: Bench) -> None:
    list_as_seeded(bench.world)
    async with bench.client() as caller:
        session = Session(bench, caller)
        audience = await session.call("create_audience", name="Callable", **READERS)
        campaign = await session.start(audience["audience_id"], "Clean")
    calls = await called(bench, campaign)
    listed = {entry["phoneNumber"] for entry in (await bench.api("GET", "/dnc"))["entries"]}
    assert audience["excluded"] == ["do_not_call: 4"]
    assert len(calls) == audience["contacts"] == 496
    assert len(listed) > 0
    assert not listed & set(calls)
    assert "blocked" not in calls.values()


@pytest.mark.slow
async def test_without_anybody_whom_finished_has_called(bench: Bench) -> None:
    async with bench.client() as caller:
        session = Session(bench, caller)
        audience = await session.call(
            "create_audience", name="Others", **READERS, exclude_campaign_ids=[FINISHED]
        )
        campaign = await session.start(audience["audience_id"], "Second round")
    rows = (await bench.api("GET", "/campaign?search=first"))["campaigns"]
    before = await called(bench, {"campaign_id": rows[0]["_id"]})
    now = await called(bench, campaign)
    assert len(before) == 25  # one of them the list kept from being dialled: left out as well
    assert not set(before) & set(now)
    assert len(now) == audience["contacts"] == 500 - 25


@pytest.mark.slow
async def test_a_pilot_with_20_of_them_then_the_rest(bench: Bench) -> None:
    async with bench.client() as caller:
        session = Session(bench, caller)
        made = await session.call(
            "create_audience", name="Pilot", sample=20, remainder_name="Rest", **READERS
        )
        pilot = await session.start(made["audience_id"], "Pilot")
        report = await session.call("get_campaign_results", **pilot)
        rest = await session.start(made["remainder_id"], "The rest")
    first, then = set(await called(bench, pilot)), set(await called(bench, rest))
    assert report["provisional"] is False
    assert (len(first), len(then)) == (20, 480)
    assert not first & then


@pytest.mark.slow
async def test_call_these_people_and_tell_me_how_it_went(bench: Bench) -> None:
    async with bench.client() as caller:
        session = Session(bench, caller)
        audience = await session.call("create_audience", name="These people", csv=PEOPLE)
        campaign = await session.start(audience["audience_id"], "These people")
        await session.call("watch_campaign", **campaign, until="finished")
        told = await session.call("get_campaign_results", **campaign)
    calls = await called(bench, campaign)
    outcomes = dict(entry.split(": ") for entry in told["outcomes"])
    assert told["provisional"] is False
    assert told["contacts"] == len(calls) == 12
    assert int(outcomes["completed"]) == list(calls.values()).count("completed")
