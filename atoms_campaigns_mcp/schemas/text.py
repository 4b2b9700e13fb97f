"""Text from outside: cleaned, quoted and counted."""

import re
import unicodedata
from typing import Any

from atoms_campaigns_mcp.redaction import hide_keys, seen

TEXT_MAX = 300  # characters kept of a text that came from outside

# Whatever looks like a double quote, and several single ones, which look like one together.
_SINGLE = "'`\u00b4\u02b9\u02bc\u2018-\u201b\u2032\u2035"

_DOUBLE = (
    '"\u201c-\u201f\u00ab\u00bb\u02ba\u02dd\u02ee\u02f6\u05f4\u2033\u2034\u2036\u2037\u2057'
    "\u275d\u275e\u2760\u276e\u276f\u2e42\u3003\u301d-\u301f\uff02\U0001f676-\U0001f678"
)

_QUOTES = re.compile(f"[{_SINGLE}]*[{_DOUBLE}][{_SINGLE}{_DOUBLE}]*|[{_SINGLE}]{{2,}}")


def counted(number: int, noun: str) -> str:
    """Write a number of things: `1 contact`, `2 contacts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def clean(value: Any, limit: int = TEXT_MAX) -> Any:
    """Make text from outside fit to show: a line of at most `limit` characters, without keys."""
    return capped(hide_keys(flat(value)), limit) if isinstance(value, str) else value


def flat(text: str) -> str:
    """Make one line of a text: its line breaks become spaces, invisible characters go."""
    if text.isascii() and text.isprintable():
        return text
    breaks = {"Cc", "Zl", "Zp"}
    return "".join(" " if unicodedata.category(c) in breaks else c for c in seen(text))


def capped(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, the last of them an ellipsis."""
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quoted(name: str, limit: int = TEXT_MAX) -> str:
    """Put a name that comes from outside into quotes, which it cannot close itself."""
    return '"' + _QUOTES.sub("'", clean(name, limit=limit)) + '"'
