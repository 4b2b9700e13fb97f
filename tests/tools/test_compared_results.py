"""get_campaign_results of several campaigns: which does better, and whether that is chance."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
IDS = [f"{number:024x}" for number in range(6)]


def people(count: int, first: int = 100) -> str:
    return "phone,name\n" + "\n".join(f"+1415555{n:04d},C {n}" for n in range(first, first + count))


async def over(bench: Bench, client: Caller, name: str, count: int = 60, retries: int = 0) -> str:
    await client.call("create_audience", name=f"{name} list", csv=people(count))
    draft = {**DRAFT, "name": name, "audience_id": f"{name} list", "max_retries": retries}
    made = await client.call("create_campaign", **draft)
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.clock.advance(hours=8)
    return made["campaign_id"]


@pytest.mark.slow
async def test_what_differs_by_more_than_chance_is_told_with_its_interval(bench: Bench) -> None:
    async with bench.client() as client:
        one = await over(bench, client, "One call", 120)
        await over(bench, client, "Ten calls", 120, retries=9)
        result = await client.raw("get_campaign_results", campaign_ids=["One call", "Ten calls"])
        alone = await client.call("get_campaign_results", campaign_id="One call")
    data, text = result.structured_content, text_of(result)
    assert data is not None
    (line,) = data["differences"]
    assert 'more than chance: "Ten calls" connects more' in line
    assert line in text
    assert [f"cost {row['cost']:g} USD;" in text for row in data["compared"]] == [True, True]
    assert (data["campaign_id"], data["contacts"]) == (one, 120)
    first, second = data["compared"]
    assert first["connected"] == alone["connected"] == data["connected"]
    assert (first["called"], second["called"]) == (120, 120)
    assert first["low"] < first["connected_percent"] < first["high"] < second["low"]
    assert "compared" not in alone or alone["compared"] == []


@pytest.mark.slow
async def test_equal_campaigns_may_differ_by_chance_and_small_ones_are_not_compared(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        ids = [await over(bench, client, name) for name in ("A", "B")]
        ids.append(await over(bench, client, "Few", 29))
        data = await client.call("get_campaign_results", campaign_id=ids[0], campaign_ids=ids[1:])
    told = data["differences"]
    assert len(told) == 3
    assert "may be chance" in told[0]
    assert all("not enough calls" in line for line in told[1:])


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({}, "campaign_id"),
        ({"campaign_ids": []}, "campaign_id"),
        ({"campaign_id": "a" * 24, "campaign_ids": IDS[:5]}, "campaign_ids"),
        ({"campaign_ids": IDS}, "campaign_ids"),
    ],
)  # fmt: skip
async def test_none_or_too_many_are_refused_before_anything_is_read(
    bench: Bench, arguments: dict[str, Any], argument: str
) -> None:
    async with bench.client() as client:
        text = await client.refused("get_campaign_results", **arguments)
    assert f"{argument}:" in text
    assert bench.wire.requests == []


async def test_a_campaign_that_does_not_exist_is_not_left_out_of_a_comparison(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        one = await over(bench, client, "One")
        text = await client.refused("get_campaign_results", campaign_ids=[one, "f" * 24])
        named = await client.refused("get_campaign_results", campaign_ids=[one, "No such"])
    assert "not found" in text.lower()
    assert "campaign_ids:" in named
