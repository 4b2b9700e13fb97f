"""What a cell holds: one written phone number, reduced to its digits, or the reason why not.

Which number those digits are is decided in `plans` and, for a whole column, in
`column_reading`: a contact whose number is read wrongly is a stranger who gets a call.
"""

import re
import unicodedata
from enum import StrEnum

LONGEST_TEXT = 60  # characters of a cell; the longest number written with separators has about 30
FEWEST_DIGITS = 7  # with the country code; the API takes no shorter number
MOST_DIGITS = 15  # with the country code; ITU-T E.164


class Reason(StrEnum):
    """Why a number was refused: the end of a sentence that begins with "the number"."""

    EMPTY = "is empty"
    SPREADSHEET = "was shortened by a spreadsheet; format the column as text and export it again"
    EXTENSION = "has an extension, which a campaign cannot dial"
    SEVERAL = "holds more than one number"
    LETTERS = "holds letters"
    SIGNS = "holds signs that no phone number has"
    PLACEHOLDER = "is a placeholder, such as 1234567890 or 5555555555"
    NO_COUNTRY = "has no country code; give default_region"
    NO_PLUS = (
        "seems to have a country code without its +; add the +, or give "
        'default_region "+" if the whole column is written so'
    )
    TWO_READINGS = (
        "can be read as a national number and as an international one without its +; "
        "write it with + and country code"
    )
    UNKNOWN_COUNTRY = "has an unknown country code"
    NO_AREA = "has no area code"
    SHORT = "is too short, or a short code"
    LONG = "is too long"
    PREMIUM = "is a premium-rate number"
    IMPOSSIBLE = "is not a possible number"


class BadNumberError(ValueError):
    """The text is no number that a campaign may dial. Neither text nor `reason` holds it.

    Attributes:
        reason: Why not.
        assigned: Whether it is somebody's number all the same, such as a premium-rate one.
    """

    def __init__(self, reason: Reason, *, assigned: bool = False) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.assigned = assigned


_COMPACT = re.compile(r"\+?[0-9]{7,15}")
_SPREADSHEET = re.compile(r"\d(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)
_FORMULA = re.compile(r'=\s*"([^"]*)"')  # ="…", with which exports stop spreadsheets from counting
# A number column that went through floating point. Not 06.12.34.56.00, where dots make groups.
_DECIMAL = re.compile(r"(\+?[^.,]*\d[^.,]*|\d{1,3}(?:,\d{3}){2,}|\d{1,3}(?:\.\d{3}){2,})[.,]0{1,2}")
_LONG_DECIMAL = re.compile(r"(\+?\d{7,})[.,](\d+)")
_LOOSE_EIGHT = re.compile(r"\+\s*8\D")  # a Russian trunk 8, not +84: no country code is 8
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3}){2,}")
_SCHEME = re.compile(r"(?:tel|callto|sms|whatsapp|p):\s*", re.IGNORECASE)  # p: in lead exports
# What people write beside a number to say which of theirs it is. Not fax, old or wrong.
_LABEL = (
    "mobile|mobil|mob|cell|cellular|celular|home|work|office|main|direct|personal|whats ?app|wa"
    "|phone|ph|tel|telefon|handy|privat|movil|portable"
)
# Not `Tel 2 …`: that digit counts phones.
_BEFORE = re.compile(
    rf"(?:(?:{_LABEL})\.?\s*(?::\s*|[\s.-]\s*(?!\d\b))|[mhwctop]\s*[:.]\s*)(?=[+(\d])",
    re.IGNORECASE,
)
_AFTER = re.compile(rf"\s*[(\[]\s*(?:{_LABEL}|[mhwc])\s*[)\]]", re.IGNORECASE)
_CHAT = re.compile(
    r"(?:https?://)?(?:wa\.me/|api\.whatsapp\.com/send\?phone=)\+?(\d{8,15})/?"
    r"|(\d{8,15})@(?:c\.us|s\.whatsapp\.net)"
)
_EXTENSION = re.compile(
    r"\d[\s)]*(?:[;,]*\s*(?:ext[a-zó]*|x)|[,;#]+)[\s.:=#]*\d{1,6}[\s)#]*", re.IGNORECASE
)
_BETWEEN_NUMBERS = re.compile(r"[\r\n/|,;&]|\bor\b|\band\b", re.IGNORECASE)
_SHAPE = re.compile(r"[(\[ ]*\+?[0-9 ()\[\]./-]+")
_QUOTES = "'\"`\u00b4\u2018\u2019\u201c\u201d "
_TRAILING = _QUOTES + ",;|"  # what is left of a list or of a record around the number
_PADDING = " +-./()[]"  # a cell of these alone means that there is no number
_DASHES = {"\u2212", "\u30fc"}  # the minus and the long-vowel sign; the others are category Pd
_FULL_WIDTH = {"\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0e": ".", "\uff0f": "/"}


def compact(text: str) -> str:
    """Take away what people put around digits; what is left is an optional + and digits.

    Separators, digits of any script, invisible marks, a leading apostrophe, `tel:`, the decimals
    and thousands separators of a spreadsheet and trailing separators are understood.

    Raises:
        BadNumberError: It is not one written number.
    """
    return text if _COMPACT.fullmatch(text) else _reduced(text)


def _reduced(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise BadNumberError(Reason.LONG)
    ascii_only = text.isascii() and "\t" not in text
    plain = (text if ascii_only else "".join(map(_plain, text))).strip()
    if formula := _FORMULA.fullmatch(plain):
        plain = formula[1]
    plain = plain.lstrip(_QUOTES).rstrip(_TRAILING)
    plain = _SCHEME.sub("", plain, count=1) if _SCHEME.match(plain) else _unlabelled(plain)
    if decimal := _LONG_DECIMAL.fullmatch(plain) or _DECIMAL.fullmatch(plain):
        plain = decimal[1].rstrip()
        if decimal.re is _LONG_DECIMAL and decimal[2].strip("0"):
            raise BadNumberError(Reason.SPREADSHEET)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if reason := _objection(plain):
        raise BadNumberError(reason)
    return re.sub(r"[^+0-9]", "", plain)


def _unlabelled(plain: str) -> str:
    if chat := _CHAT.fullmatch(plain):
        return f"+{chat[1] or chat[2]}"
    start = label.end() if (label := _BEFORE.match(plain)) else 0
    label = _AFTER.search(plain, start)
    return plain[start : label.start()] if label and label.end() == len(plain) else plain[start:]


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _plain(char: str) -> str:
    """Return a character's ASCII form: any script's digit, dash or space; "" if invisible."""
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
    return _foreign_sign(plain)


def _foreign_sign(plain: str) -> Reason | None:
    if any(char.isalpha() for char in plain):
        return Reason.LETTERS
    if not _SHAPE.fullmatch(plain):
        return Reason.SIGNS
    return Reason.UNKNOWN_COUNTRY if _LOOSE_EIGHT.match(plain) else None


def _several(plain: str) -> bool:
    # In 030/1234567 the slash follows an area code; after a whole number comes another one.
    *before, _ = _BETWEEN_NUMBERS.split(plain)
    whole = (_digits(part) >= FEWEST_DIGITS + 2 * part.count("+") for part in before)
    return any(whole) or bool(re.search(r"(?:\d\D*){7}\+\D*\d", plain))
