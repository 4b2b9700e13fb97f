"""A campaign's life with the API far away: what each of its calls sends, and how long it takes."""

import asyncio
from pathlib import Path
from typing import Any

import anyio

from tests.support.far_away import FarAway, SimulatedLoop, Taken, far_away
from tests.support.previews import US_NUMBER
from tests.support.world import AGENT

READING = 5.0  # seconds that an agent and its user take between two calls
DIALLING = 20.0  # seconds for which it is left to dial


def list_of(contacts: int) -> str:
    """Write a list of American numbers, all of them valid."""
    numbers = (f"+1{202 + n // 9000}555{1000 + n % 9000}" for n in range(contacts))
    return "phone,name\n" + "\n".join(f"{number},Ada" for number in numbers)


async def _live(far: FarAway, contacts: int) -> dict[str, Taken]:
    taken: dict[str, Taken] = {}

    async def call(what: str, tool: str, after: float = READING, **arguments: Any) -> Any:
        result, taken[what] = await far.taken(tool, **arguments)
        await anyio.sleep(after)
        return result

    await call("get_account", "get_account")
    await call("list_agents", "list_agents")
    await call("list_phone_numbers", "list_phone_numbers")
    audience = await call("create_audience", "create_audience", name="A", csv=list_of(contacts))
    audience_id = audience["audience_id"]
    await call("get_audience", "get_audience", audience_id=audience_id)
    made = await call(
        "create_campaign",
        "create_campaign",
        name="C",
        agent_id=AGENT,
        audience_id=audience_id,
        phone_ids=[US_NUMBER],
        max_retries=1,
        retry_delay=1,
    )
    one = {"campaign_id": made["campaign_id"]}
    await call("preview_campaign", "preview_campaign", **one)
    await call("start_campaign, previewed", "start_campaign", DIALLING, **one)
    await call("get_campaign_status", "get_campaign_status", **one)
    await call("pause_campaign", "pause_campaign", **one)
    await call("start_campaign, resuming", "start_campaign", DIALLING, **one)
    await call("pause_campaign, all", "pause_campaign", campaign_id="all")
    await call("get_campaign_results", "get_campaign_results", **one)
    await call("list_calls", "list_calls", **one)
    await call("delete_campaign", "delete_campaign", **one)
    return taken


def lifetime(folder: Path, contacts: int, *, rate: float | None = None) -> dict[str, Taken]:
    """Live it on simulated time, its first call on connections that are open; see `far_away`."""

    async def live() -> dict[str, Taken]:
        async with far_away(folder, rate=rate) as far:
            return await _live(far, contacts)

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(live())


def choosing(folder: Path, contacts: int) -> Taken:
    """Choose from a list by every kind of filter; half of it is a sample, half the remainder."""

    async def choose() -> Taken:
        async with far_away(folder) as far:
            made, _ = await far.taken("create_audience", name="A", csv=list_of(contacts))
            few, _ = await far.taken("create_audience", name="Not these", csv=list_of(500))
            await anyio.sleep(READING)
            chosen, taken = await far.taken(
                "create_audience",
                name="Pilot",
                from_audience_id=made["audience_id"],
                exclude_audience_ids=[few["audience_id"]],
                countries=["US"],
                sample=(contacts - 500) // 2,
                remainder_name="The rest",
            )
            assert chosen["contacts"] == (contacts - 500) // 2
            return taken

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(choose())
