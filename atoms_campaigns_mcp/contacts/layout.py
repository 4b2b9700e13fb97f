"""What the columns of a contact list hold, from their names and their cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from atoms_campaigns_mcp.contacts.columns import PHONE, output_names
from atoms_campaigns_mcp.contacts.countries import country_of
from atoms_campaigns_mcp.contacts.opt_outs import speaks_of_calls
from atoms_campaigns_mcp.contacts.records import Record, is_data
from atoms_campaigns_mcp.contacts.refusals import refused, shown, shown_names
from atoms_campaigns_mcp.contacts.vocabulary import (
    UNSURE,
    WHY,
    Rank,
    country_rank,
    fold,
    is_zone,
    rank,
    shares_owner,
    wants_digits,
    wants_plus,
)

SAMPLE = 500  # cells of a column that are looked at to see what it holds
MOSTLY = 0.8  # of the cells, where nothing but the cells tells what a column holds
SOME = 0.1  # of the cells, where the name says it already: a list may be bad
HALF = 0.5

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 18  # of a cell that looks like a number, decimals included
_MOST_LETTERS = 5  # tel:, ext
_ANSWERS = {"NO", "SI"}  # no and sì, where the name does not say that these are countries
_BEFORE_PLUS = "'\"= \u00a0\u202a\u202d(["


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns (counted from 0) hold what.

    Attributes:
        phones: The numbers, in order of preference.
        countries: What decides a row's country: groups of columns, the surest first.
        zones: Time zones.
        consents: Whether contacts may be called, such as Do Not Call.
        kept: The columns that are uploaded, the one of the numbers first.
        names: What those are called afterwards.
    """

    phones: tuple[int, ...]
    countries: tuple[tuple[int, ...], ...]
    zones: tuple[int, ...]
    consents: tuple[int, ...]
    kept: tuple[int, ...]
    names: tuple[str, ...]


def understood(header: Sequence[str], records: Sequence[Record], wanted: Sequence[str]) -> Columns:
    """Find out what the columns hold, from their names and their cells.

    Args:
        header: Names as they stand in the file.
        records: The rows.
        wanted: Names of the columns of numbers, matched exactly, else without case and signs; none
            to recognise them.

    Raises:
        InvalidArguments: No column of numbers is certain, or the names cannot be used.
    """
    phones = _named(header, wanted) if wanted else (_recognised(header, records),)
    zones = tuple(place for place, name in enumerate(header) if is_zone(name))
    others = [
        place
        for place, name in enumerate(header)
        if place != phones[0] and fold(name) != fold(WHY) and (name or _filled(records, place))
    ]
    kept = (phones[0], *others)
    return Columns(
        phones,
        _countries(header, records, phones),
        zones,
        tuple(place for place, name in enumerate(header) if speaks_of_calls(name)),
        kept,
        output_names(header, kept, phones[1:], zones),
    )


def looks_like_number(cell: str) -> bool:
    """Whether a cell looks like a phone number, right or wrong."""
    digits = sum(map(str.isdigit, cell))
    if not _FEWEST_DIGITS <= digits <= _MOST_DIGITS or "@" in cell or _DATE.fullmatch(cell):
        return False
    return sum(map(str.isalpha, cell)) <= _MOST_LETTERS


