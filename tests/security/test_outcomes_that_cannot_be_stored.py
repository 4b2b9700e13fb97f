"""H1: an outcome that cannot be stored took the place of the real one."""

from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.state.open import journal_entries
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHOLE = b'{"status": false, "errors": ["No agent called Max"]}'
HALF = WHOLE.replace(b"Max", b"Max \\ud83d")


async def waiting(client: Caller) -> dict[str, Any]:
    return {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}


def refuse_starts(bench: Bench, body: bytes) -> None:
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start"):
            kind = {"Content-Type": "application/json"}
            return httpx2.Response(400, content=body, headers=kind)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(answer)


async def test_a_refusal_with_half_a_character_in_it_is_recorded_as_a_refusal(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await waiting(client)
        refuse_starts(bench, HALF)
        text = await client.refused("start_campaign", **campaign)
    assert "No agent called Max" in text
    (last,) = await journal_entries(bench.settings, 1)
    assert (last.intent.tool, last.outcome) == ("start_campaign", "refused")


@pytest.mark.parametrize("refused", [True, False], ids=["refused", "accepted"])
async def test_whatever_happens_while_an_outcome_is_recorded_the_real_one_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refused: bool
) -> None:
    async def finish(*_: object) -> None:
        raise ValueError("a fault of the store")

    async with bench.client() as client:
        campaign = await waiting(client)
        monkeypatch.setattr(SqliteJournal, "finish", finish)
        if refused:
            refuse_starts(bench, WHOLE)
            assert "No agent called Max" in await client.refused("start_campaign", **campaign)
        else:
            started = await client.call("start_campaign", **campaign)
            assert (started["status"], started["changed"]) == ("running", True)
    assert "is not recorded" in caplog.text


async def test_the_emergency_stop_goes_ahead_whatever_the_journal_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begin(*_: object, **__: object) -> int:
        raise ValueError("a fault of the store")

    async with bench.client() as client:
        campaign = await waiting(client)
        await client.call("start_campaign", **campaign)
        monkeypatch.setattr(SqliteJournal, "begin", begin)
        paused = await client.call("pause_campaign", **campaign)
    assert paused["status"] == "paused"
    assert "is not recorded" in paused["next_step"]
