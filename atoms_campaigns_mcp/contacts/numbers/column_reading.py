"""A column of cells read as phone numbers, all by one convention.

Digits without + and 00 may be a number of the row's country or an international one that lost its
plus: 15125550143 is a German number and an American one. The column decides, not the cell.
"""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, NamedTuple

from atoms_campaigns_mcp.contacts.numbers import plans
from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError, Reason, compact
from atoms_campaigns_mcp.contacts.numbers.plans import Outcome, Reading

__all__ = ["AmbiguousColumnError", "ColumnReading", "Reading", "read_column"]

INTERNATIONAL = "+"  # in place of a country: every number begins with its country code
MOST_BY_ONE = 10  # a row that has one reading decides for at most that many that have two
SMALLEST_PART = 10  # a tenth of the rows is worth a question; fewer are refused
LIKELY_ABROAD = 12  # digits without + or 0: hardly any country's own numbers are as long
OWN_CODE = "may be a national number: its area code begins like the country code"


class AmbiguousColumnError(ValueError):
    """Cells without + and 00 can be read in two ways, and the column does not decide.

    Attributes:
        national: How many of them are numbers of their row's country.
        international: How many are numbers of other countries that lost their plus.
    """

    def __init__(self, national: int, international: int) -> None:
        super().__init__("the column can be read as national and as international numbers")
        self.national = national
        self.international = international


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """What a column came to.

    Attributes:
        readings: One per cell, in the same order.
        convention: How the cells without + and 00 were read.
        mixed: Whether some were written by the other convention; those are refused.
    """

    readings: tuple[Reading | BadNumberError, ...] = field(repr=False)  # full numbers
    convention: Literal["national", "international"]
    mixed: bool = False


class _Kind(Enum):
    """What one cell says about the column. "Assigned" includes what may not be dialled."""

    SETTLED = auto()  # nothing: it has one reading whatever the others are
    NATIONAL = auto()  # assigned as a national number only
    LOCAL = auto()  # the same, written with a trunk prefix: tells nothing of those without one
    OWN_SLIP = auto()  # the same, and with its own country code before a number that nobody has
    OWN = auto()  # assigned with its own country code before it only
    OWN_EITHER = auto()  # the same, and as a national number whose area code looks like the code
    ABROAD = auto()  # assigned with another country code before it only
    EITHER = auto()  # assigned in both ways, as two numbers
    LOCAL_EITHER = auto()  # the same, written with a trunk prefix: 091 98765 43210, 8 495 123 45 67
    UNKNOWN = auto()  # not assigned at all


class _Cell(NamedTuple):
    kind: _Kind
    national: Outcome
    international: Outcome


def read_column(cells: Sequence[str], regions: Sequence[str | None]) -> ColumnReading:
    """Read a column of phone numbers.

    A cell with +, 00 or its region's international prefix is settled by itself. For the others
    the reading under which all are assigned numbers wins. Where the column has both kinds, those
    that were written the other way, or could be, are refused.

    Args:
        cells: As they stand in the file.
        regions: For each cell, where it belongs: a country (ISO 3166, two capital letters), "+"
            if it begins with its country code, "+" and a country code (such as "+44") if it is
            certainly a national number of that code, or None if nothing is known.

    Raises:
        AmbiguousColumnError: Both readings fit the whole column.
    """
    return _decided([_cell(*pair) for pair in zip(cells, regions, strict=True)])


def normalise(text: str, *, region: str | None) -> str:
    """Write one number in E.164, as `read_column` reads a column of this cell alone.

    Raises:
        BadNumberError: It is not one number that a campaign may dial.
    """
    try:
        (reading,) = read_column([text], [region and region.upper()]).readings
    except AmbiguousColumnError:
        raise BadNumberError(Reason.TWO_READINGS) from None
    if isinstance(reading, BadNumberError):
        raise reading
    return reading.number


def _cell(text: str, region: str | None) -> _Cell:
    try:
        digits = compact(text)
    except BadNumberError as refusal:
        return _settled(refusal)
    if plans.placeholder(digits.removeprefix("+")):
        return _settled(BadNumberError(Reason.PLACEHOLDER))
    if (rest := plans.after_prefix(digits, region)) is not None:
        return _after_prefix(digits, rest, region)
    if region == INTERNATIONAL:
        return _settled(plans.international(digits))
    return _undecided(digits, region)


def _after_prefix(digits: str, rest: str, region: str | None) -> _Cell:
    reading = plans.international(rest)
    if (other := plans.after_carrier(digits, region)) is not None and plans.assigned(reading):
        dialled = _international(other)
        if plans.assigned(dialled) and dialled != reading:
            return _settled(BadNumberError(Reason.TWO_READINGS))
    return _settled(reading)


def _undecided(digits: str, region: str | None) -> _Cell:
    if region is None:
        return _without_country(digits)
    if not region.startswith("+"):
        return _two_readings(digits, region)
    certain = _two_readings(digits, plans.region_of_code(int(region[1:])))
    return _settled(certain.national)


def _settled(outcome: Outcome) -> _Cell:
    return _Cell(_Kind.SETTLED, outcome, outcome)


def _without_country(digits: str) -> _Cell:
    # Digits of any country look like an international number of some other one.
    plus = plans.assigned(_international(digits))
    return _settled(BadNumberError(Reason.NO_PLUS if plus else Reason.NO_COUNTRY))


