"""The command `journal`: for people on a terminal, in lines for pipes, as JSON or CSV."""

import csv
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import anyio
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.contacts.spreadsheets import spreadsheet_safe
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.state.journal import Entry, Wanted
from atoms_campaigns_mcp.state.open import journal_entries, prune_journal

FIELDS = (
    *("id", "time", "tenant", "tool", "campaign", "confirmed", "answered_after"),
    *("outcome", "request", "detail", "mode", "created", "arguments"),
)
# Together 80 columns, with two spaces between them; the longest outcome has seven letters.
WIDTHS = {"time (UTC)": 16, "tool": 15, "campaign": 24, "confirmed": 10, "outcome": 7}
OPEN = "OPEN"  # the outcome of what has none
DAY = 24 * 3600.0  # seconds
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}

Form = Literal["", "json", "csv"]


@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Which entries are asked for, at most how many, and in which form.

    `since` is a time as `moment` reads it. Instead of showing entries, those that are older than
    `prune` days are deleted, unless it is 0.
    """

    limit: int
    unfinished: bool = False
    subject: str = ""
    campaign_id: str = ""
    mode: str = ""
    since: str = ""
    form: Form = ""
    prune: int = 0


def run(settings: Settings, wish: JournalOptions, now: Callable[[], float] = time.time) -> int:
    """Show the entries asked for, the latest first, or delete old ones.

    Raises:
        ConfigurationError: A subject was named, and no issuer, or the time cannot be read.
    """
    if wish.prune:
        gone = anyio.run(prune_journal, settings, now() - wish.prune * DAY)
        print(
            f"{gone} entries older than {wish.prune} days are deleted. Those whose outcome is not "
            "known stay."
        )
        return 0
    if wish.subject and not settings.oauth_issuer:
        raise ConfigurationError("--subject needs ATOMS_MCP_OAUTH_ISSUER.")
    tenant = tenant_of_subject(settings.oauth_issuer, wish.subject) if wish.subject else ""
    since = moment(wish.since, now()) if wish.since else 0
    wanted = Wanted(tenant, wish.campaign_id, wish.mode, since, wish.unfinished)
    _show(anyio.run(journal_entries, settings, wish.limit, wanted), wish.form, tenant)
    return 0


def _show(found: list[Entry], form: Form, tenant: str) -> None:
    if form == "json":
        for entry in found:
            print(json.dumps(_as_data(entry), ensure_ascii=False))
    elif form == "csv":
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerows(
            [FIELDS, *([spreadsheet_safe(word) for word in words(entry)] for entry in found)]
        )
    elif sys.stdout.isatty():
        if tenant:
            print(f"tenant {tenant[:8]}")
        draw(found, Terminal())
    else:
        for row in [FIELDS, *map(words, found)]:
            print("\t".join(row))


def moment(text: str, now: float) -> float:
    """Read how long ago, or an ISO date or time (UTC without a zone), as seconds since 1970.

    Raises:
        ConfigurationError: It is neither.
    """
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ConfigurationError(
            "--since is no time.",
            next_step="Write how long ago (30m, 12h, 7d, 2w), a date (2026-11-28), or a date and "
            "time (2026-11-28T09:30:00Z; UTC without a zone).",
        ) from None


def words(entry: Entry) -> list[str]:
    """Write an entry as one row, with a word for each of `FIELDS`."""
    data = {name: "" if value is None else value for name, value in _as_data(entry).items()}
    data |= {"outcome": entry.outcome or OPEN, "arguments": entry.intent.arguments}
    return [_shown(str(data[name])) for name in FIELDS]


def _as_data(entry: Entry) -> dict[str, Any]:
    intent = entry.intent
    values = (
        entry.id,
        datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds"),
        intent.tenant,
        intent.tool,
        intent.campaign_id or None,
        intent.confirmed,
        intent.answered_after,
        entry.outcome or None,
        entry.request_id,
        entry.detail,
        intent.mode or None,
        entry.created or None,
        json.loads(intent.arguments),
    )
    return dict(zip(FIELDS, values, strict=True))


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
        entry.intent.mode,
        f"tenant {entry.intent.tenant[:8]}",
        "" if answered is None else f"answered after {answered:.1f} s",
        entry.created and f"created {entry.created}",
        entry.request_id and f"request {entry.request_id}",
        entry.detail,
        json.dumps(others, ensure_ascii=False) if others else "",
    ]
    return _shown("  ".join(part for part in parts if part))


def _print_row(console: Console, words: list[str], style: str) -> None:
    padded = (word.ljust(width) for word, width in zip(words, WIDTHS.values(), strict=True))
    console.print(Text("  ".join(padded).rstrip(), style), soft_wrap=True)
