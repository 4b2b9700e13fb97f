"""Every row of a campaign's results as CSV."""

import csv
import io
import re
from collections.abc import Callable

from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.contacts.spreadsheets import spreadsheet_safe
from atoms_campaigns_mcp.contacts.table import LONGEST_VALUE
from atoms_campaigns_mcp.redaction import mask_number, redact
from atoms_campaigns_mcp.results.endings import together
from atoms_campaigns_mcp.results.store import Results, Stored
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.workers import Worker

NUMBER = re.compile(r"\+?[\d ().-]+")
FEWEST, MOST = 10, 15  # digits of what is taken for a number though it has no +
HEADER = (
    *(PHONE, "attempts", "finalStatus", "seconds", "cost"),
    *("contactKey", "lastCause", "dispositions"),
)


async def as_csv(
    results: Results, work: Worker, key_of: Callable[[str], str], *, show_numbers: bool
) -> bytes:
    """Write a row per contact: the result, then the contact's own columns.

    `key_of` gives a number's key. Cells that a spreadsheet would take for a formula are made text.
    """
    rows = await results.contacts()
    return await work(_written, rows, key_of, show_numbers)


def columns_of(content: bytes) -> list[str]:
    """Return the names in the first line of what `as_csv` has written."""
    return next(csv.reader(io.StringIO(content.decode(), newline="")))


def _written(
    rows: list[Stored],
    key_of: Callable[[str], str],
    show_numbers: bool,  # noqa: FBT001 - through a thread
) -> bytes:
    columns = dict.fromkeys(c for row in rows for c in row.data if c != HEADER[0])
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    # A column of the list may be called like one of ours.
    names = [f"contact_{c}" if c in HEADER else spreadsheet_safe(clean(c)) for c in columns]
    writer.writerow([*HEADER, *names])
    for row in rows:
        shown = [_shown(row.data.get(c), row, show_numbers=show_numbers) for c in columns]
        phone = row.phone if show_numbers else mask_number(row.phone)
        told = [spreadsheet_safe(phone), row.attempts, spreadsheet_safe(row.final_status)]
        found = [row.cause, together(row.found)]
        told += [f"{row.seconds:g}", f"{row.cost:.4f}", key_of(row.phone)]
        writer.writerow([*told, *map(spreadsheet_safe, found), *shown])
    return file.getvalue().encode()


def _shown(value: object, row: Stored, *, show_numbers: bool) -> str:
    text = clean("" if value is None else str(value), limit=LONGEST_VALUE)
    return spreadsheet_safe(text if show_numbers else hidden(text, row.phone))


def hidden(text: str, phone: str) -> str:
    """Mask the contact's number, and others, in a column of any name; leave dates and amounts."""
    digits = re.sub(r"\D", "", text)
    if not NUMBER.fullmatch(text.strip()):
        return redact(text)
    same = len(digits) >= FEWEST - 3 and phone.endswith(digits.lstrip("0"))
    is_number = same or text.strip().startswith("+") or FEWEST <= len(digits) <= MOST
    return mask_number(digits) if is_number else text
