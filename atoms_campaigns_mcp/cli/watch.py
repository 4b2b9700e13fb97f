"""A campaign on the terminal: a live view, or a line per change where there is no terminal."""

import sys
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
from mcp_types import CallToolResult
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from atoms_campaigns_mcp.cli.invocation import command
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.in_process import connected

Call = Callable[..., Awaitable[CallToolResult]]
"""Calls a tool by name, with its arguments."""

INTERRUPTED = 130
BAR = 36  # columns
WAIT = 25  # seconds for which one call looks for a change
_COLOURS = {"running": "blue", "processing": "blue", "completed": "green", "failed": "red"}


class WatchError(Exception):
    """The campaign could not be read."""


def run(settings: Settings, campaign_id: str, console: Console) -> int:
    """Follow a campaign to its end: 0 finished, 1 it failed or could not be read, 130 Ctrl-C."""
    try:
        return anyio.run(_watch, settings, campaign_id, console)
    except KeyboardInterrupt:
        console.print(
            "Stopped watching. The campaign was not touched: to stop it, run "
            f"{command()} call pause_campaign campaign_id={campaign_id}",
            soft_wrap=True,
            highlight=False,
        )
        return INTERRUPTED


async def _watch(settings: Settings, campaign_id: str, console: Console) -> int:
    async with connected(settings) as client:
        with View(console) as view:
            try:
                return await follow(client.call_tool, campaign_id, view)
            except WatchError as error:
                print(error, file=sys.stderr)
                return 1


async def follow(call: Call, campaign_id: str, view: "View") -> int:
    """Show the campaign at every change until it is finished; 1 if it failed.

    Raises:
        WatchError: The campaign could not be read.
    """
    read = partial(_read, call, campaign_id)
    seen: dict[str, Any] = {}
    while not seen.get("finished"):
        since = {"since": seen["since"]} if seen else {"wait_seconds": 1}
        seen = await read("watch_campaign", **{"until": "change", "wait_seconds": WAIT, **since})
        # Counts and rates from one look.
        view.show(seen | await read("get_campaign_status"))
    return int(seen["status"] == "failed")


async def _read(call: Call, campaign_id: str, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await call(tool, {"campaign_id": campaign_id, **arguments})
    if result.is_error or result.structured_content is None:
        raise WatchError("\n".join(getattr(part, "text", "") for part in result.content))
    return result.structured_content


class View:
    """Shows reports of `get_campaign_status`, with what `watch_campaign` adds to them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._last = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, report: dict[str, Any]) -> None:
        """Show where the campaign is; without a terminal, only what is new."""
        if self._live:
            self._live.update(drawn(report), refresh=True)
            return
        text = line(report)
        if text != self._last:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
        self._last = text


def line(report: dict[str, Any]) -> str:
    """Report in one line where the campaign is."""
    called, total = report.get("contacts_called"), report.get("total_participants")
    parts = [f"{report['name']}: {_state(report)}"]
    if called is not None and total is not None:
        parts.append(f"{called} of {total} called ({report.get('called_percent', 0):g}%)")
        parts.append(f"{report.get('contacts_connected', 0)} connected")
        if report.get("max_retries") != 0:
            parts.append(f"{report.get('retry_attempts', 0)} retries")
    return ", ".join([*parts, *_left(report)])


def _state(report: dict[str, Any]) -> str:
    return "finished" if report.get("finished") else str(report["status"])


def _left(report: dict[str, Any]) -> list[str]:
    """Report what goes on and what is still to come, as far as it is known."""
    if report.get("finished"):
        return []
    counts = {"calls_in_progress": "in progress", "retries_due": "retries due"}
    if report.get("max_retries") == 0:
        del counts["retries_due"]
    return [f"{report[name]} {words}" for name, words in counts.items() if name in report]


def drawn(report: dict[str, Any]) -> RenderableType:
    """Draw where the campaign is: state, funnel and latest events."""
    state = str(report["status"])
    head = Text.assemble(
        (str(report["name"]), "bold"),
        "  ",
        (_state(report), f"bold {_COLOURS.get(state, 'yellow')}"),
        (f"  {report.get('mode', '')}  {report['campaign_id']}", "dim"),
    )
    parts: list[RenderableType] = [head, "", _funnel(report)]
    if left := _left(report):
        parts.append(Text(", ".join(left)))
    if events := report.get("events"):
        parts += ["", Text("Latest events", "dim"), _events(events)]
    if not report.get("finished"):
        parts += ["", Text("Ctrl-C ends the watching, not the campaign.", "dim")]
    return Padding(Group(*parts), (0, 2))


def _funnel(report: dict[str, Any]) -> Table:
    total = report.get("total_participants") or 0
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=9)
    table.add_column(justify="right")
    table.add_column(justify="right", min_width=4)
    table.add_column()
    for label, key, colour in (
        ("Contacts", "total_participants", "bright_black"),
        ("Called", "contacts_called", "blue"),
        ("Connected", "contacts_connected", "green"),
    ):
        count = report.get(key) or 0
        share = count / total if total else 0
        bar = ProgressBar(
            total or 1, count, width=BAR, complete_style=colour, finished_style=colour
        )
        table.add_row(label, str(count), f"{share:.0%}", bar)
    if report.get("max_retries") != 0:
        table.add_row("Retries", str(report.get("retry_attempts") or 0))
    return table


def _events(events: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for event in events:
        at = str(event.get("at", ""))[11:16]
        table.add_row(Text(at, "dim"), Text(f"{event['action']} ({event.get('source', '')})"))
    return table
