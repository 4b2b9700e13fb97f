"""Questions that people ask after a campaign, each answered through the protocol in a few calls."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def after(bench: Bench, **retries: int) -> AsyncGenerator[tuple[Caller, dict[str, str]]]:
    """An account in which a campaign has finished for each name, on a list of its own."""
    ids: dict[str, str] = {}
    async with bench.client() as client:
        for place, (name, most) in enumerate(retries.items()):
            rows = [f"+1415555{1000 * place + n:04d},C {n}" for n in range(100, 220)]
            await client.call(
                "create_audience", name=f"{name} list", csv="\n".join(["phone,name", *rows])
            )
            draft = {**DRAFT, "name": name, "audience_id": f"{name} list", "max_retries": most}
            made = await client.call("create_campaign", **draft)
            await client.call("start_campaign", campaign_id=made["campaign_id"])
            bench.clock.advance(hours=8)
            ids[name] = made["campaign_id"]
        yield client, ids


async def logged(bench: Bench, campaign: str) -> list[dict[str, Any]]:
    path = f"/conversation?campaignIds={campaign}&callAttemptFilter=all&limit=500"
    return (await bench.api("GET", path))["logs"]


def counts(entries: list[str]) -> dict[str, int]:
    parts = [entry.rpartition(": ") for entry in entries]
    return {name.strip('"'): int(count) for name, _, count in parts}


@pytest.mark.slow
async def test_tell_me_how_it_went(bench: Bench) -> None:
    async with after(bench, January=1) as (client, ids):
        listed = await client.call("list_campaigns", status="finished", limit=1)
        name = listed["campaigns"][0]["name"]
        result = await client.raw("get_campaign_results", campaign_id=name)
    calls = await logged(bench, ids["January"])
    reached = [call for call in calls if call["status"] == "completed"]
    wrong = [call for call in reached if call["dispositionMetrics"]["right_person"] == "no"]
    told, text = result.structured_content, text_of(result)
    assert told is not None
    assert (told["called"], told["connected"]) == (120, len(reached))
    assert listed["campaigns"][0]["connected_percent"] == told["connected_percent"]
    assert counts(told["dispositions"])["right_person: no"] == len(wrong) > 0
    assert counts(told["dispositions"])["interested: no"] > len(wrong)
    assert f"{len(reached)} connected ({told['connected_percent']}%" in text
    assert f"cost {told['cost']:g} USD" in text
    assert len(text) < 4_000


@pytest.mark.slow
async def test_who_should_be_called_again_and_why_did_they_not_answer(bench: Bench) -> None:
    async with after(bench, January=1) as (client, ids):
        missed = await client.call(
            "get_campaign_results", campaign_id="January", outcome="not_reached", limit=100
        )
        again = await client.call(
            "create_audience", name="Again", from_campaign_id="January", dry_run=True
        )
    last: dict[str, dict[str, Any]] = {}
    for call in sorted(await logged(bench, ids["January"]), key=lambda c: c["retryAttemptNumber"]):
        last[call["to"]] = call
    wanted = [call for call in last.values() if call["status"] in {"no_answer", "failed"}]
    busy = sum(call["disconnectionReason"] == "dial_busy" for call in wanted)
    assert missed["total"] == len(missed["results"]) == len(wanted) > 0
    assert counts(missed["not_reached"]) == Counter(row["cause"] for row in missed["results"])
    assert counts(missed["not_reached"]).get("busy", 0) == busy
    assert all(row["name"] and row["key"] for row in missed["results"])
    assert again["contacts"] == missed["total"]
    assert "create_audience" in missed["next_step"]


@pytest.mark.slow
async def test_which_of_the_two_did_better(bench: Bench) -> None:
    async with after(bench, Once=0, Often=8) as (client, ids):
        listed = await client.call("list_campaigns", status="finished", limit=2)
        names = [row["name"] for row in listed["campaigns"]]
        compared = await client.raw("get_campaign_results", campaign_ids=names)
    told = compared.structured_content
    assert told is not None
    assert names == ["Often", "Once"]
    assert [row["campaign_id"] for row in told["compared"]] == [ids[name] for name in names]
    (line,) = told["differences"]
    assert 'more than chance: "Often" connects more' in line
    assert line in text_of(compared)
