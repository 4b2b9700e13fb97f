"""A campaign on the terminal: a live view, or a line per change where there is no terminal."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from atoms_campaigns_mcp.cli.call import Call, calling
from atoms_campaigns_mcp.cli.invocation import command, quoted
from atoms_campaigns_mcp.config.settings import Settings

INTERRUPTED = 130
BAR = 36  # columns
WAIT = 25  # seconds for which one call looks for a change
SEEN = 5.0  # seconds of watching from which on there is a pace
MINUTE, HOUR = 60, 3600  # seconds
_COLOURS = {"running": "blue", "processing": "blue", "completed": "green", "failed": "red"}
_GOING_ON = {"running", "processing"}
_MODES = {"sandbox": "sandbox: simulated calls, simulated time", "live": "live: real phones"}


class WatchError(Exception):
    """The campaign could not be read."""


def run(settings: Settings, campaign_id: str, console: Console) -> int:
    """Follow a campaign to its end: 0 finished, 1 it failed or could not be read, 130 Ctrl-C."""
    try:
        return anyio.run(_watch, settings, campaign_id, console)
    except KeyboardInterrupt:
        console.print(left_alone(campaign_id), soft_wrap=True, highlight=False, markup=False)
        return INTERRUPTED


def left_alone(campaign_id: str) -> str:
    """Say that the campaign goes on, and which command stops it; it may be named, not by id."""
    argument = quoted([f"campaign_id={campaign_id}"])
    return (
        "Stopped watching. The campaign was not touched: to stop it, run "
        f"{command()} call pause_campaign {argument}"
    )


async def _watch(settings: Settings, campaign_id: str, console: Console) -> int:
    async with calling(settings) as call:
        with View(console) as view:
            try:
                return await follow(call, campaign_id, view)
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
    outcome = await call(tool, {"campaign_id": campaign_id, **arguments})
    if outcome.is_error:
        raise WatchError(outcome.data.get("message") or outcome.text)
    return outcome.data


class View:
    """Shows reports of `get_campaign_status`, with what `watch_campaign` adds to them.

    `monotonic` counts the seconds from which the pace follows, and from that the time left.
    """

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._last = ""
        self._pace = _Pace(monotonic)

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
        """Show where the campaign is; without a terminal, a header and then only what is new."""
        left = self._pace.left(report)
        if self._live:
            self._live.update(drawn(report, left), refresh=True)
            return
        if not self._last:
            self._print(header(report))
        if (text := line(report)) != self._last:
            self._print(", ".join(part for part in (text, left) if part))
        self._last = text

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Pace:
    """How long what is left takes, if it goes on as it was seen to go."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since: tuple[float, int] | None = None

    def left(self, report: dict[str, Any]) -> str:
        """Return it in words; nothing, where nothing goes on or no pace is known yet."""
        done, total = report.get("contacts_finished"), report.get("total_participants")
        if report["status"] not in _GOING_ON or done is None or total is None:
            self._since = None
            return ""
        now = self._monotonic()
        began, before = self._since = self._since or (now, done)
        if now - began < SEEN or done <= before or done >= total:
            return ""
        return f"{_lasting((total - done) * (now - began) / (done - before))} left at this pace"


def _lasting(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"about {max(round(seconds, -1), 10):.0f} s"
    return f"about {seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.0f} h"


def header(report: dict[str, Any]) -> str:
    """Name the campaign, and whether phones ring."""
    mode = _MODES.get(str(report.get("mode")), "")
    return ", ".join(part for part in (f"{report['name']} ({report['campaign_id']})", mode) if part)


def line(report: dict[str, Any]) -> str:
    """Report in one line where the campaign is."""
    called, total = report.get("contacts_called"), report.get("total_participants")
    parts = [_state(report)]
    if called is not None and total is not None:
        parts.append(f"{called} of {total} called ({_percent(report, 'called_percent')})")
        connected = f"{report.get('contacts_connected', 'unknown')} of them connected"
        parts.append(f"{connected} ({_percent(report, 'connected_percent')})")
        if report.get("max_retries") != 0:
            parts.append(f"{report.get('retry_attempts', 'unknown')} retries")
    return ", ".join([*parts, *_going_on(report)])


def _percent(report: dict[str, Any], name: str) -> str:
    """Write a share as `get_campaign_status` tells it."""
    share = report.get(name)
    return "unknown" if share is None else f"{share:g}%"


def _state(report: dict[str, Any]) -> str:
    return "finished" if report.get("finished") else str(report["status"])


def _going_on(report: dict[str, Any]) -> list[str]:
    """Report what goes on and what is still to come; what could not be read is unknown."""
    if report.get("finished"):
        return []
    counts = {"calls_in_progress": "in progress", "retries_due": "retries due"}
    if report.get("max_retries") == 0:
        del counts["retries_due"]
    unread = dict.fromkeys(report.get("unknown", ()), "unknown")
    told = unread | report
    return [f"{told[name]} {words}" for name, words in counts.items() if name in told]


def drawn(report: dict[str, Any], left: str = "") -> RenderableType:
    """Draw where the campaign is: state, funnel, the time left and the latest events."""
    state = str(report["status"])
    mode = _MODES.get(str(report.get("mode")), "")
    head = Text.assemble(
        (str(report["name"]), "bold"),
        "  ",
        (_state(report), f"bold {_COLOURS.get(state, 'yellow')}"),
        (f"  {mode}  {report['campaign_id']}", "dim"),
    )
    parts: list[RenderableType] = [head, "", _funnel(report)]
    if going_on := [*_going_on(report), *([left] if left else [])]:
        parts.append(Text(", ".join(going_on)))
    if events := report.get("events"):
        zone = "simulated time, UTC" if report.get("mode") == "sandbox" else "UTC"
        parts += ["", Text(f"Latest events ({zone})", "dim"), _events(events)]
    if not report.get("finished"):
        parts += ["", Text("Ctrl-C ends the watching, not the campaign.", "dim")]
    return Padding(Group(*parts), (0, 2))


def _funnel(report: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=9)
    table.add_column(justify="right")
    table.add_column(justify="right", min_width=4)
    table.add_column()
    called = report.get("contacts_called")
    for label, key, whole, share, colour in (
        ("Contacts", "total_participants", report.get("total_participants"), "", "bright_black"),
        ("Called", "contacts_called", report.get("total_participants"), "called_percent", "blue"),
        ("Connected", "contacts_connected", called, "connected_percent", "green"),
    ):
        count = report.get(key)
        bar = ProgressBar(
            whole or 1, count or 0, width=BAR, complete_style=colour, finished_style=colour
        )
        told = "unknown" if count is None else str(count)
        table.add_row(label, told, _percent(report, share) if share else "", bar)
    if report.get("max_retries") != 0:
        table.add_row("Retries", str(report.get("retry_attempts", "unknown")))
    return table


def _events(events: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for event in events:
        did = Text(f"{event['action']} ({event.get('source', '')})")
        table.add_row(Text(_moment(str(event.get("at", ""))), "dim"), did)
    return table


def _moment(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return text
