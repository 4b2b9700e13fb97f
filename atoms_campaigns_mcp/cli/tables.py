"""The outcome of a tool call as a person reads it: tables, whole words, times with their zone."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from atoms_campaigns_mcp.tool_calls.outcome import Outcome

MODES = {
    "sandbox": "Sandbox: simulated calls, in simulated time; nobody is called.",
    "live": "Live: real phones.",
}
SHORT = 48  # columns that a list may take and still stand in one line
WIDEST = 100_000  # columns: as wide as a table wants to be
# What stands elsewhere, or is meant for programs and agents.
_APART = {"mode", "next_step", "page", "total", "has_more", "since", "mark", "confirm_token"}
_LABELS = {
    "balance_usd": "balance (USD)",
    "retry_delay": "retry delay (min)",
    "cost": "cost (USD)",
    "seconds": "duration (s)",
    "talk_seconds": "talk (s)",
    "clock": "server's clock",
    "on_dnc": "on do-not-call list",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def draw(outcome: Outcome, console: Console) -> None:
    """Print what the call gave, without the advice that agents get with it."""
    data = outcome.data
    console.print(Text(MODES.get(str(data.get("mode")), ""), "dim"))
    if outcome.is_error:
        console.print(Text(str(data["message"])))
        return
    facts = {name: value for name, value in data.items() if name not in _APART}
    tables = {name: value for name, value in facts.items() if _rows(value)}
    single = {name: value for name, value in facts.items() if name not in tables and _told(value)}
    if single:
        console.print(_grid(single))
    for name, value in tables.items():
        console.print()
        console.print(Text(label(name), "bold"))
        console.print(_table(value, console))
    if paged := _page(data):
        console.print(Text(paged, "dim"))
    for remark in outcome.remarks:
        console.print(Text(remark, "yellow"))


def label(name: str) -> str:
    """Write a field's name in words, with its unit."""
    return _LABELS.get(name) or name.replace("_percent", " %").replace("_", " ")


def shown(value: Any, name: str = "") -> str:
    """Write one value: yes or no, a time in UTC, a list in a line or one entry a line."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value).items()
        return ", ".join(f"{label(key)} {shown(one, key)}" for key, one in fields)
    if isinstance(value, list):
        parts = [shown(one) for one in cast("list[Any]", value)]
        line = ", ".join(parts)
        return line if len(line) <= SHORT else "\n".join(parts)
    if isinstance(value, str):
        return _moment(value) if _MOMENT.fullmatch(value) else value
    if isinstance(value, float):
        return f"{value:.10g}{'%' if name.endswith('_percent') else ''}"
    return {None: "-", True: "yes", False: "no"}[value] if _plain(value) else str(value)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _told(value: Any) -> bool:
    return value not in (None, "", [], {})


def _rows(value: Any) -> list[dict[str, Any]]:
    """Return the rows of what is a table, else nothing."""
    if not isinstance(value, list):
        return []
    rows = cast("list[Any]", value)
    return rows if all(isinstance(row, dict) for row in rows) else []


def _grid(fields: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields.items():
        grid.add_row(label(name), Text(shown(value, name)))
    return grid


def _table(rows: Sequence[Mapping[str, Any]], console: Console) -> RenderableType:
    """Return the rows as a table if its words fit, else each as a block of its own.

    What is the same in all rows is told once, where there is no room for a column of it.
    """
    names = list(dict.fromkeys(name for row in rows for name in row if _told(row[name])))
    if _fits(table := _columns(rows, names), console):
        return table
    first, same = rows[0], list[str]()
    if len(rows) > 1:
        same = [name for name in names if all(row.get(name) == first.get(name) for row in rows)]
    names = [name for name in names if name not in same]
    said = ", ".join(f"{label(name)} {shown(first[name], name)}" for name in same)
    below = [Text(f"In all of them: {said}.", "dim")] if same else []
    if _fits(table := _columns(rows, names), console):
        return Group(table, *below)
    told = [{name: row[name] for name in names if _told(row.get(name))} for row in rows]
    return Group(*(part for row in told for part in (_grid(row), "")), *below)


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [[shown(row.get(name), name) for row in rows] for name in names]
    for name, column in zip(names, cells, strict=True):
        # Only lines of words may be broken: an id or a number stands whole.
        table.add_column(label(name), no_wrap=not any(" " in cell for cell in column))
    for row in zip(*cells, strict=True):
        table.add_row(*map(Text, row))
    return table


def _fits(table: Table, console: Console) -> bool:
    wide = console.options.update(max_width=WIDEST)
    return console.measure(table, options=wide).minimum <= console.width


def _page(data: Mapping[str, Any]) -> str:
    if not data.get("page"):
        return ""
    more = f"; the next one: page={data['page'] + 1}" if data.get("has_more") else ""
    total = f", {data['total']} in all" if data.get("total") is not None else ""
    return f"Page {data['page']}{total}{more}."