def _named(header: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    found = [place for name in wanted for place in _with_name(header, name)]
    return tuple(dict.fromkeys(found))


def _with_name(header: Sequence[str], wanted: str) -> list[int]:
    exact = [place for place, name in enumerate(header) if name == wanted]
    near = [place for place, name in enumerate(header) if name.casefold() == wanted.casefold()]
    far = [place for place, name in enumerate(header) if fold(name) == fold(wanted) != ""]
    found = exact or near or far
    if len(found) > 1:
        raise refused(
            f"{len(found)} columns have that name: {shown_names([header[p] for p in found])}",
            "Rename all but one of them in the file.",
            "phone_columns",
        )
    if not found:
        _check_header(header)
        raise refused(
            f"no column has that name. The columns are {shown_names(header)}",
            "Call again with phone_columns set to the column that holds the numbers.",
            "phone_columns",
        )
    return found


def _recognised(header: Sequence[str], records: Sequence[Record]) -> int:
    """Find the one column of numbers; ask where there are several, or none is certain."""
    by_rank: dict[Rank, list[int]] = {kind: [] for kind in Rank}
    for place, name in enumerate(header):
        by_rank[rank(name)].append(place)
    shares = {p: _share(records, p) for p in range(len(header)) if p not in by_rank[Rank.OTHER]}
    named = by_rank[Rank.PHONE]
    found = [place for place in named if shares[place][0] >= SOME]
    if not found:
        if not named:
            _check_header(header)
        found = [p for p in by_rank[Rank.PERHAPS] if shares[p][0] >= HALF]
        found += [p for p in by_rank[Rank.UNNAMED] if shares[p][1] >= MOSTLY]
    found = found or named or by_rank[Rank.PERHAPS]
    if len(found) == 1:
        return found[0]
    if found:
        raise _question(header, records, found)
    raise refused(
        f"no column is named like a phone number, and none holds numbers with +. The "
        f"columns are {shown_names(header)}",
        "Ask the user which column holds the numbers, and call again with phone_columns.",
        "phone_columns",
    )


def _share(records: Sequence[Record], place: int) -> tuple[float, float]:
    """Report which part of a column's cells look like numbers, and which have their plus."""
    filled = [cell for record in records if (cell := record.cells[place])]
    step = max(len(filled) // SAMPLE, 1)
    cells = [cell for text in filled[::step] if (cell := text.strip())]
    if not cells:
        return 0.0, 0.0
    like = [cell for cell in cells if looks_like_number(cell)]
    plus = [cell for cell in like if cell.lstrip(_BEFORE_PLUS).startswith(("+", "\uff0b"))]
    return len(like) / len(cells), len(plus) / len(cells)


def _filled(records: Sequence[Record], place: int) -> int:
    return sum(1 for record in records if record.cells[place].strip())


def _question(header: Sequence[str], records: Sequence[Record], found: Sequence[int]) -> Exception:
    filled = {place: _filled(records, place) for place in found}
    columns = ", ".join(f"{shown(header[p])} ({count:,} filled)" for p, count in filled.items())
    return refused(
        f"{len(found)} columns may hold the phone numbers: {columns} of {len(records):,} rows",
        "Ask the user which one to dial; call again with phone_columns, a list in order of "
        "preference if the others may be dialled where the first is empty. Columns of the same "
        "name must be renamed first.",
        "phone_columns",
    )


def _check_header(header: Sequence[str]) -> None:
    if any(map(is_data, header)):
        raise refused(
            "the first line looks like a contact, not like a header",
            f"Put a line with the names of the columns on top, such as {PHONE},name; "
            "if it is the header, give phone_columns.",
        )


def _countries(
    header: Sequence[str], records: Sequence[Record], phones: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    ranks: dict[tuple[int, bool], list[int]] = {}
    for place, name in enumerate(header):
        level = country_rank(name)
        if level is None or place in phones:
            continue
        if _names_countries(name, records, place, sure=level < UNSURE):
            foreign = not any(shares_owner(name, header[phone]) for phone in phones)
            ranks.setdefault((level, foreign), []).append(place)
    return tuple(tuple(ranks[level]) for level in sorted(ranks))


def _names_countries(name: str, records: Sequence[Record], place: int, *, sure: bool) -> bool:
    cells = [cell for r in records if (cell := r.cells[place].strip()) and country_of(cell) != ""]
    if wants_digits(name):
        return bool(cells) and all(map(_ends_with_digit, cells))
    if wants_plus(name):
        return bool(cells) and all(cell.startswith(("+", "00")) for cell in cells)
    known = [country for cell in cells if (country := country_of(cell))]
    if not sure and set(known) <= _ANSWERS:
        return False
    return len(known) >= len(cells) * HALF and bool(known)


def _ends_with_digit(cell: str) -> bool:
    return cell[-1:].isdigit()
