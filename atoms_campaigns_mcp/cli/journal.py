"""The command `journal`: for people on a terminal, in lines for pipes, as JSON for programs."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.state.journal import entries
from atoms_campaigns_mcp.state.store import Entry

FIELDS = (
    *("id", "time", "tenant", "tool", "campaign", "confirmed", "answered_after"),
    *("outcome", "request", "detail"),
)
# Together 80 columns, with two spaces between them; the longest outcome has seven letters.
WIDTHS = {"time (UTC)": 16, "tool": 15, "campaign": 24, "confirmed": 10, "outcome": 7}
OPEN = "OPEN"  # the outcome of what has none


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Which entries are asked for, at most how many, and whether as JSON."""

    limit: int
    unfinished: bool = False
    subject: str = ""
    as_json: bool = False


def run(settings: Settings, wish: JournalOptions) -> int:
    """Show the entries asked for, the latest first.

    Raises:
        ConfigurationError: A subject was named, and no issuer.
    """
    if wish.subject and not settings.oauth_issuer:
        raise ConfigurationError("--subject needs ATOMS_MCP_OAUTH_ISSUER.")
    tenant = tenant_of_subject(settings.oauth_issuer, wish.subject) if wish.subject else ""

    def wanted(entry: Entry) -> bool:
        return not (wish.unfinished and entry.outcome) and tenant in {"", entry.intent.tenant}

    found = anyio.run(_matching, settings, wanted, wish.limit)
    if wish.as_json:
        for entry in found:
            print(json.dumps(_as_data(entry), ensure_ascii=False))
    elif sys.stdout.isatty():
        if tenant:
            print(f"tenant {tenant[:8]}")
        draw(found, Terminal())
    else:
        for entry in found:
            print(line(entry))
    return 0


async def _matching(settings: Settings, wanted: Callable[[Entry], bool], limit: int) -> list[Entry]:
    """Read further back until there are enough: what is wanted may be long ago."""
    asked = limit
    while True:
        read = await entries(settings, asked)
        found = [entry for entry in read if wanted(entry)][:limit]
        if len(found) == limit or len(read) < asked:
            return found
        asked *= 10


def line(entry: Entry) -> str:
    """Write an entry as one line: `FIELDS` and the arguments, separated by tabs."""
    data = _as_data(entry)
    words = ["" if data[name] is None else data[name] for name in FIELDS]
    words[FIELDS.index("outcome")] = entry.outcome or OPEN
    return "\t".join(_shown(str(word)) for word in [*words, entry.intent.arguments])


def _as_data(entry: Entry) -> dict[str, Any]:
    arguments = json.loads(entry.intent.arguments)
    values = (
        entry.id,
        datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds"),
        entry.intent.tenant,
        entry.intent.tool,
        arguments.get("campaign_id"),
        entry.intent.confirmed,
        entry.intent.answered_after,
        entry.outcome or None,
        entry.request_id,
        entry.detail,
    )
    return {**dict(zip(FIELDS, values, strict=True)), "arguments": arguments}


def _shown(text: str) -> str:
    return clean(text, limit=sys.maxsize)


def draw(found: list[Entry], console: Console) -> None:
    """Draw entries so that all but the arguments stands whole within 80 columns."""
    _print_row(console, list(WIDTHS), "bold")
    for entry in found:
        data = _as_data(entry)
        moment = data["time"][:16].replace("T", " ")
        outcome = entry.outcome or OPEN
        words = [moment, data["tool"], data["campaign"] or "", data["confirmed"], outcome]
        _print_row(console, words, "" if outcome in {"done", "refused"} else "bold red")
        console.print(Padding(Text(_below(entry, data["arguments"]), "dim"), (0, 0, 0, 2)))


def _below(entry: Entry, arguments: dict[str, Any]) -> str:
    """Report what is left of an entry: numbers to look it up by, and the other arguments."""
    answered = entry.intent.answered_after
    others = {name: value for name, value in arguments.items() if name != "campaign_id"}
    parts = [
        f"#{entry.id}",
        f"tenant {entry.intent.tenant[:8]}",
        "" if answered is None else f"answered after {answered:.1f} s",
        entry.request_id and f"request {entry.request_id}",
        entry.detail,
        json.dumps(others, ensure_ascii=False) if others else "",
    ]
    return _shown("  ".join(part for part in parts if part))


def _print_row(console: Console, words: list[str], style: str) -> None:
    padded = (word.ljust(width) for word, width in zip(words, WIDTHS.values(), strict=True))
    console.print(Text("  ".join(padded).rstrip(), style), soft_wrap=True)
