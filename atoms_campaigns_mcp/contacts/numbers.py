"""Phone numbers: as people write them, to E.164; and from E.164 to a country and time zones.

A contact whose number is read wrongly is a stranger who gets a call, so a number that could be
read in two ways is refused and never guessed at. What is known about numbering plans comes from
the `phonenumbers` library (Google's libphonenumber data).
"""

import re
import unicodedata
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number

LONGEST_TEXT = 60  # characters of a cell; the longest number written with separators has about 30
FEWEST_DIGITS = 7  # with the country code; the API takes no shorter number
MOST_DIGITS = 15  # with the country code; ITU-T E.164
SHORT_CODE_DIGITS = 6  # national numbers up to this length may be short codes (112, 11833)
LIKELY_ABROAD = 12  # digits without + or 0: hardly any country's own numbers are as long
NORTH_AMERICA = 1  # the country code that 25 countries share


class Reason(StrEnum):
    """Why a number was refused: the end of a sentence that begins with "the number"."""

    EMPTY = "is empty"
    SPREADSHEET = "was shortened by a spreadsheet; format the column as text and export it again"
    EXTENSION = "has an extension, which a campaign cannot dial"
    SEVERAL = "holds more than one number"
    LETTERS = "holds letters"
    SIGNS = "holds signs that no phone number has"
    NO_COUNTRY = "has no country code; give default_region"
    NO_PLUS = "seems to have a country code without its +"
    UNKNOWN_COUNTRY = "has an unknown country code"
    NO_AREA = "has no area code"
    SHORT = "is too short, or a short code"
    LONG = "is too long"
    PREMIUM = "is a premium-rate number"
    IMPOSSIBLE = "is not a possible number"


class BadNumberError(ValueError):
    """The text is no number that a campaign may dial. Neither text nor `reason` holds it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


_COMPACT = re.compile(r"\+?[0-9]{7,15}")
_SPREADSHEET = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_FORMULA = re.compile(r'=\s*"([^"]*)"')  # ="…", with which exports stop spreadsheets from counting
_DECIMAL = re.compile(r"(\+?\d{7,})\.0")  # a number column that went through floating point
_SCHEME = re.compile(r"(?:tel|callto|sms|whatsapp|p):\s*", re.IGNORECASE)  # p: in lead exports
_EXTENSION = re.compile(
    r"\d[\s)]*(?:[;,]*\s*(?:ext[a-zó]*|x)|[,;#]+)[\s.:=#]*\d{1,6}[\s)#]*", re.IGNORECASE
)
_BETWEEN_NUMBERS = re.compile(r"[\r\n/|,;&]|\bor\b|\band\b", re.IGNORECASE)
_SHAPE = re.compile(r"[(\[ ]*\+?[0-9 ()\[\]./-]+")
_QUOTES = "'\"`\u00b4\u2018\u2019\u201c\u201d "
_PADDING = " +-./()[]"  # a cell of these alone means that there is no number
_DASHES = {"\u2212", "\u30fc"}  # the minus and the long-vowel sign; the others are category Pd
_FULL_WIDTH = {"\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0e": ".", "\uff0f": "/"}
_TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}


def known_region(region: str) -> bool:
    """Whether `region` is a country (ISO 3166, two letters in any case) with a numbering plan."""
    return region.upper() in phonenumbers.SUPPORTED_REGIONS


def normalise(text: str, *, region: str | None) -> str:
    """Write a number in E.164: `+`, country code, national number, 7 to 15 digits.

    A number must be possible (the right length for its country), not assigned: the ones set aside
    for examples and tests (+1 202 555 0143, +44 7700 900123) are accepted, because the sandbox and
    those who try it use them. Stricter than possible where a slip would ring a stranger: a short
    number, or one that reads differently a second time, must be assigned; premium-rate numbers
    are refused, because every call to one would be paid for.

    Args:
        text: What a cell holds. Separators, full-width digits, a leading apostrophe, `tel:` and
            the international prefix of `region` (mostly 00) are understood.
        region: The country of numbers without a country code, as two letters; None if there is
            no such country, then those are refused.

    Raises:
        BadNumberError: It is not one number that a campaign may dial.
    """
    compact = text if _COMPACT.fullmatch(text) else _compact(text)
    if not compact.startswith("+") and region is None:
        raise BadNumberError(Reason.NO_COUNTRY)
    number = _read(compact, region and region.upper())
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
    if (unassigned or len(compact) >= LIKELY_ABROAD) and _lost_its_plus(compact, number):
        raise BadNumberError(Reason.NO_PLUS)
    if unassigned:
        _check_unassigned(number)
    return written


def _compact(text: str) -> str:
    """Take away what people put around digits; what is left is an optional + and digits."""
    if len(text) > LONGEST_TEXT:
        raise BadNumberError(Reason.LONG)
    plain = "".join(_plain(char) for char in text).strip()
    if formula := _FORMULA.fullmatch(plain):
        plain = formula[1]
    plain = plain.strip(_QUOTES)
    plain = _SCHEME.sub("", plain, count=1) if _SCHEME.match(plain) else plain
    if decimal := _DECIMAL.fullmatch(plain):
        plain = decimal[1]
    if reason := _objection(plain):
        raise BadNumberError(reason)
    return re.sub(r"[^+0-9]", "", plain)


def _plain(char: str) -> str:
    """Give a character its ASCII form: any script's digit, dash or space; "" if it is invisible."""
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Pd" or char in _DASHES:
        return "-"
    if category == "Zs" or char == "\t":
        return " "
    # Numbers pasted from address books come wrapped in invisible direction marks.
    return "" if category == "Cf" else _FULL_WIDTH.get(char, char)


