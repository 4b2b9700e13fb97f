"""Numbers as the API holds them, which may have been written in any way."""

import re

from atoms_campaigns_mcp.contacts.numbers.cells import FEWEST_DIGITS, BadNumberError, compact
from atoms_campaigns_mcp.contacts.numbers.plans import after_prefix

_E164 = re.compile("[+][1-9][0-9]{6,14}")


def e164(text: str) -> str | None:
    """Write a number that the API holds in E.164; "" if nobody has it, None if it is not clear."""
    text = text.strip()
    try:
        found = compact(text)
    except BadNumberError:
        found = ""
    # Digits alone are taken as the API takes them, with their country code; written otherwise they
    # may lack it.
    digits = after_prefix(found, None) or (found if found == text else "")
    if _E164.fullmatch(f"+{digits}"):
        return f"+{digits}"
    return "" if sum(map(str.isdigit, text)) < FEWEST_DIGITS else None


def as_digits(text: str) -> str | None:
    """Return the digits by which numbers are compared, "" and None as `e164` does."""
    number = e164(text)
    return None if number is None else number.lstrip("+")
