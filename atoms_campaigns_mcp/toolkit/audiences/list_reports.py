"""What a result tells about a list: rejected, doubtful and merged rows, and what was decided."""

from collections.abc import Sequence
from typing import Any

from atoms_campaigns_mcp.contacts.refusals import shown
from atoms_campaigns_mcp.contacts.table import LONGEST_VALUE, Contacts, Trouble
from atoms_campaigns_mcp.schemas.audiences import SPANS_SHOWN
from atoms_campaigns_mcp.schemas.text import counted, quoted
from atoms_campaigns_mcp.toolkit.context import ToolContext

COUNTRIES_SHOWN = 10
NAMED = 60  # rows beside which a telling cell stands; the others are listed by number
MERGED_SHOWN = 40
Run = tuple[Trouble, Trouble, bool]
"""Rows that follow each other, the first and the last, and whether it is one with its cell."""


def report(contacts: Contacts, ctx: ToolContext) -> dict[str, Any]:
    """Return what every list's result tells about it."""
    return {
        "phone_columns": [f"{shown(name)}: {count}" for name, count in contacts.taken.items()],
        "rejected_rows": len(contacts.rejected),
        "rejected": listed(contacts.rejected),
        "doubtful_rows": len(contacts.doubtful),
        "doubtful": listed(contacts.doubtful),
        "duplicates": len(contacts.duplicates),
        "merged": _merged(contacts),
        "renamed": [f"{shown(old)}: {new}" for old, new in contacts.renamed.items()],
        "columns": contacts.columns,
        "notes": _notes(contacts),
        **places(contacts, ctx),
    }


def places(contacts: Contacts, ctx: ToolContext) -> dict[str, Any]:
    """Return in which countries and time zones the contacts are."""
    directory = ctx.shared.directory
    return {
        "countries": _counts(contacts.countries(directory)),
        "time_zones": _counts(contacts.zones(directory)),
    }


def listed(troubles: Sequence[Trouble]) -> list[str]:
    """List rows by reason: each with its telling cell first, then those in a row as one."""
    runs: dict[str, list[Run]] = {}
    for place, trouble in enumerate(troubles):
        found = runs.setdefault(trouble.reason, [])
        named = place < NAMED and bool(trouble.telling)
        first = trouble
        if found and not named and not found[-1][2] and found[-1][1].row == trouble.row - 1:
            first = found.pop()[0]
        found.append((first, trouble, named))
    texts: list[str] = []
    room, hidden = SPANS_SHOWN, 0
    for reason, found in runs.items():
        kept, rest = found[:room], found[room:]
        room -= len(kept)
        hidden += sum(last.row - first.row + 1 for first, last, _ in rest)
        if kept:
            one = len(kept) == 1 and kept[0][0].row == kept[0][1].row
            texts.append(f"{'row' if one else 'rows'} {', '.join(map(_run, kept))} {reason}")
    return [*texts, f"and {hidden} more"] if hidden else texts


def _run(run: Run) -> str:
    first, last, named = run
    beside = [] if first.line == first.row else [_span("line", first.line, last.line)]
    beside += [quoted(first.telling)] if named else []
    return _span("", first.row, last.row) + (f" ({', '.join(beside)})" if beside else "")


def _span(what: str, first: int, last: int) -> str:
    if first == last:
        return f"{what} {first}".strip()
    return f"{what and what + 's'} {first}-{last}".strip()


def _merged(contacts: Contacts) -> list[str]:
    texts = [
        f"row {d.row}{'' if d.line == d.row else f' (line {d.line})'} into row {d.kept}"
        for d in contacts.duplicates[:MERGED_SHOWN]
    ]
    more = len(contacts.duplicates) - len(texts)
    return [*texts, f"and {more} more"] if more else texts


def _notes(contacts: Contacts) -> list[str]:
    notes = list(contacts.notes)
    if contacts.shortened:
        notes.append(f"{counted(contacts.shortened, 'value')} cut at {LONGEST_VALUE:,} characters.")
    if out := len(contacts.opted_out()):
        notes.append(f"{counted(out, 'contact')} whose own columns say not to call them taken.")
    return notes


def _counts(counts: dict[str, int]) -> list[str]:
    shares = [
        f"{key or 'unknown'}: {count}" for key, count in list(counts.items())[:COUNTRIES_SHOWN]
    ]
    more = len(counts) - len(shares)
    return [*shares, f"and {more} more"] if more else shares
