"""What hosts send, through a client in memory."""

import pytest

from tests.hosts.messages import MESSAGES, HostMessage, filled
from tests.support.bench import Bench
from tests.support.serving import text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


@pytest.mark.slow
@pytest.mark.parametrize("message", MESSAGES, ids=str)
async def test_what_a_host_sends_comes_out_right(bench: Bench, message: HostMessage) -> None:
    async with bench.client() as client:
        draft = await client.call("create_campaign", **DRAFT)
        running = await client.call("create_campaign", **{**DRAFT, "name": "It dials"})
        await client.call("start_campaign", campaign_id=running["campaign_id"])
        bench.wire.requests.clear()
        arguments = filled(
            message,
            draft=draft["campaign_id"],
            running=running["campaign_id"],
            name=running["name"],
        )
        result = await client.raw(message.tool, **arguments)
        state = await client.call("get_campaign_status", campaign_id=running["campaign_id"])
    assert result.is_error == (message.outcome == "refused"), text_of(result)
    assert ("Ignored: " in text_of(result)) == (message.outcome == "ignored")
    if message.outcome == "refused":
        assert bench.wire.changes == []
    if message.tool == "pause_campaign" and arguments.get("campaign_id"):
        assert state["status"] == "paused"
