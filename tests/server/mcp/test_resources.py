import csv
import io
import json
import re
from typing import Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
GUIDE = "atoms://guide"


async def read(client: Caller, uri: str) -> tuple[str, str]:
    """Return the kind and the text of a resource."""
    (content,) = (await client.client.read_resource(uri)).contents
    assert str(content.uri) == uri
    return content.mime_type or "", getattr(content, "text", "")


async def finished(bench: Bench, client: Caller) -> str:
    made = await client.call("create_campaign", **{**DRAFT, "audience_id": "Spring renewals"})
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.clock.advance(hours=5)
    return made["campaign_id"]


@pytest.mark.parametrize("era", ERAS)
async def test_the_guide_is_listed_and_explains_every_state(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        row, *_ = (await client.client.list_resources()).resources
        kind, text = await read(client, str(row.uri))
    assert (str(row.uri), row.mime_type, kind) == (GUIDE, "text/markdown", "text/markdown")
    states = ("draft", "scheduled", "processing", "running", "paused", "completed", "failed")
    for word in (*states, "max_retries", "retry_delay", "contacts_called", "contacts_connected"):
        assert word in text
    assert bench.wire.requests == []


async def test_the_guide_names_only_tools_that_exist(bench: Bench) -> None:
    async with bench.client() as client:
        _, text = await read(client, GUIDE)
        tools = {tool.name for tool in (await client.client.list_tools()).tools}
    named = set(re.findall(r"\b(?:get|list|create|start|pause|delete|watch|add)_[a-z_]+\b", text))
    assert named <= tools
    assert len(named) > 5


async def test_templates_lead_to_a_campaigns_resources(bench: Bench) -> None:
    async with bench.client() as client:
        rows = (await client.client.list_resource_templates()).resource_templates
    assert {row.uri_template: row.mime_type for row in rows} == {
        "atoms://campaigns/{campaign_id}": "application/json",
        "atoms://campaigns/{campaign_id}/results.csv": "text/csv",
    }


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_snapshot_is_what_the_status_tool_gives(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        campaign = await finished(bench, client)
        kind, text = await read(client, f"atoms://campaigns/{campaign}")
        report = await client.call("get_campaign_status", campaign_id=campaign)
    assert kind == "application/json"
    snapshot: dict[str, Any] = json.loads(text)
    told = {k: v for k, v in report.items() if k != "next_step"}
    assert {k: v for k, v in snapshot.items() if k != "next_step"} == told
    assert (snapshot["status"], snapshot["mode"]) == ("completed", "sandbox")


@pytest.mark.slow
async def test_the_results_are_a_masked_row_for_each_contact(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await finished(bench, client)
        report = await client.call("get_campaign_results", campaign_id=campaign, limit=100)
        kind, text = await read(client, f"atoms://campaigns/{campaign}/results.csv")
    assert kind == "text/csv"
    rows = list(csv.DictReader(io.StringIO(text)))
    shown = [(row["phoneNumber"], row["finalStatus"], int(row["attempts"])) for row in rows]
    assert shown == [(r["phone"], r["final_status"], r["attempts"]) for r in report["results"]]
    assert [row["name"] for row in rows] == [row["name"] for row in report["results"]]
    assert not re.search(r"\+?\d{9}", text)


@pytest.mark.slow
async def test_the_operator_may_have_numbers_shown(bench: Bench) -> None:
    bench.configure(show_numbers=True)
    async with bench.client() as client:
        campaign = await finished(bench, client)
        _, text = await read(client, f"atoms://campaigns/{campaign}/results.csv")
    assert "*" not in text
    assert len(re.findall(r"\+\d{11,12}", text)) >= 25


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "uri",
    [
        "atoms://nothing",
        "atoms://guide/more",
        "atoms://campaigns",
        "atoms://campaigns/not-an-id",
        f"atoms://campaigns/{'A' * 24}",
        f"atoms://campaigns/{'a' * 24}/results.json",
        f"atoms://campaigns/{'a' * 24}/../../etc/passwd",
        "file:///etc/passwd",
        "https://example.com/atoms://guide",
    ],
)
async def test_an_unknown_address_is_an_invalid_argument(bench: Bench, era: str, uri: str) -> None:
    async with bench.client(era) as client:
        error = await refused(client, uri)
    assert error.code == INVALID_PARAMS
    assert GUIDE in error.message
    assert bench.wire.requests == []


async def refused(client: Caller, uri: str) -> MCPError:
    with pytest.raises(MCPError) as failure:
        await client.client.read_resource(uri)
    return failure.value


@pytest.mark.parametrize("end", ["", "/results.csv"])
async def test_a_campaign_that_does_not_exist_is_an_invalid_argument(
    bench: Bench, end: str
) -> None:
    async with bench.client() as client:
        error = await refused(client, f"atoms://campaigns/{'f' * 24}{end}")
    assert error.code == INVALID_PARAMS
    assert "Campaign not found" in error.message


async def test_an_api_that_is_away_is_not_the_readers_mistake(bench: Bench) -> None:
    bench.wire.below = httpx2.MockTransport(
        lambda _: httpx2.Response(502, text="<html>secret stack</html>")
    )
    async with bench.client() as client:
        error = await refused(client, f"atoms://campaigns/{'f' * 24}")
    assert error.code == INTERNAL_ERROR
    assert "has a fault (502)" in error.message
    assert "secret" not in error.message


async def test_reading_changes_nothing_even_where_all_is_allowed(bench: Bench) -> None:
    bench.configure(confirm="never")
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        for end in ("", "/results.csv"):
            await read(client, f"atoms://campaigns/{made['campaign_id']}{end}")
    assert bench.wire.changes == ["campaign"]
