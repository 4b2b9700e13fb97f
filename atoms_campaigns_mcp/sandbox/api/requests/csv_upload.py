"""Reads the CSV of a new audience; any bad row refuses the whole upload (S16)."""

import csv
import io
import re

from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError

MOST_MEMBERS = 10_000
LARGEST_FILE = 5 * 1024 * 1024  # bytes (D10)
PHONE = re.compile(r"\+?[1-9]\d{6,14}", re.ASCII)
MOST_PROBLEMS = 20

UNREADABLE = "Failed to create audience. Please check your CSV file and try again."
DUPLICATES = (
    "Some phone numbers in your CSV already exist in this audience."
    " Please remove duplicate entries and try again."
)
TOO_MANY = f"Audience cannot exceed {MOST_MEMBERS} members"
TOO_LARGE = "File too large. The maximum size is 5 MB."


def parse(file: bytes, phone_column: str, identifier_column: str) -> list[dict[str, str]]:
    """The members in a CSV file: UTF-8, quotes after RFC 4180, a BOM tolerated.

    Args:
        file: The upload.
        phone_column: Header of the column with the numbers, matched exactly.
        identifier_column: Header of the column with the names, "" for none.

    Raises:
        BadRequestError: With every problem found, up to 20 of them row by row.
    """
    if len(file) > LARGEST_FILE:
        raise BadRequestError(TOO_LARGE)
    header, rows = _read(file)
    problems = [
        f'Column "{name}" not found in CSV'
        for name in (phone_column, identifier_column)
        if name and name not in header
    ]
    if len(set(header)) != len(header):
        problems.append("CSV has two columns of the same name")
    if not rows:
        problems.append("CSV has no rows")
    if len(rows) > MOST_MEMBERS:
        problems.append(TOO_MANY)
    if problems or not phone_column:
        raise BadRequestError(*problems)
    return _members(header, rows, phone_column)


def _read(file: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows with their line numbers; blank lines are skipped."""
    try:
        text = file.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (UnicodeDecodeError, csv.Error):
        raise BadRequestError(UNREADABLE) from None
    if not lines:
        raise BadRequestError(UNREADABLE)
    return lines[0][1], lines[1:]


def _members(
    header: list[str], rows: list[tuple[int, list[str]]], phone_column: str
) -> list[dict[str, str]]:
    members: list[dict[str, str]] = []
    problems: list[str] = []
    numbers: set[str] = set()
    duplicates = False
    for line, cells in rows:
        if len(cells) != len(header):
            problems.append(f"Row {line}: Expected {len(header)} columns, found {len(cells)}")
            continue
        member = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        phone = member[phone_column]
        if not PHONE.fullmatch(phone):
            problems.append(f"Row {line}: Invalid phone number")
        digits = phone.removeprefix("+")
        duplicates |= digits in numbers
        numbers.add(digits)
        members.append(member)
    if duplicates:
        problems.insert(0, DUPLICATES)
    if problems:
        hidden = len(problems) - MOST_PROBLEMS
        more = [f"{hidden} more rows are invalid"] if hidden > 0 else []
        raise BadRequestError(*problems[:MOST_PROBLEMS], *more)
    return members
