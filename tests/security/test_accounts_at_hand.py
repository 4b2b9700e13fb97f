"""An account that a call still uses makes no room for another."""

from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult

from atoms_campaigns_mcp.server import runtime_pool
from tests.support.serving import Caller
from tests.support.team import ANNA, BERT, prepared, serving_team
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
CARL = "sk_tenant_carl"


@pytest.mark.slow
async def test_a_call_that_waits_for_its_user_keeps_its_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_pool, "MOST", 2)
    monkeypatch.setattr(runtime_pool, "RESTING", 100.0)  # its plan is good for 300
    asked, go, started = anyio.Event(), anyio.Event(), list[str]()

    async def thinking(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        asked.set()
        await go.wait()
        return ElicitResult(action="accept", content={"confirm": True})

    with prepared(tmp_path) as bench:
        async with (
            serving_team(bench) as team,
            team.http(ANNA) as http,
            Client(
                streamable_http_client(f"{team.url}/mcp", http_client=http),
                mode="legacy",
                elicitation_callback=thinking,
            ) as anna,
            team.client(BERT) as bert,
            team.client(CARL) as carl,
            anyio.create_task_group() as tasks,
        ):
            made = await Caller(anna).call("create_campaign", **DRAFT)

            async def start() -> None:
                campaign = {"campaign_id": made["campaign_id"]}
                started.append((await Caller(anna).call("start_campaign", **campaign))["status"])

            tasks.start_soon(start)
            await asked.wait()
            bench.clock.advance(seconds=1)
            await bert.call("list_campaigns")
            bench.clock.advance(seconds=runtime_pool.RESTING + 1)
            await carl.call("list_campaigns")  # in the place of bert, who asks nothing
            assert "as many accounts as it can" in await bert.refused("list_campaigns")
            go.set()
    assert started == ["running"]
