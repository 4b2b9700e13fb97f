"""The vendor's own MCP server, smallest-mcp-server 0.11.2, over stdio.

Needs the path of its dist/index.js as argument, ATOMS_API_KEY and ATOMS_API_URL=http://HOST/atoms/v1.
It makes no audiences, so it borrows one of the sandbox's.
"""

import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import TextContent
from steps import (
    CALL_ENDS,
    NUMBERS,
    PEOPLE,
    RETRIES,
    RETRY_MINUTES,
    STARTING,
    check_details,
    check_results,
    step,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TOOLS = {
    "get_phone_numbers",
    "get_agents",
    "get_audiences",
    "create_campaign",
    "start_campaign",
    "get_campaign",
    "get_campaigns",
    "pause_campaign",
    "list_calls",
    "export_campaign_logs",
    "delete_campaign",
}


@dataclass
class Vendor:
    """A client of the vendor's server; it says failures in plain text, never as errors."""

    client: Client

    @classmethod
    @asynccontextmanager
    async def started(cls, **env: str) -> "AsyncGenerator[Vendor]":
        names = ("PATH", "HOME", "ATOMS_API_KEY", "ATOMS_API_URL")
        server = StdioServerParameters(
            command="node",
            args=[sys.argv[1]],
            env={**{name: os.environ[name] for name in names}, **env},
        )
        async with Client(stdio_client(server)) as client:
            yield cls(client)

    async def text(self, tool: str, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        (content,) = result.content
        assert isinstance(content, TextContent)
        return content.text

    async def read(self, tool: str, **arguments: Any) -> Any:
        text = await self.text(tool, **arguments)
        assert text.startswith(("{", "[")), f"{tool}: {text}"
        return json.loads(text)

    async def status(self, campaign_id: str) -> str:
        return (await self.read("get_campaign", campaign_id=campaign_id))["campaign"]["status"]

    async def wait_for(self, wanted: str, campaign_id: str, among: set[str]) -> None:
        with anyio.fail_after(60):
            while (seen := await self.status(campaign_id)) != wanted:
                assert seen in among, f"{seen} while waiting for {wanted}"
                await anyio.sleep(0.05)


async def look_around(vendor: Vendor) -> dict[str, Any]:
    """Read what there is; gives the arguments of a campaign."""
    offered = {tool.name for tool in (await vendor.client.list_tools()).tools}
    assert offered >= TOOLS, offered
    numbers = (await vendor.read("get_phone_numbers"))["numbers"]
    number = next(row for row in numbers if row["isActive"] and row.get("assignedAgentId"))
    assert number["phoneNumber"].startswith("+"), number
    agents = await vendor.read("get_agents", sort_field="name", sort_order="asc")
    assert agents["totalCount"] == len(agents["agents"]) > 0, agents
    assert number["assignedAgentId"] in [agent["_id"] for agent in agents["agents"]], agents
    audiences = await vendor.read("get_audiences")
    audience = next(row for row in audiences if not row["hasCampaigns"])
    step(f"get_phone_numbers, get_agents, get_audiences: {number['phoneNumber']} is active")
    return {
        "agent_id": number["assignedAgentId"],
        "audience_id": audience["_id"],
        "phone_number_ids": [number["productId"]],
    }


async def fill_audience(vendor: Vendor, audience_id: str) -> int:
    """Add people to an audience, take one out, and count."""
    audience = {"audience_id": audience_id}
    column = (await vendor.read("get_audience", **audience))["phoneNumberColumnName"]
    before = (await vendor.read("get_audience_members", **audience))["totalCount"]
    people = [{column: number, "name": f"{first} {last}"} for first, last, number in PEOPLE]
    (added,) = await vendor.read("add_audience_members", **audience, members=people)
    assert added["data"] == {"added": len(people), "skipped": 0}, added
    found = await vendor.read("search_audience_members", **audience, field_filters=people[0])
    (member,) = found["members"]
    assert member["data"][column] == NUMBERS[0], found
    gone = await vendor.read("delete_audience_members", **audience, member_ids=[member["_id"]])
    assert gone["deletedCount"] == 1, gone
    page = await vendor.read("get_audience_members", **audience, page=1, page_size=100)
    count = before + len(people) - 1
    assert len(page["members"]) == page["totalCount"] == count, page
    step(f"*_audience_members: {count} contacts")
    return count


async def run_campaign(vendor: Vendor, arguments: dict[str, Any], contacts: int) -> None:
    """From a draft to `not found`."""
    made = await vendor.read(
        "create_campaign",
        name="June Outreach",
        **arguments,
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    )
    assert (made["status"], made["participantsCount"]) == ("draft", contacts), made
    campaign_id = made["campaignId"]
    campaign = {"campaign_id": campaign_id}
    drafts = await vendor.read("get_campaigns", status="draft", search="june")
    assert [row["_id"] for row in drafts["campaigns"]] == [campaign_id], drafts
    assert (await vendor.text("pause_campaign", **campaign)).startswith("API error 400: ")
    step(f"create_campaign, get_campaigns: draft {campaign_id}")

    started = await vendor.read("start_campaign", **campaign)
    assert len(started["taskId"]) == 36, started
    await vendor.wait_for("running", campaign_id, STARTING)
    (row,) = (await vendor.read("get_campaigns", status="running"))["campaigns"]
    assert row["currentExecution"]["totalMembers"] == contacts, row
    assert "is being paused" in await vendor.text("pause_campaign", **campaign)
    await vendor.wait_for("paused", campaign_id, {"running"})
    step("start_campaign, pause_campaign: running, then paused")
    await vendor.read("start_campaign", **campaign)
    await vendor.wait_for("completed", campaign_id, STARTING)
    details = await vendor.read("get_campaign", **campaign)
    check_details(details, contacts)
    step("start_campaign: resumed, completed; metrics, events and executions agree")
    await check_calls(vendor, campaign, details)

    again = await vendor.text("start_campaign", **campaign)
    assert again.startswith('API error 400: {"status":false,"errors":['), again
    assert "deleted successfully" in await vendor.text("delete_campaign", **campaign)
    gone = f"Campaign not found: {campaign_id}"
    for tool in ("get_campaign", "delete_campaign", "export_campaign_logs"):
        assert await vendor.text(tool, **campaign) == gone, tool
    step("delete_campaign: not found from then on")


async def check_calls(vendor: Vendor, campaign: dict[str, Any], details: dict[str, Any]) -> None:
    """The export, the list of calls, and one call."""
    results = await vendor.read("export_campaign_logs", **campaign)
    check_results(results, details, RETRIES)
    # It reads every answer as JSON, also a file of comma-separated values.
    assert await vendor.text("export_campaign_logs", **campaign, format="csv") == "null"
    step(f"export_campaign_logs: {len(results)} contacts; as CSV null, as ever")
    calls = await vendor.read("list_calls", **campaign, limit=100)
    assert calls["total"] >= sum(result["totalAttempts"] for result in results), calls
    assert {call["callStatus"] for call in calls["logs"]} <= CALL_ENDS | {"cancelled"}, calls
    assert {call["campaignName"] for call in calls["logs"]} == {"June Outreach"}, calls
    reached = await vendor.read("list_calls", **campaign, call_status="completed")
    assert reached["total"] == details["metrics"]["contacts_connected"], reached
    dated = await vendor.read("list_calls", **campaign, start_date="2025-01-15", limit=100)
    assert dated["total"] == calls["total"], dated
    one = reached["logs"][0]
    call = await vendor.read("debug_call", call_id=one["callId"])
    assert (call["to"], call["duration"]) == (one["toNumber"], one["callDurationMs"] // 1000), call
    assert call["transcript"], call
    assert call["recordingUrl"], call
    step(f"list_calls, debug_call: {calls['total']} calls, one transcript")


async def main() -> None:
    """Run the vendor's server, then once more with another key."""
    package = Path(sys.argv[1]).parent.parent / "package.json"
    assert json.loads(package.read_text("utf-8"))["version"] == "0.11.2"
    async with Vendor.started() as vendor:
        arguments = await look_around(vendor)
        contacts = await fill_audience(vendor, arguments["audience_id"])
        await run_campaign(vendor, arguments, contacts)
    async with Vendor.started(ATOMS_API_KEY="nobody") as vendor:
        refused = await vendor.client.call_tool("get_campaigns", {})
        assert refused.is_error, refused
        assert "Invalid or revoked ATOMS_API_KEY" in str(refused.content), refused
    step("another key: Invalid or revoked ATOMS_API_KEY")


if __name__ == "__main__":
    anyio.run(main)
