"""How long a call keeps others out: while it works, and longer only if nobody knows what it did."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.state.open import journal_entries
from atoms_campaigns_mcp.state.sqlite.locks import SqliteLocks
from atoms_campaigns_mcp.tool_calls.locks import LOOKING, SENDING
from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
REFUSAL = httpx2.Response(400, json={"status": False, "errors": ["Not today"]})
BUSY = "Another call is changing the same thing"


@dataclass
class Held:
    """Holds the requests that change a campaign until they are let go."""

    answer: httpx2.Response | None = None
    arrived: anyio.Event = field(default_factory=anyio.Event)
    released: anyio.Event = field(default_factory=anyio.Event)

    @asynccontextmanager
    async def at(self, bench: Bench, path: str) -> AsyncGenerator[None]:
        below = bench.wire.below

        async def handle(request: httpx2.Request) -> httpx2.Response:
            if not request.url.path.endswith(path) or request.method != "POST":
                return await below.handle_async_request(request)
            self.arrived.set()
            await self.released.wait()
            return self.answer or await below.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(handle)
        try:
            yield
        finally:
            bench.wire.below = below


async def draft(bench: Bench) -> dict[str, Any]:
    bench.configure(confirm="never")
    async with bench.client() as client:
        return {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_keeps_nobody_out_once_its_change_is_answered(
    bench: Bench, era: str
) -> None:
    campaign, held = await draft(bench), Held(REFUSAL)
    async with (
        held.at(bench, "/start"),
        bench.client(era) as client,  # whoever leaves it waits for what it began
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: client.raw("start_campaign", **campaign))
        await held.arrived.wait()
        tasks.cancel_scope.cancel()
        held.released.set()
    (entry,) = await journal_entries(bench.settings, 1)
    assert (entry.intent.tool, entry.outcome) == ("start_campaign", "refused")
    async with bench.client() as client:
        started = await client.call("start_campaign", **campaign)
    assert started["status"] == "running"


async def test_a_call_that_is_cancelled_while_it_takes_its_claim_gives_it_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a Redis that has taken the lock, and has not yet said so."""
    campaign, take = await draft(bench), SqliteLocks.acquire
    taken, told = anyio.Event(), anyio.Event()

    async def slowly(store: SqliteLocks, *wanted: Any) -> bool:
        held = await take(store, *wanted)
        taken.set()
        await told.wait()
        return held

    async with bench.client() as client:
        monkeypatch.setattr(SqliteLocks, "acquire", slowly)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.raw("start_campaign", **campaign))
            await taken.wait()
            tasks.cancel_scope.cancel()
            told.set()
    monkeypatch.undo()
    async with bench.client() as client:
        assert (await client.call("start_campaign", **campaign))["status"] == "running"


@asynccontextmanager
async def shutdown(bench: Bench) -> AsyncGenerator[tuple[Caller, RuntimePool]]:
    """A server that a test may tell to end."""
    runtimes = RuntimePool(bench.settings, clocks=bench.clock.clocks(), network=bench.wire)
    async with Client(build(bench.settings, runtimes)) as client:
        yield Caller(client), runtimes
    await runtimes.close()


@pytest.mark.slow
@pytest.mark.parametrize("cancelled", [False, True], ids=["SIGTERM", "end of stdin"])
async def test_a_change_that_the_end_of_a_server_cuts_short_keeps_the_same_one_out_for_a_while(
    bench: Bench, *, cancelled: bool
) -> None:
    """What was sent may still be carried out, and nobody has looked."""
    campaign, held = await draft(bench), Held()
    answers = list[str]()

    async def start(client: Caller) -> None:
        answers.append(text_of(await client.raw("start_campaign", **campaign)))

    async with (
        held.at(bench, "/start"),
        shutdown(bench) as (client, runtimes),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(start, client)
        await held.arrived.wait()
        runtimes.shutdown.hurry(0)
        if cancelled:
            tasks.cancel_scope.cancel()
    assert cancelled or "was ended while the change was under way" in answers[0]
    assert (await journal_entries(bench.settings, 1))[0].outcome == ""
    async with bench.client() as client:
        assert BUSY in await client.refused("start_campaign", **campaign)
        bench.clock.advance(seconds=LOOKING + 1)
        assert BUSY in await client.refused("start_campaign", **campaign)
        bench.clock.advance(seconds=SENDING - LOOKING)
        assert (await client.call("start_campaign", **campaign))["status"] == "running"


async def test_a_creation_that_the_end_of_a_server_cuts_short_is_found_and_not_made_again(
    bench: Bench,
) -> None:
    bench.configure(confirm="never")
    held = Held()
    async with (
        held.at(bench, "/campaign"),
        shutdown(bench) as (client, runtimes),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: client.raw("create_campaign", **DRAFT))
        await held.arrived.wait()
        runtimes.shutdown.hurry(0)
    body = {
        "name": DRAFT["name"],
        "agentId": DRAFT["agent_id"],
        "audienceId": DRAFT["audience_id"],
        "phoneNumberIds": DRAFT["phone_ids"],
        "maxRetries": 3,
        "retryDelay": 15,
    }
    async with bench.client() as client:
        assert "is being carried out" in await client.refused("create_campaign", **DRAFT)
        late = await bench.api("POST", "/campaign", body)
        bench.clock.advance(seconds=SENDING + 1)
        made = await client.call("create_campaign", **DRAFT)
    assert made["campaign_id"] == late["_id"]
    assert "earlier equal request" in made["next_step"]