def _objection(plain: str) -> Reason | None:
    """Name the first thing that keeps a text from being one written number."""
    if not plain.strip(_PADDING):
        return Reason.EMPTY
    if _SPREADSHEET.fullmatch(plain):
        return Reason.SPREADSHEET
    if (extension := _EXTENSION.search(plain)) and extension.end() == len(plain):
        return Reason.EXTENSION
    if _several(plain):
        return Reason.SEVERAL
    if any(char.isalpha() for char in plain):
        return Reason.LETTERS
    return None if _SHAPE.fullmatch(plain) else Reason.SIGNS


def _several(plain: str) -> bool:
    # In 030/1234567 the slash follows an area code; after a whole number comes another one.
    *before, _ = _BETWEEN_NUMBERS.split(plain)
    whole = (sum(map(str.isdigit, part)) >= FEWEST_DIGITS + 2 * part.count("+") for part in before)
    return any(whole) or bool(re.search(r"(?:\d\D*){7}\+\D*\d", plain))


def _read(compact: str, region: str | None) -> PhoneNumber:
    """Split a compact number into country code and national number."""
    error = phonenumbers.NumberParseException
    try:
        return phonenumbers.parse(compact, region)
    except error as refusal:
        kind = refusal.error_type
    if kind == error.INVALID_COUNTRY_CODE:
        reason = Reason.UNKNOWN_COUNTRY
    elif kind == error.TOO_LONG:
        reason = Reason.LONG
    else:
        reason = Reason.SHORT
    raise BadNumberError(reason)


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


def _check_unassigned(number: PhoneNumber) -> None:
    """Refuse an unassigned number that is more likely a slip than an example number."""
    if _may_be_code(number):
        raise BadNumberError(Reason.SHORT)
    # A trunk 0 or a carrier code that was kept by mistake; the second reading would drop it.
    if number.italian_leading_zero or _read(_e164(number), None) != number:
        raise BadNumberError(Reason.IMPOSSIBLE)


def _may_be_code(number: PhoneNumber) -> bool:
    return len(phonenumbers.national_significant_number(number)) <= SHORT_CODE_DIGITS


