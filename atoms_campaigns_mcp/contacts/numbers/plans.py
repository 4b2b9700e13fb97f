"""Which numbers a row of digits may be, by the numbering plans of the world.

What is known about the plans comes from the `phonenumbers` library (Google's libphonenumber data).
The library is asked only how digits after a known country code are read: its own guess at
international prefixes takes digits away that belong to the number (0055 in Brazil, 0033 in
Thailand), and its guess at country codes doubles them.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import (
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberDesc,
    PhoneNumberType,
    ValidationResult,
)

from atoms_campaigns_mcp.contacts.numbers.cells import (
    FEWEST_DIGITS,
    MOST_DIGITS,
    BadNumberError,
    Reason,
)

SHORT_CODE_DIGITS = 6  # national numbers up to this length may be short codes (112, 11833)
UNASSIGNED = "is possible, but no such number is assigned"

_TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}
_MEXICO = 52
_FORMER_PREFIX = re.compile(r"(?:01|04[45]|1)(\d{10})")  # dialled there until 2019
_NEVER = "(?!)"
_CARRIER = re.compile("00[125-9]")
_DIALLED = re.compile(r"(?!00)\d{3}")  # 011, 810, 010; the library's others are patterns
_TRUNKS = ("06", "0", "8", "1")  # before an area code in Hungary, in most countries, …
_ASCENDING = "12345678901234567890"
_DESCENDING = "98765432109876543210"
_RUN_DIGITS = 9
# Published for examples and drama by NANPA, Ofcom, Arcep and ComReg. Here stand the ranges that the
# library does not count as assigned; it does the others.
_EXAMPLES = re.compile(
    r"\+(?:1[2-9]\d\d55501\d\d|44(?:7700900|1632960|1154960)\d{3}|3363998\d{4}|3532091\d{5})"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that may be dialled.

    Attributes:
        number: In E.164.
        doubtful: Why it may be a slip, the end of a sentence that begins with "the number"; ""
            if nothing forbids it.
    """

    number: str
    doubtful: str = ""


Outcome = Reading | BadNumberError


def known_region(region: str) -> bool:
    """Whether `region` is a country (ISO 3166, two letters in any case) with a numbering plan."""
    return region.upper() in phonenumbers.SUPPORTED_REGIONS


def known_code(digits: str) -> bool:
    """Whether `digits` are the calling code of a country, such as 44."""
    return digits.isascii() and digits.isdigit() and int(digits) in _codes()


def assigned(outcome: Outcome) -> bool:
    """Whether an outcome is somebody's number, be it one that may not be dialled."""
    if isinstance(outcome, BadNumberError):
        return outcome.assigned
    return not outcome.doubtful


def placeholder(digits: str) -> bool:
    """Whether somebody only filled a cell: the same digit all along."""
    return len(set(digits)) == 1


def after_prefix(digits: str, region: str | None) -> str | None:
    """Return what follows +, 00, or the international prefix that is dialled in `region`.

    None if there is no such prefix. Carriers' prefixes (00 55 in Brazil) are not taken for it.
    """
    if digits.startswith("+"):
        return digits[1:]
    if region in {"AU", "CC", "CX"} and digits.startswith("0011"):
        return digits[4:]  # no country code begins with 11
    if digits.startswith("00"):
        return digits[2:]
    prefix = _own_prefix(region) if region and region.isalpha() else ""
    return digits[len(prefix) :] if prefix and digits.startswith(prefix) else None


def after_carrier(digits: str, region: str | None) -> str | None:
    """Return what follows 001, 002, 005 to 009 where that is an international prefix of its own.

    003 and 004 are left out: 0033 and 0049 are written for France and Germany everywhere.
    """
    if not region or not region.isalpha() or not _CARRIER.match(digits):
        return None
    pattern = _international_prefix(region)
    return digits[3:] if re.fullmatch(pattern, digits[:3]) else None


def _own_prefix(region: str) -> str:
    prefix = _international_prefix(region)
    return prefix if _DIALLED.fullmatch(prefix) else ""


@cache
def _international_prefix(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata and metadata.international_prefix) or ""


