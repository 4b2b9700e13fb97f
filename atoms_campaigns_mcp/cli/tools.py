"""The command `tools`: all of them, or the arguments of one."""

import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from atoms_campaigns_mcp.cli.call import unknown_tool
from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.tool_calls.catalog import Catalog, CatalogEntry


def run(settings: Settings, name: str | None) -> int:
    """List the tools that the settings allow, or explain one of them.

    Raises:
        ConfigurationError: None of them has that name.
    """
    entries = Catalog.read(settings.permitted).entries
    if name is None:
        _list(entries)
        return 0
    if name not in entries:
        raise unknown_tool(name, settings)
    _explain(entries[name], Terminal())
    return 0


def _list(entries: dict[str, CatalogEntry]) -> None:
    rows = [
        (name, entry.effect, entry.tool["description"].split(". ")[0])
        for name, entry in entries.items()
    ]
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    table = Table("tool", "effect", "what it does")
    for row in rows:
        table.add_row(*row)
    Terminal().print(table)


def _explain(entry: CatalogEntry, console: Console) -> None:
    schema = entry.tool["inputSchema"]
    required = schema.get("required", ())
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(max_width=24)
    for name, field in schema["properties"].items():
        mark = "" if name in required else " (optional)"
        table.add_row(f"{name}{mark}", form(field), Text(field.get("description", "")))
    dials = f", dials with {entry.dials_when}" if entry.dials_when else ""
    console.print(Text(f"{entry.name} ({entry.effect}{dials})", "bold"))
    console.print(Text(entry.tool["description"]))
    console.print(table if schema["properties"] else "It takes no arguments.")


def form(field: dict[str, Any]) -> str:
    """Report what an argument may be: its type or choices, bounds and default."""
    if field["type"] == "array":
        least, most = field.get("minItems", 0), field["maxItems"]
        return f"JSON list of {least} to {most}: {form(field['items'])}"
    words = [" or ".join(field.get("enum", ())) or field["type"].replace("string", "text")]
    if "minimum" in field:
        words.append(f"{field['minimum']} to {field['maximum']}")
    if field.get("default") not in {None, False}:
        words.append(f"default {field['default']}")
    return ", ".join(words)
