"""Cells of exports that people open in a spreadsheet, which may run what is in them."""

import re

_MARKS = "=+@\uff1d\uff0b\uff0d\uff20-"
_PLAIN_NUMBER = re.compile(r"[+-]?[\d*]+(?:\.\d+)?", re.ASCII)  # * where it is masked
# Spaces and quotes may stand before the mark: a spreadsheet that expects another separator reads
# the quotes around our cell differently.
_BEGINS = re.compile(rf"[\s\"']*[{_MARKS}]")
# Where the separator is another, or a line ends, a new cell begins in the middle of ours. Where
# several follow each other, the last one counts.
_INNER = re.compile(rf"([;\t|\r\n])(?=(?:[^\S\t\r\n]|[\"'])*[{_MARKS}])")


def spreadsheet_safe(value: str) -> str:
    """Put an apostrophe before whatever a spreadsheet would run as a formula (OWASP's list).

    This holds wherever a cell may begin: at the start of the value, and after a semicolon, tab,
    bar or line break in it. Plain numbers stay as they are: `+919876543210` and `-5` do nothing,
    and a number with an apostrophe would not be one any more.
    """
    inner = _INNER.sub(r"\1'", value)
    return f"'{inner}" if _BEGINS.match(value) and not _PLAIN_NUMBER.fullmatch(value) else inner