def international(digits: str) -> Outcome:
    """Read digits that begin with a country code."""
    code = code_of(digits)
    if code is None:
        return BadNumberError(Reason.UNKNOWN_COUNTRY)
    return _belonging(digits[len(str(code)) :], code)


def national(digits: str, region: str) -> Outcome:
    """Read digits that belong to a country; a trunk or carrier prefix before them is left out."""
    code = code_of_region(region)
    if region != region_of_code(code) and _completes_local_numbers(region):
        return _graded(digits, region)
    return _belonging(digits, code)


def _belonging(digits: str, code: int) -> Outcome:
    digits = _without_former_prefix(digits, code)
    return _plain(code, digits) or _graded(f"+{code}{digits}")


def _without_former_prefix(digits: str, code: int) -> str:
    former = code == _MEXICO and _FORMER_PREFIX.fullmatch(digits)
    return former[1] if former else digits


def _completes_local_numbers(region: str) -> bool:
    # On islands that share a country code, 295 1234 is the whole number and gets its area code.
    metadata = PhoneMetadata.metadata_for_region(region)
    return bool(metadata and metadata.national_prefix_transform_rule)


def may_be_international(digits: str) -> bool:
    """Whether digits may be a number of the country code at their beginning. Cheap, to be sure."""
    code = code_of(digits)
    return code is not None and _may_belong(digits[len(str(code)) :], code)


def may_be_national(digits: str, region: str) -> bool:
    """Whether digits may be a number of a country, without its code. Cheap, to be sure."""
    return _may_belong(digits, code_of_region(region))


def _may_belong(digits: str, code: int) -> bool:
    digits = _without_former_prefix(digits, code)
    return any(plan.general.match(digits) or plan.prefix.match(digits) for plan in _plans(code))


def code_of(digits: str) -> int | None:
    """Return the country code with which digits begin, if one does."""
    for length in (1, 2, 3):
        if (code := int(digits[:length] or 0)) in _codes():
            return code if digits[0] != "0" else None
    return None


@cache
def code_of_region(region: str) -> int:
    """Return the calling code of a country."""
    return phonenumbers.country_code_for_region(region)


def region_of_code(code: int) -> str:
    """Return the main country of a calling code; "001" for those that belong to none."""
    return _codes()[code][0]


def after_trunk(digits: str) -> str | None:
    """Return the international number before which a trunk prefix was put: 0 91 98765 43210.

    None unless that prefix is dialled in the country of that number: nobody puts 0 before +1.
    """
    for prefix in _TRUNKS:
        rest = digits.removeprefix(prefix)
        if rest != digits and may_be_international(rest):
            code = code_of(rest)
            if code is not None and trunk(region_of_code(code)) == prefix:
                return rest
    return None


@cache
def trunk(region: str) -> str:
    """Return the digits that are dialled in `region` before an area code, mostly 0; "" for none."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata and metadata.national_prefix) or ""


def _codes() -> dict[int, tuple[str, ...]]:
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE


class _Plan(NamedTuple):
    """What one country assigns under its code, compiled."""

    trunk: str
    prefix: re.Pattern[str]
    general: re.Pattern[str]
    premium: re.Pattern[str]
    fixed: re.Pattern[str]
    mobile: re.Pattern[str]


@cache
def _plans(code: int) -> tuple[_Plan, ...]:
    """Return the plans of a code's countries, the main one first."""
    found = (
        PhoneMetadata.metadata_for_nongeo_region(code)
        if region == "001"
        else PhoneMetadata.metadata_for_region(region)
        for region in _codes()[code]
    )
    return tuple(_compiled(metadata) for metadata in found if metadata is not None)


def _compiled(metadata: PhoneMetadata) -> _Plan:
    prefix = metadata.national_prefix_for_parsing or _NEVER
    plain_trunk = metadata.national_prefix == prefix
    return _Plan(
        prefix if plain_trunk else "",
        re.compile(prefix),
        _pattern(metadata.general_desc),
        _pattern(metadata.premium_rate),
        _pattern(metadata.fixed_line),
        _pattern(metadata.mobile),
    )


