"""The demonstration: a whole campaign in a temporary sandbox, as an agent would drive it.

A real server runs as a child process over real stdio, and the SDK's own client talks to it. The
environment's keys and addresses are not passed on.
"""

import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult
from rich.console import Console
from rich.text import Text

from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.cli.watch import View

SPEED = "300"  # virtual seconds a second: fast enough to watch, slow enough to see
PATIENCE = 60  # looks before the demonstration gives up
LOOK_EVERY = 0.25  # seconds


Until = Callable[[dict[str, Any]], bool]


class DemoError(Exception):
    """A step did not do what it should."""


def run() -> int:
    """Run the demonstration; 0 only if every step did what it should."""
    console, failures = Terminal(), list[str]()
    try:
        with tempfile.TemporaryDirectory(prefix="atoms-demo-") as folder:
            anyio.run(partial(_demonstrate, console, Path(folder)))
    except* DemoError as errors:  # out of the client's task groups
        failures = [str(error) for error in _leaves(errors)]
    if not failures:
        console.print("[bold green]Every step did what it should.[/] Nobody was called.")
        return 0
    console.print(Text.assemble(("The demonstration failed: ", "bold red"), *failures))
    console.print("Limits of a policy.toml hold for it too; doctor shows what is in force.")
    return 1


def _leaves(group: BaseExceptionGroup[DemoError]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _demonstrate(console: Console, folder: Path) -> None:
    async def confirm(context: Any, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        console.print(f"  [yellow]the person is asked:[/] {params.message}", highlight=False)
        console.print("  [yellow]the person answers:[/] yes")
        return ElicitResult(action="accept", content={"confirm": True})

    child = StdioServerParameters(
        command=sys.executable,
        args=[
            "-m",
            "atoms_campaigns_mcp",
            "serve",
            "--sandbox-speed",
            SPEED,
            "--state",
            str(folder),
        ],
    )
    with (folder / "server.log").open("w") as log:
        async with Client(stdio_client(child, errlog=log), elicitation_callback=confirm) as client:
            await _Story(console, client).tell()


@dataclass(frozen=True, slots=True)
class _Story:
    """The steps, each of which says what an agent would see."""

    console: Console
    client: Client

    async def tell(self) -> None:
        """Drive one campaign from its parts to its deletion."""
        numbers = await self._call("list_phone_numbers")
        caller = next(row for row in numbers["phone_numbers"] if row["active"])
        agents = await self._call("list_agents", limit=3)
        audiences = await self._call("list_audiences")
        audience = max(
            (row for row in audiences["audiences"] if row["contacts"] <= 100),  # noqa: PLR2004
            key=lambda row: row["contacts"],
        )
        plan = {
            "agent_id": agents["agents"][0]["name"],
            "phone_ids": [caller["number"]],
            "max_retries": 2,
            "retry_delay": 1,
        }
        made = await self._call(
            "create_campaign", name="Demo blocked", audience_id=audience["name"], **plan
        )
        # Some of its contacts are on the do-not-call list; a new audience leaves them out.
        await self._refused("start_campaign", campaign_id=made["campaign_id"])
        await self._call("create_audience", name="Demo contacts", from_audience_id=audience["name"])
        made = await self._call(
            "create_campaign", name="Demo renewals", audience_id="Demo contacts", **plan
        )
        campaign = {"campaign_id": made["campaign_id"]}
        await self._call("start_campaign", **campaign)
        await self._watch(campaign, until=lambda report: report["contacts_called"] > 0)
        await self._call("pause_campaign", **campaign)
        await self._call("get_campaign_status", **campaign)
        await self._call("start_campaign", **campaign)
        await self._watch(campaign, until=lambda report: report["status"] == "completed")
        report = await self._call("get_campaign_status", **campaign)
        if not 0 < report["contacts_connected"] <= report["total_participants"]:
            raise DemoError("nobody was connected")
        await self._call("delete_campaign", **campaign)
        left = await self._call("list_campaigns", search=made["campaign_id"])
        if left["campaigns"]:
            raise DemoError("the deleted campaign is still listed")

    async def _refused(self, tool: str, **arguments: Any) -> None:
        result, text = await self._answer(tool, arguments)
        if not result.is_error or "(dnc)" not in text:
            raise DemoError(f"{tool} was not refused because of the do-not-call list: {text}")
        self.console.print(f"  {text}", highlight=False, markup=False)

    async def _answer(self, tool: str, arguments: dict[str, Any]) -> tuple[CallToolResult, str]:
        words = ", ".join(
            f"{name}={textwrap.shorten(repr(value), 60)}" for name, value in arguments.items()
        )
        self.console.print(f"[bold cyan]{tool}[/]({words})", highlight=False)
        result = await self.client.call_tool(tool, arguments)
        return result, "\n".join(getattr(part, "text", "") for part in result.content)

    async def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result, text = await self._answer(tool, arguments)
        if result.is_error or result.structured_content is None:
            raise DemoError(f"{tool}: {text}")
        self.console.print(f"  {text}", highlight=False, markup=False)
        return result.structured_content

    async def _watch(self, campaign: dict[str, str], *, until: Until) -> None:
        with View(self.console) as view:
            for _ in range(PATIENCE):
                result = await self.client.call_tool("get_campaign_status", campaign)
                report = result.structured_content
                if result.is_error or report is None:
                    raise DemoError("get_campaign_status failed")
                view.show(report)
                if until(report):
                    return
                await anyio.sleep(LOOK_EVERY)
        raise DemoError("the campaign does not go on")
