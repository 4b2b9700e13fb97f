import pytest

from tests.support.bench import Bench
from tests.support.world import AGENT

pytestmark = pytest.mark.anyio


async def test_the_first_agent_is_usable_and_none_is_archived(bench: Bench) -> None:
    async with bench.client() as client:
        result = await client.call("list_agents")
    assert result["agents"][0]["id"] == AGENT
    assert not any(row["archived"] for row in result["agents"])


async def test_pages_are_cut_by_limit_and_say_whether_there_is_more(bench: Bench) -> None:
    async with bench.client() as client:
        first = await client.call("list_agents", limit=1)
        last = await client.call("list_agents", limit=1, page=first["total"])
    assert (len(first["agents"]), first["has_more"]) == (1, True)
    assert (len(last["agents"]), last["has_more"]) == (1, False)


async def test_search_finds_by_part_of_the_name(bench: Bench) -> None:
    async with bench.client() as client:
        name = (await client.call("list_agents"))["agents"][0]["name"]
        found = await client.call("list_agents", search=name[1:-1].upper())
        none = await client.call("list_agents", search="no such agent")
    assert name in [row["name"] for row in found["agents"]]
    assert none["agents"] == []
    assert "Nothing matches" in none["next_step"]
