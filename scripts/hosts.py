"""The table of docs/clients.md: what hosts did when the tests ran them."""

import json
from pathlib import Path

OBSERVED = Path(__file__).parent.parent / "tests" / "hosts" / "observed.json"
_ASKED = {"declined by itself": "declines by itself", "token": "shows the token"}
_HEAD = """\
| host | version | our tools | lists | a start without a terminal | our question in its terminal | \
Enter on it | stops all |
|---|---|---|---|---|---|---|---|"""


def hosts_table() -> str:
    """Return what was seen of each host, and what was not tried and why."""
    known = json.loads(OBSERVED.read_text("utf-8"))
    rows = [_row(name, seen) for name, seen in sorted(known["ran"].items())]
    untried = [f"- {name}: {reason}." for name, reason in known["untried"].items()]
    return "\n".join([_HEAD, *rows, "", "Untried:", "", *untried])


def environment_table() -> str:
    """Return which of the variables that were set reached our server."""
    ran = json.loads(OBSERVED.read_text("utf-8"))["ran"]
    known = {host: seen for host, seen in ran.items() if "passes_on" in seen}
    names = list(dict.fromkeys(name for seen in known.values() for name in seen["passes_on"]))
    rows = [f"| host | version | {' | '.join(f'`{name}`' for name in names)} |"]
    rows.append("|---" * (len(names) + 2) + "|")
    for host, seen in sorted(known.items()):
        passed = ["passed on" if name in seen["passes_on"] else "dropped" for name in names]
        rows.append(f"| {host} | {seen['version']} | {' | '.join(passed)} |")
    return "\n".join(rows)


def _row(name: str, seen: dict[str, str | int | bool]) -> str:
    asked = _ASKED[str(seen["asked_headless"])]
    cells = [
        name,
        seen["version"],
        seen["tools"],
        _yes(seen["listed"]),
        f"{asked}; {'STARTED' if seen['started_headless'] else 'not started'}",
        seen.get("asked", "none: it declares no elicitation"),
        seen.get("enter", "-"),
        _yes(seen["stopped"]),
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _yes(value: object) -> str:
    return "yes" if value else "NO"
