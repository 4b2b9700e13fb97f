"""Servers of every kind that share a state: one account's are one, others' stay apart."""

from collections.abc import Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.config.identity import SANDBOX, account_of, tenant_of
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import journal_entries
from tests.support.bench import Bench
from tests.support.lost import nothing_done, trouble
from tests.support.serving import Caller, serving
from tests.support.team import ANNA, BERT, prepared, serving_team
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
SCHEDULED = {**DRAFT, "scheduled_at": "2027-01-05T10:00:00+05:30"}
LIST = {"name": "Leads", "csv": "phone\n+12025550143"}


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    with prepared(tmp_path) as bench:
        yield bench


def alone(bench: Bench, key: str) -> AbstractAsyncContextManager[Caller]:
    """A client of a server with a key of its own, or with none, as over stdio."""
    settings = replace(bench.settings, auth="", api_key=key)
    return serving(settings, bench.wire, clocks=bench.clock.clocks())


@pytest.mark.slow
async def test_two_kinds_of_servers_with_one_key_schedule_one_campaign(bench: Bench) -> None:
    below, arrived, released = bench.wire.below, anyio.Event(), anyio.Event()

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(slowly)
    async with (
        serving_team(bench) as team,
        team.client(ANNA) as one,
        alone(bench, ANNA) as two,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: one.call("create_campaign", **SCHEDULED))
        await arrived.wait()
        text = await two.refused("create_campaign", **SCHEDULED)
        assert "Another call is changing the same thing" in text
        released.set()
    assert bench.wire.changes == ["campaign"]


@pytest.mark.slow
async def test_two_kinds_of_servers_with_one_key_know_each_others_lost_creations_and_caller_ids(
    bench: Bench,
) -> None:
    async with serving_team(bench) as team, team.client(ANNA) as one:
        trouble(bench, "POST", nothing_done)
        await one.refused("create_campaign", **DRAFT)
    async with alone(bench, ANNA) as two:
        made = await two.call("create_campaign", **DRAFT)
    async with serving_team(bench) as team, team.client(ANNA) as one:
        seen = await one.call("preview_campaign", campaign_id=made["campaign_id"])
    assert "an earlier equal request had an unknown outcome" in made["next_step"].lower()
    assert "foreign_caller_id" in {found["rule"] for found in seen["findings"]}  # they are known
    told = [
        (entry.outcome, entry.intent.tenant) for entry in await journal_entries(bench.settings, 9)
    ]
    assert told == [("done", "local"), ("absent", tenant_of(ANNA))]


@pytest.mark.parametrize("other", ["", BERT], ids=["sandbox", "another key"])
async def test_a_server_of_another_account_does_not_settle_a_creation_of_unknown_outcome(
    bench: Bench, other: str
) -> None:
    async with alone(bench, ANNA) as live:
        trouble(bench, "POST", nothing_done)
        await live.refused("create_audience", **LIST)
    async with alone(bench, other) as elsewhere:
        made = await elsewhere.call("create_audience", **LIST)
    assert "unknown" not in made["next_step"]
    entries = await journal_entries(bench.settings, 9)
    assert [entry.outcome for entry in entries] == [
        "done",
        "unknown",
    ]


def test_every_server_without_a_key_has_the_sandboxs_account() -> None:
    assert account_of(Settings().api_key) == SANDBOX
    assert account_of(ANNA) == tenant_of(ANNA)