def _two_readings(digits: str, region: str) -> _Cell:
    abroad = _international(digits)
    own = plans.code_of(digits) == plans.code_of_region(region)
    if own and plans.assigned(abroad) and not plans.may_be_national(digits, region):
        return _Cell(_Kind.OWN, abroad, abroad)
    national = plans.national(digits, region)
    if (rest := plans.after_trunk(digits)) is not None:
        doubled = plans.international(rest)
        if plans.assigned(doubled) and doubled != national:
            return _before_code(rest, doubled, national, region)
    if not plans.assigned(abroad):
        slip = isinstance(abroad, Reading) and own and not plans.assigned(national)
        return _settled(abroad) if slip else _nationally(digits, national, abroad, own=own)
    if national == abroad:
        return _settled(abroad)
    return (_own_code if own else _foreign)(digits, national, abroad)


def _foreign(digits: str, national: Outcome, abroad: Outcome) -> _Cell:
    if not plans.assigned(national):
        return _Cell(_Kind.ABROAD, national, abroad)
    if _has_trunk(digits, national):
        return _Cell(_Kind.LOCAL_EITHER, national, abroad)
    if len(digits) >= LIKELY_ABROAD:
        national = BadNumberError(Reason.NO_PLUS)
    return _Cell(_Kind.EITHER, national, abroad)


def _own_code(digits: str, national: Outcome, abroad: Outcome) -> _Cell:
    # A country's code is not put before itself; but where an area code looks like it (0491 in
    # Germany), only a column of such numbers shows for certain which of the two it is.
    both = plans.assigned(national) and len(digits) < LIKELY_ABROAD
    if both and isinstance(abroad, Reading):
        return _Cell(_Kind.OWN_EITHER, Reading(abroad.number, OWN_CODE), abroad)
    return _Cell(_Kind.OWN, abroad, abroad)


def _before_code(rest: str, doubled: Outcome, national: Outcome, region: str) -> _Cell:
    """Read digits that are a number with its country code if their trunk prefix falls away."""
    refused = BadNumberError(Reason.TWO_READINGS)
    if plans.code_of(rest) == plans.code_of_region(region):
        return _settled(refused if plans.assigned(national) else doubled)
    if plans.assigned(national):
        return _Cell(_Kind.LOCAL_EITHER, national, refused)
    return _settled(BadNumberError(Reason.NO_PLUS))


def _nationally(digits: str, national: Outcome, abroad: Outcome, *, own: bool) -> _Cell:
    if not plans.assigned(national):
        return _Cell(_Kind.UNKNOWN, national, abroad)
    kind = _Kind.LOCAL if _has_trunk(digits, national) else _Kind.NATIONAL
    if kind is _Kind.NATIONAL and own and isinstance(abroad, Reading):
        kind = _Kind.OWN_SLIP
    return _Cell(kind, national, abroad)


def _has_trunk(digits: str, national: Outcome) -> bool:
    whole = isinstance(national, BadNumberError) or national.number.endswith(digits)
    return digits.startswith("0") or not whole


def _international(digits: str) -> Outcome:
    if not plans.may_be_international(digits):
        return BadNumberError(Reason.IMPOSSIBLE)
    return plans.international(digits)


def _decided(cells: Sequence[_Cell]) -> ColumnReading:
    counts = Counter(cell.kind for cell in cells)
    slips = counts.pop(_Kind.OWN_SLIP, 0)
    # Among numbers with their country code, one that misses a digit is no area code like it.
    slipped = counts[_Kind.OWN] > counts[_Kind.NATIONAL]
    counts[_Kind.SETTLED if slipped else _Kind.NATIONAL] += slips
    written_nationally = counts[_Kind.NATIONAL] + counts[_Kind.LOCAL]
    mixed = bool(counts[_Kind.ABROAD] and (written_nationally or counts[_Kind.LOCAL_EITHER]))
    abroad = counts[_Kind.ABROAD] + (0 if written_nationally else counts[_Kind.OWN])
    convention = "international" if abroad and not mixed else "national"
    # A 0 that others have says nothing of those without: spreadsheets eat it from all or none.
    evidence = {
        _Kind.EITHER: written_nationally + abroad if mixed else abroad or counts[_Kind.NATIONAL],
        _Kind.LOCAL_EITHER: written_nationally,
    }
    undecided = {kind for kind, rows in evidence.items() if counts[kind] > MOST_BY_ONE * rows}
    _ask(counts, undecided)
    refused = dict.fromkeys(undecided, Reason.TWO_READINGS)
    if slipped:
        refused[_Kind.OWN_SLIP] = Reason.TWO_READINGS
    if mixed:
        refused |= {_Kind.EITHER: Reason.TWO_READINGS, _Kind.ABROAD: Reason.NO_PLUS}
    readings = (
        cell.international if convention == "international" else cell.national for cell in cells
    )
    return ColumnReading(
        tuple(
            BadNumberError(refused[cell.kind]) if cell.kind in refused else reading
            for cell, reading in zip(cells, readings, strict=True)
        ),
        convention,
        mixed,
    )


def _ask(counts: Counter[_Kind], undecided: Container[_Kind]) -> None:
    """Ask if a good part of the column would be refused for want of evidence.

    Raises:
        AmbiguousColumnError: It would.
    """
    both = sum(rows for kind, rows in counts.items() if kind in undecided)
    if both and both * SMALLEST_PART >= counts.total():
        raise AmbiguousColumnError(
            national=both + counts[_Kind.NATIONAL] + counts[_Kind.LOCAL],
            international=both + counts[_Kind.ABROAD] + counts[_Kind.OWN],
        )
