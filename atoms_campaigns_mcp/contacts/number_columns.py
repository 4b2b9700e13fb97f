"""A column of cells read as phone numbers, all by one convention.

Digits without + and 00 may be a number of the row's country or an international one that lost its
plus: 15125550143 is a German number and an American one. The column decides, not the cell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, NamedTuple

from atoms_campaigns_mcp.contacts import number_plans as plans
from atoms_campaigns_mcp.contacts.number_plans import Outcome, Reading
from atoms_campaigns_mcp.contacts.numbers import BadNumberError, Reason, compact

__all__ = ["AmbiguousColumnError", "ColumnReading", "Reading", "read_column"]

INTERNATIONAL = "+"  # in place of a country: every number begins with its country code
ENOUGH_EVIDENCE = 10  # a row of one reading decides for at most that many that have both


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
    """What one cell says about the column."""

    SETTLED = auto()  # nothing: it has one reading whatever the others are
    LOCAL = auto()  # written with its trunk prefix: certainly national, tells nothing of others
    NATIONAL = auto()  # assigned as a national number only
    INTERNATIONAL = auto()  # assigned as an international number only
    BOTH = auto()  # assigned as two different numbers
    NEITHER = auto()  # not assigned at all


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
        return _settled(plans.international(rest))
    if region == INTERNATIONAL:
        return _settled(plans.international(digits))
    return _undecided(digits, region)


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
    plus = plans.may_be_international(digits) and plans.settled(plans.international(digits))
    return _settled(BadNumberError(Reason.NO_PLUS if plus else Reason.NO_COUNTRY))


def _two_readings(digits: str, region: str) -> _Cell:
    national = plans.national(digits, region)
    prefix = plans.trunk(region)
    if prefix and digits.startswith(prefix):
        doubled = _international(digits[len(prefix) :])
        if _own(doubled, region) and doubled != national:
            both = plans.settled(national)
            return _settled(BadNumberError(Reason.TWO_READINGS) if both else doubled)
    abroad = _international(digits)
    if not plans.settled(abroad):
        if not plans.settled(national):
            return _Cell(_Kind.NEITHER, national, abroad)
        local = digits.startswith("0") or not _as_written(national, digits)
        return _Cell(_Kind.LOCAL if local else _Kind.NATIONAL, national, abroad)
    if national == abroad or _own(abroad, region):
        return _settled(abroad)
    kind = _Kind.BOTH if plans.settled(national) else _Kind.INTERNATIONAL
    return _Cell(kind, national, abroad)


def _as_written(national: Outcome, digits: str) -> bool:
    """Whether the digits stand in the number as they were written, without a trunk prefix."""
    return isinstance(national, Reading) and national.number.endswith(digits)


def _international(digits: str) -> Outcome:
    if not plans.may_be_international(digits):
        return BadNumberError(Reason.IMPOSSIBLE)
    return plans.international(digits)


def _own(outcome: Outcome, region: str) -> bool:
    """Whether an outcome is an assigned number under the country code of `region`."""
    if not isinstance(outcome, Reading) or outcome.doubtful:
        return False
    code = plans.code_of(outcome.number[1:])
    return code is not None and code == plans.code_of_region(region)


def _decided(cells: Sequence[_Cell]) -> ColumnReading:
    kinds = [cell.kind for cell in cells]
    national, international, both = (
        kinds.count(kind) for kind in (_Kind.NATIONAL, _Kind.INTERNATIONAL, _Kind.BOTH)
    )
    local = kinds.count(_Kind.LOCAL)
    mixed = bool(international and (national or local)) or bool(local and both and not national)
    if both > ENOUGH_EVIDENCE * max(national, international, local):
        raise AmbiguousColumnError(national + both, international + both)
    convention = "international" if international and not mixed else "national"
    readings = tuple(_refused_or_read(cells, convention, mixed=mixed))
    return ColumnReading(readings, convention, mixed)


def _refused_or_read(cells: Iterable[_Cell], convention: str, *, mixed: bool) -> Iterable[Outcome]:
    for cell in cells:
        if mixed and cell.kind is _Kind.INTERNATIONAL:
            yield BadNumberError(Reason.NO_PLUS)
        elif mixed and cell.kind is _Kind.BOTH:
            yield BadNumberError(Reason.TWO_READINGS)
        elif convention == "international":
            yield cell.international
        else:
            yield cell.national
