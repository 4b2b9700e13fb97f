"""What an error tells the agent to do next: it names the tool, and it does help."""

import json
from typing import Any

import httpx2
import pytest

from tests.support.api_double import Api, connected, refused
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.serving import Caller, text_of
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
ABSENT = "f" * 24
CALL = "CALL-1778226705739-7e4c17"


@pytest.mark.parametrize(
    ("tool", "given", "lists"),
    [
        ("get_campaign_status", {"campaign_id": ABSENT}, "list_campaigns"),
        ("get_campaign_results", {"campaign_id": ABSENT}, "list_campaigns"),
        ("get_call", {"call_id": CALL}, "list_calls"),
    ],
)
async def test_what_is_not_found_is_not_repeated_and_the_tool_that_lists_it_is_named(
    bench: Bench, tool: str, given: dict[str, str], lists: str
) -> None:
    async with bench.client() as client:
        result = await client.raw(tool, **given)
    data = result.structured_content
    assert data is not None
    assert (data["code"], data["next_step"]) == ("not_found", f"Check the id with {lists}.")
    for value in given.values():
        assert value not in text_of(result) + json.dumps(data)


@pytest.mark.parametrize(
    ("words", "path", "lists"),
    [
        ("Not found", f"/campaign/{ABSENT}/start", "list_campaigns."),
        ("Not found", f"/audience/{ABSENT}/members", "list_audiences."),
        ("Not found", f"/agent/{ABSENT}", "list_agents."),
        ("Not found", f"/conversation/{CALL}", "list_calls."),
        ("Agent not found", f"/campaign/{ABSENT}/start", "list_agents."),
        ("Not found", "/dnc", "list_campaigns, list_audiences and list_agents."),
    ],
)
async def test_the_list_is_that_of_what_the_words_or_else_the_path_are_about(
    words: str, path: str, lists: str
) -> None:
    api = Api([refused(404, words)])
    async with connected(httpx2.MockTransport(api.handle), FakeClock()) as opened:
        with pytest.raises(Exception, match=words) as caught:
            await opened.read(path)
    assert str(caught.value).endswith(lists)


@pytest.mark.slow
async def test_members_of_a_campaign_that_calls_can_be_added_once_it_is_paused_as_is_said(
    bench: Bench,
) -> None:
    more: dict[str, Any] = {"audience_id": AUDIENCE, "csv": "phone\n+12025550145"}
    async with bench.client() as client:
        campaign = await running(client)
        text = await client.refused("add_contacts", **more)
        await client.call("pause_campaign", **campaign)
        added = await client.call("add_contacts", **more)
    assert "is running on this audience" in text
    assert "pause_campaign" in text
    assert "create_audience" in text
    assert added["added"] == 1


async def running(client: Caller) -> dict[str, str]:
    campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
    await client.call("start_campaign", **campaign)
    return campaign


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("name: Required", "Change what it names"),
        ("Bad input; retryDelay: too large", "Change what it names"),
        ("Too bad", "tell the user what the API says"),
    ],
)
@pytest.mark.parametrize("status", [400, 200])
async def test_a_refusal_that_names_nothing_does_not_ask_to_change_what_it_names(
    bench: Bench, words: str, step: str, status: int
) -> None:
    bench.wire.below = httpx2.MockTransport(lambda _: refused(status, words))
    async with bench.client() as client:
        text = await client.refused("list_audiences")
    assert words in text
    assert step in text
