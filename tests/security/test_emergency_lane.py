"""Whatever tool is an emergency has the lane of emergencies, and no other."""

import json

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from atoms_campaigns_mcp.server import jsonrpc
from atoms_campaigns_mcp.server.http.middleware import request_kind
from atoms_campaigns_mcp.tool_calls.catalog import emergencies
from atoms_campaigns_mcp.toolkit.registry import load, names

pytestmark = pytest.mark.anyio


async def gets_through(tool: str) -> bool:
    body = json.dumps({"method": "tools/call", "params": {"name": tool}}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = Headers({"content-length": str(len(body))}).raw
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers}
    return await request_kind.emergency(scope, receive) is not None


async def test_the_lane_is_for_the_tools_that_say_so() -> None:
    declared = {name for name in names() if load(name).emergency}
    assert {name for name in names() if await gets_through(name)} == declared == emergencies()


async def test_another_emergency_gets_through_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "emergencies", lambda: {"get_account"})
    assert await gets_through("get_account")
    assert not await gets_through("pause_campaign")
