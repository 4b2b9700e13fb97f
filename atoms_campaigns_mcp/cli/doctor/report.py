"""The report for a person at a terminal, for a pipe, and for a program."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

from rich.table import Column, Table
from rich.text import Text

from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.cli.doctor.check import Check

STYLE = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def show(checks: Sequence[Check], out: TextIO, *, as_json: bool) -> None:
    """Write the checks: JSON when asked for, a table on a terminal, else a line for each."""
    if as_json:
        healthy = all(check.status != "failed" for check in checks)
        json.dump({"ok": healthy, "checks": [asdict(c) for c in checks]}, out, indent=2)
        out.write("\n")
    elif out.isatty():
        Terminal(file=out).print(_table(checks))
    else:
        out.writelines(f"{_line(check)}\n" for check in checks)


def _line(check: Check) -> str:
    fix = f" To do: {check.fix}" if check.fix else ""
    return " ".join(f"{check.status:<8} {check.name}: {check.text}{fix}".splitlines())


def _table(checks: Sequence[Check]) -> Table:
    # A path has no spaces to break at.
    columns = ("", "check", "found", "what to do")
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for check in checks:
        mark = Text(check.status, style=STYLE[check.status])
        table.add_row(mark, *(Text(part) for part in (check.name, check.text, check.fix)))
    return table