def _pattern(kind: PhoneNumberDesc | None) -> re.Pattern[str]:
    if kind is None or not kind.national_number_pattern:
        return re.compile(_NEVER)
    lengths = "|".join(rf"\d{{{length}}}" for length in kind.possible_length) or r"\d*"
    return re.compile(rf"(?=(?:{lengths})\Z)(?:{kind.national_number_pattern})\Z")


def _plain(code: int, digits: str) -> Reading | None:
    """Read an ordinary number of a code's main country; None if it takes a closer look.

    The library comes to the same in ten times the time, which a list of 10,000 has not.
    """
    plan = _plans(code)[0]
    digits = digits.removeprefix(plan.trunk)
    if plan.prefix.match(digits) or not plan.general.match(digits):
        return None
    ordinary = plan.mobile.match(digits) or plan.fixed.match(digits)
    if not ordinary or plan.premium.match(digits) or _is_filler(digits, unassigned=False):
        return None
    written = f"+{code}{digits}"
    return Reading(written) if FEWEST_DIGITS < len(written) <= MOST_DIGITS + 1 else None


def _graded(text: str, region: str | None = None) -> Outcome:
    try:
        number = _parsed(text, region)
    except BadNumberError as refusal:
        return refusal
    try:
        return _grade(number)
    except BadNumberError as refusal:
        refusal.assigned = phonenumbers.is_valid_number(number)
        return refusal


def _parsed(text: str, region: str | None = None) -> PhoneNumber:
    """Split a text into country code and national number."""
    error = phonenumbers.NumberParseException
    try:
        return phonenumbers.parse(text, region)
    except error as refusal:
        kind = refusal.error_type
    if kind == error.INVALID_COUNTRY_CODE:
        reason = Reason.UNKNOWN_COUNTRY
    elif kind == error.TOO_LONG:
        reason = Reason.LONG
    else:
        reason = Reason.SHORT
    raise BadNumberError(reason)


def _grade(number: PhoneNumber) -> Reading:
    """Return whether a number may be dialled, and whether it is doubtful.

    Raises:
        BadNumberError: It may not.
    """
    _check_possible(number)
    written = _e164(number)
    if len(written) - 1 < FEWEST_DIGITS:
        raise BadNumberError(Reason.SHORT)
    if len(written) - 1 > MOST_DIGITS:
        raise BadNumberError(Reason.LONG)
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.PREMIUM_RATE:
        raise BadNumberError(Reason.PREMIUM)
    unassigned = kind == PhoneNumberType.UNKNOWN
    if _is_filler(str(number.national_number), unassigned=unassigned):
        raise BadNumberError(Reason.PLACEHOLDER)
    if not unassigned or _EXAMPLES.fullmatch(written):
        return Reading(written)
    _check_unassigned(number)
    return Reading(written, UNASSIGNED)


def _check_possible(number: PhoneNumber) -> None:
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == ValidationResult.IS_POSSIBLE:
        return
    if possible == ValidationResult.TOO_LONG:
        raise BadNumberError(Reason.LONG)
    if possible in _TOO_SHORT:
        local = possible == ValidationResult.IS_POSSIBLE_LOCAL_ONLY and not _may_be_code(number)
        raise BadNumberError(Reason.NO_AREA if local else Reason.SHORT)
    raise BadNumberError(Reason.IMPOSSIBLE)


def _is_filler(digits: str, *, unassigned: bool) -> bool:
    if unassigned:
        run = digits in _ASCENDING or digits in _DESCENDING
    else:  # 98765 43210 in India and 1234567 on an island may be somebody's
        run = len(digits) >= _RUN_DIGITS and _ASCENDING.startswith(digits)
    return run or placeholder(digits)


def _check_unassigned(number: PhoneNumber) -> None:
    """Refuse an unassigned number that is certainly a slip."""
    if _may_be_code(number):
        raise BadNumberError(Reason.SHORT)
    # A trunk 0 or a carrier code that was kept by mistake; the second reading would drop it.
    if number.italian_leading_zero or _parsed(_e164(number)) != number:
        raise BadNumberError(Reason.IMPOSSIBLE)


def _may_be_code(number: PhoneNumber) -> bool:
    return len(phonenumbers.national_significant_number(number)) <= SHORT_CODE_DIGITS


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
