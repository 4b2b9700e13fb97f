"""Whether it is the sandbox is told with every answer: errors and questions too."""

from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.atoms.client import AtomsClient
from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
LIVE: dict[str, Any] = {"api_key": "sk_live", "rate": 1e6}


async def failed(client: Caller, tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    result = await client.raw(tool, **arguments)
    assert result.is_error
    assert result.structured_content is not None
    return result.structured_content, text_of(result)


@pytest.mark.parametrize("mode", ["sandbox", "live"])
async def test_every_kind_of_error_tells_the_mode_in_both_renderings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    if mode == "live":
        bench.configure(**LIVE)

    async def crash(*_: object, **__: object) -> None:
        raise ValueError("boom")

    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        told = [
            await failed(client, "get_campaign_status", campaign_id=""),
            await failed(client, "get_campaign_status", campaign_id="0" * 24),
            await failed(client, "start_campaign", campaign_id=made["campaign_id"]),
            await failed(client, "no_such_tool"),
        ]
        monkeypatch.setattr(AtomsClient, "list_agents", crash)
        told.append(await failed(client, "list_agents"))
    codes = ["invalid_arguments", "not_found", "not_confirmed", "invalid_arguments", "crashed"]
    assert [data["code"] for data, _ in told] == codes
    for data, text in told:
        assert data["mode"] == mode
        assert text == f"[{mode}] {data['message']} {data['next_step']}"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"Retry-After": "120"}, 120), ({"retry-after-ms": "90500"}, 91), ({}, 9)],  # our own pace
)
async def test_how_long_to_wait_is_told_in_whole_seconds_in_both_renderings(
    bench: Bench, headers: dict[str, str], wait: int
) -> None:
    body = {"status": False, "errors": ["Too many requests"]}
    answer = httpx2.MockTransport(lambda _: httpx2.Response(429, json=body, headers=headers))
    bench.wire.below = answer
    async with bench.client() as client:
        data, text = await failed(client, "list_agents")
    assert data["code"] == "rate_limited"
    assert data["retry_after"] == wait
    assert f"Wait {wait} seconds" in text


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("mode", ["sandbox", "live"])
async def test_who_is_asked_reads_that_it_is_the_sandbox_and_the_yes_still_counts(
    bench: Bench, era: str, mode: str
) -> None:
    if mode == "live":
        bench.configure(**LIVE)
    async with bench.client(era) as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        later = await client.call("create_campaign", **{**DRAFT, "name": "B"}, scheduled_at=WHEN)
        await client.call("delete_campaign", campaign_id=later["campaign_id"])
    before = "[sandbox] " if mode == "sandbox" else ""
    starts = [f"{before}Start", f"{before}Schedule", f"{before}Delete"]
    assert [q.partition(" campaign")[0] for q in bench.questions] == starts
    calls = "simulated calls" if mode == "sandbox" else "real phone calls"
    assert [f"It places {calls} to" in q for q in bench.questions] == [True, True, False]


async def test_the_question_of_a_refused_call_says_that_it_is_the_sandbox(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        data, _ = await failed(client, "start_campaign", **campaign)
        started = await client.call(
            "start_campaign", **campaign, confirm_token=data["confirm_token"]
        )
    assert 'the user\'s agreement: [sandbox] Start campaign "January renewals"' in data["message"]
    assert started["changed"]
