"""How a host finds the campaign monitor; the page itself is tested in tests/monitor."""

import pytest
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from atoms_campaigns_mcp.server.mcp.monitor.app import PAGE
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.bench import Bench
from tests.support.serving import ERAS

MONITOR = "ui://atoms/monitor"


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_page_is_listed_and_read_as_an_app_that_asks_for_no_network(
    bench: Bench, era: str
) -> None:
    async with bench.client(era) as client:
        listed = (await client.client.list_resources()).resources
        (content,) = (await client.client.read_resource(MONITOR)).contents
    (row,) = [row for row in listed if str(row.uri) == MONITOR]
    assert (row.mime_type, content.mime_type) == (APP_MIME_TYPE, APP_MIME_TYPE)
    assert getattr(content, "text", "") == PAGE.read_text("utf-8")
    assert content.meta == row.meta == {"ui": {"csp": {}, "prefersBorder": True}}
    assert bench.wire.requests == []


@pytest.mark.anyio
async def test_the_extension_is_advertised_to_clients_of_the_stateless_era(bench: Bench) -> None:
    async with bench.client("auto") as client:
        assert client.client.server_capabilities.extensions == {EXTENSION_ID: {}}


def test_what_shows_a_campaign_names_the_page_and_nothing_else_does() -> None:
    tools = {tool["name"]: tool.get("_meta") for tool in Catalog.read().tools()}
    assert {name for name, meta in tools.items() if meta} == {
        "get_campaign_status",
        "preview_campaign",
        "schedule_waves",
        "watch_campaign",
    }
    assert all(meta == {"ui": {"resourceUri": MONITOR}} for meta in tools.values() if meta)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_page_reaches_clients_with_the_tool(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        tools = {tool.name: tool.meta for tool in (await client.client.list_tools()).tools}
    assert tools["watch_campaign"] == {"ui": {"resourceUri": MONITOR}}
    assert tools["pause_campaign"] is None
