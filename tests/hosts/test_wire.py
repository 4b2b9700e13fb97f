"""What hosts send comes out right on the wire itself, in both eras and on both transports."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.messages import MESSAGES, HostMessage, filled
from tests.hosts.wire import Ask, over_http, over_stdio
from tests.support.world import DRAFT

pytestmark = pytest.mark.slow
Open = Callable[[Path, str], AbstractContextManager[Ask]]


@pytest.fixture(scope="module", params=["legacy", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=[over_stdio, over_http])
def ask(
    request: pytest.FixtureRequest, era: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Ask]:
    opened: Open = request.param
    with opened(tmp_path_factory.mktemp("state"), era) as ask:
        yield ask


def call(ask: Ask, tool: str, **arguments: Any) -> dict[str, Any]:
    return ask("tools/call", {"name": tool, "arguments": arguments})["result"]


def agreed(ask: Ask, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that asks for agreement; the user says yes."""
    token = call(ask, tool, **arguments)["structuredContent"]["confirm_token"]
    return call(ask, tool, **arguments, confirm_token=token)["structuredContent"]


def made(ask: Ask, name: str) -> str:
    given = {**DRAFT, "name": name, "allow_duplicate": True}
    return call(ask, "create_campaign", **given)["structuredContent"]["campaign_id"]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
def test_what_a_host_sends_comes_out_right_on_the_wire(ask: Ask, message: HostMessage) -> None:
    name = f"It dials {MESSAGES.index(message)}"
    draft, running = made(ask, "A draft"), made(ask, name)
    agreed(ask, "start_campaign", campaign_id=running)
    given = filled(message, draft=draft, running=running, name=name)
    if message.tool == "create_campaign":
        # The server has seen the host's other drafts.
        given = {**given, "allow_duplicate": True}
    result = call(ask, message.tool, **given)
    state = call(ask, "get_campaign_status", campaign_id=running)["structuredContent"]["status"]
    call(ask, "pause_campaign", campaign_id="all")
    agreed(ask, "delete_campaign", campaign_id=running)
    agreed(ask, "delete_campaign", campaign_id=draft)

    data, text = result["structuredContent"], result["content"][0]["text"]
    # Nobody can be asked here: with a question the arguments have been taken.
    refused = result.get("isError", False) and data.get("code") != "not_confirmed"
    assert refused == (message.outcome == "refused"), text
    assert ("Ignored: " in text) == (message.outcome == "ignored")
    if message.tool == "pause_campaign" and given.get("campaign_id"):
        assert state == "paused"