def _lost_its_plus(compact: str, number: PhoneNumber) -> bool:
    """Whether digits that were taken for a national number are a foreign one as they stand.

    Some countries (Germany, Austria) have numbers of almost any length, so that a list of another
    country's numbers without + would otherwise become strangers' numbers there.
    """
    if compact[0] in "+0" or str(number.national_number) != compact:
        return False
    try:
        return phonenumbers.is_valid_number(_read(f"+{compact}", None))
    except BadNumberError:
        return False


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Directory:
    """Tells where a number belongs. Keeps what it found per country and area code; not per number.

    Says where a number was issued, which for a mobile need not be where its owner is.
    """

    def __init__(self) -> None:
        self._area_countries: dict[str, str] = {}
        self._country_zones: dict[int, tuple[str, ...]] = {}

    def country(self, number: str) -> str:
        """Give the country (ISO 3166, two letters) of an E.164 number; "" if it has none.

        An unassigned number counts for the main country of its country code, except under +1:
        there an unknown area code may belong to any of 25 countries.
        """
        found = _split(number)
        if found is None:
            return ""
        code, national = found
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        if code == NORTH_AMERICA:
            region = self._by_area(national[:3])
        elif len(regions) == 1:
            region = regions[0]
        else:
            region = phonenumbers.region_code_for_number(_joined(code, national)) or regions[0]
        return region if region.isalpha() else ""  # 001 stands for satellite and the like

    def zones(self, number: str) -> tuple[str, ...]:
        """Give the IANA names of the time zones an E.164 number may be in; () if unknown.

        A mobile or service number is in any zone of its country, as far as the library knows no
        better. Under +1 such a number (toll-free, personal) is unknown: 42 zones from Guam to
        Bermuda would say nothing.
        """
        found = _split(number)
        if found is None:
            return ()
        code, national = found
        anywhere = self._anywhere(code)
        if len(anywhere) <= 1:
            return anywhere
        parsed = _joined(code, national)
        narrow = _current(time_zones_for_geographical_number(parsed))
        if code == NORTH_AMERICA:
            return () if narrow == anywhere else narrow
        if narrow == anywhere or phonenumbers.is_number_geographical(parsed):
            return narrow
        # A prefix of mobiles may name one city's zone (+61 4: Sydney) though they are sold
        # everywhere; too wide a set only asks for more care.
        return anywhere

    def _by_area(self, area: str) -> str:
        # An area code is never split between countries; 234 5678 is a subscriber it can have.
        if area not in self._area_countries:
            sample = PhoneNumber(
                country_code=NORTH_AMERICA, national_number=int(f"{area or 0}2345678")
            )
            self._area_countries[area] = phonenumbers.region_code_for_number(sample) or ""
        return self._area_countries[area]

    def _anywhere(self, code: int) -> tuple[str, ...]:
        # There is no public way to ask for a whole country, but a prefix that has no zones of its
        # own has the country's, and no country has zones for all ten first digits.
        if code not in self._country_zones:
            answers = (
                time_zones_for_geographical_number(
                    PhoneNumber(country_code=code, national_number=digit)
                )
                for digit in range(10)
            )
            self._country_zones[code] = _current(max(answers, key=len))
        return self._country_zones[code]


# Former names in the library's data. Debian 13 and Ubuntu 24.04 moved them to a package that is
# not installed by default (tzdata-legacy), where `zoneinfo` would not find them.
_FORMER_NAMES = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


def _current(zones: tuple[str, ...]) -> tuple[str, ...]:
    names = dict.fromkeys(_FORMER_NAMES.get(zone, zone) for zone in zones)
    names.pop(UNKNOWN_TIMEZONE, None)
    return tuple(names)


def _split(number: str) -> tuple[int, str] | None:
    """Split an E.164 number, with or without +, into country code and national number."""
    if not _COMPACT.fullmatch(number):
        return None
    digits = number.removeprefix("+")
    for length in (1, 2, 3):
        if (code := int(digits[:length])) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code, digits[length:]
    return None


def _joined(code: int, national: str) -> PhoneNumber:
    # Ten times as fast as parsing, for a number that was written by `normalise` or by the API.
    zeros = len(national) - len(national.lstrip("0"))
    return PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
