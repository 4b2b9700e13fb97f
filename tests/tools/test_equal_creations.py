"""Creating a thing once: asking again after an unknown outcome or a crash, and equal campaigns."""

import json
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.open import journal_entries
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from atoms_campaigns_mcp.state.sqlite.locks import SqliteLocks
from atoms_campaigns_mcp.tool_calls.locks import SENDING
from tests.support.bench import Bench
from tests.support.lost import Sandbox, nothing_done, trouble
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T10:00:00+05:30"
CSV = "phone,name\n+12025550143,Ada\n+12025550144,Bob"
CREATIONS: dict[str, dict[str, Any]] = {
    "create_campaign": DRAFT,
    "create_audience": {"name": "Mine", "csv": CSV},
}


@pytest.mark.parametrize("how", [{}, {"scheduled_at": WHEN}], ids=["draft", "scheduled"])
async def test_asking_again_finds_what_was_made_after_nobody_looked_any_more(
    bench: Bench, how: dict[str, Any]
) -> None:
    late: list[httpx2.Request] = []

    async def put_off(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
        late.append(request)
        raise httpx2.ReadError("reset")

    async with bench.client() as client:
        sandbox = bench.wire.below
        trouble(bench, "POST", put_off)
        await client.refused("create_campaign", **DRAFT, **how)
        await sandbox.handle_async_request(late.pop())
        again = await client.call("create_campaign", **DRAFT, **how)
        third = await client.refused("create_campaign", **DRAFT, **how)
        rows = await client.call("list_campaigns", search=DRAFT["name"])
    assert "an earlier equal request, whose outcome had been unknown, made it" in again["next_step"]
    assert again["campaign_id"] in third
    assert len(rows["campaigns"]) == 1
    entries = await journal_entries(bench.settings, 9)
    assert [entry.outcome for entry in entries] == ["done"]


async def test_asking_again_creates_what_is_not_there_and_says_so(bench: Bench) -> None:
    async with bench.client() as client:
        trouble(bench, "POST", nothing_done)
        await client.refused("create_campaign", **DRAFT)
        again = await client.call("create_campaign", **DRAFT)
        rows = await client.call("list_campaigns", search=DRAFT["name"])
    assert "nothing of it was there, so this is new" in again["next_step"]
    assert len(rows["campaigns"]) == 1
    entries = await journal_entries(bench.settings, 9)
    assert [entry.outcome for entry in entries] == [
        "done",
        "absent",
    ]


@pytest.mark.parametrize("tool", CREATIONS)
async def test_after_a_crash_the_same_request_finds_what_the_first_one_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """The server ends between the API's answer and its record: the intent stays open."""
    arguments = CREATIONS[tool]

    async def gone(*_: object) -> None:
        raise SystemError("killed")

    async with bench.client() as client:
        monkeypatch.setattr(SqliteJournal, "finish", gone)
        await client.raw(tool, **arguments)
        monkeypatch.undo()
    async with bench.client() as client:
        again = await client.call(tool, **arguments)
    assert "an earlier equal request" in again["next_step"]
    assert bench.wire.changes == [tool.removeprefix("create_")]


async def test_a_killed_server_keeps_its_successor_out_for_less_than_a_minute(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise SystemError("killed")

    async with bench.client() as client:
        monkeypatch.setattr(SqliteJournal, "finish", gone)
        monkeypatch.setattr(SqliteLocks, "release", gone)
        await client.raw("create_campaign", **DRAFT)
        monkeypatch.undo()
    async with bench.client() as client:
        busy = await client.refused("create_campaign", **DRAFT)
        bench.clock.advance(seconds=41)
        again = await client.call("create_campaign", **DRAFT)
    assert "for up to 40 seconds" in busy
    assert "an earlier equal request" in again["next_step"]


async def test_an_equal_campaign_that_is_not_over_is_named_instead_of_made_again(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        first = await client.call("create_campaign", **DRAFT)
        text = await client.refused("create_campaign", **DRAFT, description="Other words")
        second = await client.call("create_campaign", **DRAFT, allow_duplicate=True)
    assert first["campaign_id"] in text
    assert "allow_duplicate" in text
    assert second["campaign_id"] != first["campaign_id"]
    assert bench.wire.changes == ["campaign", "campaign"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "January renewals 2"},
        {"audience_id": "Newsletter readers"},
        {"max_retries": 4},
        {"retry_delay": 16},
        {"scheduled_at": WHEN},
        {"phone_ids": ["6963d3a8862e1cb702da7244", "6963d3a8862e1cb702da7245"]},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_campaign_that_differs_in_anything_is_another_one(
    bench: Bench, change: dict[str, Any]
) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        if "phone_ids" in change:
            change = {"phone_ids": [row["id"] for row in numbers[:2]]}
        await client.call("create_campaign", **DRAFT)
        await client.call("create_campaign", **(DRAFT | change))
    assert bench.wire.changes == ["campaign", "campaign"]


@pytest.mark.slow
async def test_a_campaign_that_is_over_can_be_made_again(bench: Bench) -> None:
    async with bench.client() as client:
        first = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
        await client.call("start_campaign", **first)
        bench.clock.advance(hours=3)
        over = await client.call("get_campaign_status", **first)
        await client.call("create_campaign", **DRAFT)
    assert over["status"] == "completed"


async def test_two_equal_creations_at_once_make_one_campaign(bench: Bench) -> None:
    results: list[str] = []

    async def create(client: Caller) -> None:
        results.append(
            json.dumps((await client.raw("create_campaign", **DRAFT)).structured_content)
        )

    async with bench.client() as one, bench.client() as two, anyio.create_task_group() as tasks:
        for client in (one, two, one, two):
            tasks.start_soon(create, client)
    assert bench.wire.changes == ["campaign"]
    assert sum('"status": "draft"' in result for result in results) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [{}, {"scheduled_at": WHEN}], ids=["draft", "scheduled"])
@pytest.mark.parametrize("passed", [SENDING, -3600], ids=["slept", "clock set back"])
async def test_a_server_that_slept_before_it_could_send_leaves_it_to_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], passed: int
) -> None:
    begin = SqliteJournal.begin

    async def asleep(store: SqliteJournal, intent: Intent, at: float) -> int:
        entry = await begin(store, intent, at)
        bench.clock.advance(seconds=passed)
        return entry

    monkeypatch.setattr(SqliteJournal, "begin", asleep)
    async with bench.client() as client:
        text = await client.refused("create_campaign", **DRAFT, **how)
        assert "Nothing was sent: this server stood still for too long" in text
        assert bench.wire.changes == []
        monkeypatch.undo()
        await client.call("create_campaign", **DRAFT, **how)
    assert bench.wire.changes == ["campaign"]
    entries = await journal_entries(bench.settings, 9)
    assert [entry.outcome for entry in entries] == [
        "done",
        "refused",
    ]
