"""What else an entry of the journal says: world, campaign, what was created, a refused yes."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ElicitResult

from tests.support.bench import Bench
from tests.support.serving import ERAS
from tests.support.world import CALLER_NUMBER, DRAFT
from tests.tool_calls.test_journaling import audience, draft, impatient, journal, locked

pytestmark = pytest.mark.anyio
__all__ = ["impatient"]


async def test_the_accounts_own_caller_ids_are_kept_in_full(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **{**DRAFT, "phone_ids": [CALLER_NUMBER]})
    (entry,) = await journal(bench)
    assert json.loads(entry.intent.arguments)["phone_ids"] == [CALLER_NUMBER]


@pytest.mark.slow
async def test_an_entry_names_its_world_its_campaign_and_what_was_created(bench: Bench) -> None:
    async with bench.client() as client:
        made = await audience(client)
        campaign = await draft(client)
        await client.call("start_campaign", campaign_id=campaign)
        bench.clock.advance(seconds=40)
        await client.call("pause_campaign", campaign_id=campaign, hang_up=True)
        await client.call("delete_campaign", campaign_id=campaign)
    told = [
        (entry.intent.tool, entry.intent.campaign_id, entry.created)
        for entry in await journal(bench)
    ]
    assert told[:3] == [
        ("create_audience", "", made),
        ("create_campaign", campaign, campaign),
        ("start_campaign", campaign, ""),
    ]
    # The pause, and each call that it ended.
    assert len(told) > 5
    assert set(told[3:-1]) == {("pause_campaign", campaign, "")}
    assert told[-1] == ("delete_campaign", campaign, "")
    assert {entry.intent.mode for entry in await journal(bench)} == {"sandbox"}


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_that_is_no_yes_is_recorded_with_its_seconds(
    bench: Bench, era: str
) -> None:
    def declines(_: str) -> Any:
        bench.clock.advance(seconds=3)
        return ElicitResult(action="decline")

    async with bench.client(era, answer=declines) as client:
        campaign = await draft(client)
        await client.refused("start_campaign", campaign_id=campaign)
    entry = (await journal(bench))[-1]
    assert (entry.intent.tool, entry.intent.campaign_id) == ("start_campaign", campaign)
    assert (entry.outcome, entry.detail) == ("refused", "the client answered: declined")
    assert (entry.intent.confirmed, entry.intent.answered_after) == ("asked", 3)
    assert len(entry.intent.digest) == 64
    assert not entry.intent.dials


@pytest.mark.usefixtures("impatient")
async def test_a_no_stays_a_no_while_the_journal_is_locked(bench: Bench, tmp_path: Path) -> None:
    held: list[Any] = []

    def declines(_: str) -> Any:
        held.append(locked(tmp_path))
        held[0].__enter__()
        return ElicitResult(action="decline")

    async with bench.client(answer=declines) as client:
        campaign = await draft(client)
        text = await client.refused("start_campaign", campaign_id=campaign)
    held[0].__exit__(None, None, None)
    assert "declined" in text
    assert bench.wire.changes == ["campaign"]
