"""Which numbers a row of digits may be, by the numbering plans of the world.

What is known about the plans comes from the `phonenumbers` library (Google's libphonenumber data).
The library is asked only how digits after a known country code are read: its own guess at
international prefixes takes digits away that belong to the number (0055 in Brazil, 0033 in
Thailand), and its guess at country codes doubles them.
"""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberType, ValidationResult

from atoms_campaigns_mcp.contacts.numbers import (
    FEWEST_DIGITS,
    MOST_DIGITS,
    BadNumberError,
    Reason,
)

SHORT_CODE_DIGITS = 6  # national numbers up to this length may be short codes (112, 11833)
UNASSIGNED = "is possible, but no such number is assigned"

_TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}
_FORMER_MEXICO = re.compile(r"521\d{10}")  # the 1 of mobiles, which fell away in 2019
_DIALLED = re.compile(r"(?!00)\d{3}")  # 011, 810, 010; the library's others are patterns
_ASCENDING = "01234567890123456789"
_DESCENDING = "98765432109876543210"
_RUN_DIGITS = 9  # an assigned number may be a shorter run: 1234567
# Set aside for examples and tests, though the library does not count them as assigned: 555-01xx
# in North America, and what Ofcom recommends for drama.
_EXAMPLES = re.compile(
    r"\+(?:1[2-9]\d\d55501\d\d"
    r"|44(?:7700900|1632960|3069990|808157\d|909879\d|289649\d|11[3-8]496\d|1[2-6]1496\d)\d{3}"
    r"|44(?:1914980|2079460|2920180|1914980)\d{3})"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that may be dialled.

    Attributes:
        number: In E.164.
        doubtful: Why it may be a slip, the end of a sentence that begins with "the number"; ""
            if nothing speaks against it.
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


def settled(outcome: Outcome | None) -> bool:
    """Whether an outcome is an assigned number."""
    return isinstance(outcome, Reading) and not outcome.doubtful


def placeholder(digits: str) -> bool:
    """Whether somebody only filled a cell: the same digit all along."""
    return len(set(digits)) == 1


def after_prefix(digits: str, region: str | None) -> str | None:
    """Give what follows +, 00, or the international prefix that is dialled in `region`.

    None if there is no such prefix. Carriers' prefixes (00 55 in Brazil) are never taken for it:
    they are dialled, but not written into lists.
    """
    if digits.startswith("+"):
        return digits[1:]
    if region in {"AU", "CC", "CX"} and digits.startswith("0011"):
        return digits[4:]  # no country code begins with 11
    if digits.startswith("00"):
        return digits[2:]
    prefix = _own_prefix(region) if region and region.isalpha() else ""
    return digits[len(prefix) :] if prefix and digits.startswith(prefix) else None


@cache
def _own_prefix(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = (metadata and metadata.international_prefix) or ""
    return prefix if _DIALLED.fullmatch(prefix) else ""


def international(digits: str) -> Outcome:
    """Read digits that begin with a country code."""
    if _FORMER_MEXICO.fullmatch(digits):
        digits = digits[:2] + digits[3:]
    return _graded(digits)


def national(digits: str, region: str) -> Outcome:
    """Read digits that belong to a country; a trunk or carrier prefix before them is left out."""
    return _graded(f"{code_of_region(region)}{digits}")


def may_be_international(digits: str) -> bool:
    """Whether digits have a length that the country code at their beginning allows. Cheap."""
    if _FORMER_MEXICO.fullmatch(digits):
        return True
    code = code_of(digits)
    return code is not None and len(digits) - len(str(code)) in _lengths(code)


def code_of(digits: str) -> int | None:
    """Give the country code with which digits begin, if one does."""
    for length in (1, 2, 3):
        if (code := int(digits[:length] or 0)) in _codes():
            return code if digits[0] != "0" else None
    return None


def code_of_region(region: str) -> int:
    """Give the calling code of a country."""
    return phonenumbers.country_code_for_region(region)


def region_of_code(code: int) -> str:
    """Give the main country of a calling code; "001" for those that belong to none."""
    return _codes()[code][0]


def trunk(region: str) -> str:
    """Give the digits that are dialled in `region` before an area code, mostly 0; "" for none."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return (metadata and metadata.national_prefix) or ""


def _codes() -> dict[int, tuple[str, ...]]:
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE


@cache
def _lengths(code: int) -> frozenset[int]:
    found: set[int] = set()
    for region in _codes()[code]:
        metadata = (
            PhoneMetadata.metadata_for_nongeo_region(code)
            if region == "001"
            else PhoneMetadata.metadata_for_region(region)
        )
        if metadata and metadata.general_desc:
            found.update(metadata.general_desc.possible_length)
    return frozenset(found)


def _graded(digits: str) -> Outcome:
    try:
        return _grade(_parsed(digits))
    except BadNumberError as refusal:
        return refusal


def _parsed(digits: str) -> PhoneNumber:
    """Split digits into country code and national number."""
    error = phonenumbers.NumberParseException
    try:
        return phonenumbers.parse(f"+{digits}", None)
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
    """Say whether a number may be dialled, and whether it is doubtful.

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
    _check_placeholder(str(number.national_number), unassigned=kind == PhoneNumberType.UNKNOWN)
    if kind != PhoneNumberType.UNKNOWN or _EXAMPLES.fullmatch(written):
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


def _check_placeholder(digits: str, *, unassigned: bool) -> None:
    ascending = digits in _ASCENDING and (unassigned or len(digits) >= _RUN_DIGITS)
    # A descending run may be somebody's number: 98765 43210 in India.
    if placeholder(digits) or ascending or (unassigned and digits in _DESCENDING):
        raise BadNumberError(Reason.PLACEHOLDER)


def _check_unassigned(number: PhoneNumber) -> None:
    """Refuse an unassigned number that is certainly a slip."""
    if _may_be_code(number):
        raise BadNumberError(Reason.SHORT)
    # A trunk 0 or a carrier code that was kept by mistake; the second reading would drop it.
    if number.italian_leading_zero or _parsed(_e164(number)[1:]) != number:
        raise BadNumberError(Reason.IMPOSSIBLE)


def _may_be_code(number: PhoneNumber) -> bool:
    return len(phonenumbers.national_significant_number(number)) <= SHORT_CODE_DIGITS


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
