"""The whole job in one chat: from a contact list to a report, through the protocol only."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller

pytestmark = pytest.mark.anyio
MOST_CALLS = 8  # tool calls from a list to a report, repeated watching not counted


def contact_list(count: int) -> str:
    rows = [f'"Contact, No. {n}",+1415555{n:04d},Plan {n % 3}' for n in range(count)]
    return "\r\n".join(["name,Mobile,tariff", *rows])


class Agent:
    """An agent that knows nothing of Atoms: it follows names and ids in results."""

    def __init__(self, bench: Bench, caller: Caller) -> None:
        self.bench = bench
        self.caller = caller
        self.calls = 0

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        return await self.caller.call(tool, **arguments)

    async def confirmed(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that is refused first, and again with the token it gave."""
        self.calls += 1
        result = await self.caller.raw(tool, **arguments)
        if not result.is_error:
            assert result.structured_content is not None
            return result.structured_content
        assert result.structured_content is not None
        token = result.structured_content["confirm_token"]
        return await self.call(tool, **arguments, confirm_token=token)

    async def watch_to_the_end(self, campaign_id: str) -> dict[str, Any]:
        self.calls += 1
        arguments: dict[str, Any] = {"campaign_id": campaign_id, "until": "finished"}
        report = await self.caller.call("watch_campaign", **arguments, wait_seconds=45)
        while not report["finished"]:
            self.bench.clock.advance(minutes=10)
            report = await self.caller.call(
                "watch_campaign", **arguments, wait_seconds=45, since=report["since"]
            )
        return report

    async def campaign(self, audience: str, **more: Any) -> dict[str, Any]:
        numbers = await self.call("list_phone_numbers")
        agents = await self.call("list_agents")
        caller_id = next(row["number"] for row in numbers["phone_numbers"] if row["active"])
        arguments = {
            "name": "Renewals",
            "agent_id": agents["agents"][0]["name"],
            "audience_id": audience,
            "phone_ids": [caller_id],
            "max_retries": 2,
            **more,
        }
        create = self.confirmed if "scheduled_at" in more else self.call
        return await create("create_campaign", **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_list_of_500_becomes_a_report_in_eight_calls(bench: Bench, era: str) -> None:
    async with bench.client(era, answer=None) as caller:
        agent = Agent(bench, caller)
        audience = await agent.call("create_audience", name="January", csv=contact_list(500))
        assert (audience["contacts"], audience["countries"]) == (500, ["US: 500"])
        made = await agent.campaign(audience["name"])
        await agent.confirmed("start_campaign", campaign_id=made["campaign_id"])
        report = await agent.watch_to_the_end(made["campaign_id"])
        results = await agent.call(
            "get_campaign_results", campaign_id=made["campaign_id"], limit=20
        )
    assert agent.calls <= MOST_CALLS
    assert report["contacts_called"] == 500
    assert results["provisional"] is False
    assert results["contacts"] == results["total"] == 500
    counts = dict(entry.split(": ") for entry in results["outcomes"])
    assert int(counts["completed"]) == report["contacts_connected"]
    assert sum(map(int, counts.values())) == 500
    assert [entry.split(":")[0] for entry in results["by_attempt"]] == ["1", "2", "3"]
    assert results["by_country"][0].startswith("US: ")
    assert results["by_local_hour"]
    assert results["results"][0]["name"] == "Contact, No. 0"
    assert "+14155550000" not in str(results)


@pytest.mark.slow
async def test_a_campaign_scheduled_for_tomorrow_at_ten_dials_then(bench: Bench) -> None:
    async with bench.client(answer=None) as caller:
        agent = Agent(bench, caller)
        audience = await agent.call("create_audience", name="Tomorrow", csv=contact_list(20))
        made = await agent.campaign(
            audience["audience_id"], scheduled_at="2027-01-05T10:00:00+05:30"
        )
        assert made["status"] == "scheduled"
        bench.clock.advance(hours=15)
        early = await agent.call("get_campaign_status", campaign_id=made["campaign_id"])
        assert (early["status"], early["contacts_called"]) == ("scheduled", 0)
        bench.clock.advance(hours=2)
        report = await agent.watch_to_the_end(made["campaign_id"])
        results = await agent.call("get_campaign_results", campaign_id=made["campaign_id"])
    assert report["contacts_called"] == 20
    assert results["contacts"] == 20
    assert bench.wire.changes == ["audience", "campaign"]


@pytest.fixture
def early_bench(tmp_path: Path) -> Generator[Bench]:
    """A sandbox that calls a campaign completed as soon as everyone is dispatched, as recorded."""
    with Bench.open(tmp_path, Options(speed=1, completion="dispatched")) as bench:
        yield bench


@pytest.mark.slow
async def test_an_early_completed_is_not_taken_for_the_end(early_bench: Bench) -> None:
    async with early_bench.client() as caller:
        agent = Agent(early_bench, caller)
        audience = await agent.call("create_audience", name="January", csv=contact_list(60))
        made = await agent.campaign(audience["audience_id"])
        campaign = {"campaign_id": made["campaign_id"]}
        await agent.call("start_campaign", **campaign)
        early_bench.clock.advance(seconds=10)
        status = await agent.call("get_campaign_status", **campaign)
        watched = await caller.call("watch_campaign", **campaign, until="running", wait_seconds=1)
        before = await caller.call("get_campaign_results", **campaign)
        report = await agent.watch_to_the_end(made["campaign_id"])
        after = await caller.call("get_campaign_results", **campaign)
    assert status["status"] == "completed"
    assert watched["finished"] is False
    assert before["provisional"] is True
    assert (report["calls_in_progress"], report["retries_due"]) == (0, 0)
    assert after["provisional"] is False
    final = dict(entry.split(": ") for entry in after["outcomes"])
    assert not {"no_answer", "active", "in_queue", "pending"} & set(final)


@pytest.mark.slow
async def test_those_not_reached_are_called_again_and_no_number_passes_the_agent(
    bench: Bench,
) -> None:
    async with bench.client() as caller:
        agent = Agent(bench, caller)
        audience = await agent.call("create_audience", name="January", csv=contact_list(40))
        made = await agent.campaign(audience["audience_id"], max_retries=0)
        await agent.call("start_campaign", campaign_id=made["campaign_id"])
        await agent.watch_to_the_end(made["campaign_id"])
        first = await agent.call("get_campaign_results", campaign_id=made["campaign_id"])
        missed = await agent.call(
            "create_audience", name="Second try", from_campaign_id=made["campaign_id"]
        )
        again = await agent.campaign(missed["audience_id"], name="Renewals, second try")
        await agent.call("start_campaign", campaign_id=again["campaign_id"])
        report = await agent.watch_to_the_end(again["campaign_id"])
    counts = dict(entry.split(": ") for entry in first["outcomes"])
    assert missed["contacts"] == 40 - int(counts["completed"]) > 0
    assert missed["columns"] == ["phoneNumber", "name", "tariff"]
    assert report["total_participants"] == missed["contacts"]
    assert "1415555" not in str(missed)
