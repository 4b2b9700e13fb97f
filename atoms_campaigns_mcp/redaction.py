"""Text that others wrote, made fit to pass on: whole characters, no keys, no full phone numbers."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any, cast

HIDDEN = "sk_***"
SHORTEST_KEY = 8  # characters; anything shorter may stand in any text by chance
_LONE = re.compile("[\ud800-\udfff]")
# The rest of the word is taken at once: a search from every mark would take as long as the
# square of their number.
_MARK, _REST = "sk(?:_|%5f)", r"(?:[\w-]|%5f)*"
_KEY = re.compile(rf"(?i){_MARK}(?P<rest>{_REST})")
_KEY_AFTER_DASH = re.compile(rf"(?i)(?<=-){_MARK}{_REST}")
_BEARER = re.compile(r"(?i)\bbearer(?:\s|%20|\+)+\S+")
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")  # letters by category, blank on every screen
_DOTS = frozenset(
    "\u2018\u2019\u2022\u2024\u2025\u2026\u2027\u2044\u2215\u2219\u22c5\u25cf\u3002\uff0e\uff0f"
)
# What may stand between the digits of one number, also as it is written in URLs and HTML.
_BETWEEN = (
    r"(?:[\s\x00-\x1f\x7f()./\u00b7\u30fb,'_+~-]|%(?:20|2[89bcdef]|5f|c2|a0|e2|80|8\d|9\d|0[9ad])"
    r"|&(?:nbsp|thinsp|\#\d{2,4}|\#x[0-9a-f]{2,4});)"
)
# Seven digits are the shortest national number that E.164 knows. Ids, times and amounts are none.
_NUMBER = rf"""(?xi)
    (?P<kept>
        (?<![0-9a-z]) (?:
            (?:[0-9a-f]{{24}}|[0-9a-f]{{32}}|[0-9a-f]{{40}}|[0-9a-f]{{64}}) (?![0-9a-z])
          | [0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}} (?![0-9a-z])
          | CALL-\d{{13}}-[a-z0-9]{{6}} (?![0-9a-z])
        )
      | (?<![\d+]) (?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])
        (?:[t\ ]\d\d:\d\d(?::\d\d(?:\.\d{{1,6}})?)?(?:z|[+-]\d\d:?\d\d)?)? (?!\d|[-./]\d)
      | (?<![\d+/]) \d\d?/\d\d?/(?:\d\d)?\d\d (?![\d/-])
      | (?<![\d+,.]) \d{{1,3}}(?:,\d{{3}}){{1,2}} (?!\d|[-.,\ ]\d)
    )
    | \+?\(?\d(?:{_BETWEEN}{{0,4}}\d){{6,}}"""


def whole(value: Any, secret: str = "") -> Any:
    """Return a JSON document in which half a character, which no output can carry, is U+FFFD.

    `secret` is taken out of it too, wherever it stands.
    """
    if isinstance(value, str):
        text = value if value.isascii() else _LONE.sub("\ufffd", value)
        return text.replace(secret, "***") if len(secret) >= SHORTEST_KEY else text
    if isinstance(value, list):
        return [whole(entry, secret) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {whole(name, secret): whole(entry, secret) for name, entry in fields.items()}
    return value


def seen(text: str) -> str:
    """Return what a reader sees of a text: no lone surrogates, no characters without a shape."""
    if text.isascii():
        return text
    return "".join(char for char in whole(text) if unicodedata.category(char) != "Cf")


def hide_keys(text: str) -> str:
    """Take API keys out of a text."""
    if not _may_hold_key(text):
        return text
    return _BEARER.sub("Bearer ***", _KEY.sub(_hidden_key, text))


def _hidden_key(found: re.Match[str]) -> str:
    """Hide a key that begins a word, or stands at the end of one and looks like a key."""
    rest, before = found["rest"], found.string[max(found.start() - 1, 0) : found.start()]
    begins = not (before.isalnum() or before == "_")
    if begins or (len(rest) >= SHORTEST_KEY and any(map(str.isdecimal, rest))):
        return HIDDEN
    return _KEY_AFTER_DASH.sub(HIDDEN, found[0])


def _may_hold_key(text: str) -> bool:
    """Return whether a text is worth the search; most are not, and it takes far longer than this.

    Case is folded, since the patterns take `\u017f` for an s and the Kelvin sign for a k.
    """
    plain = text.casefold()
    return "sk_" in plain or "sk%5f" in plain or "bearer" in plain


def redact(text: str) -> str:
    """Take API keys and phone numbers out of a text that was not written by us."""
    text = hide_keys(seen(text))
    plain = text if text.isascii() else "".join(map(_plain, text))
    pieces, end = list[str](), 0
    for found in _numbers().finditer(plain):
        if found["kept"] is None:
            number = found[0]
            sign = "+" if number.startswith("+") else ""
            masked = mask_number(sign + re.sub(r"\D", "", number))
            pieces += [text[end : found.start()], masked]
            end = found.end()
    return "".join([*pieces, text[end:]])


def mask_number(number: str) -> str:
    """Keep a number's sign, first two and last two digits: enough to recognise, not to dial."""
    digits = number.lstrip("+")
    if len(digits) <= 4:  # noqa: PLR2004 - nothing would be left to hide
        return "*" * len(number)
    sign, stars = number[: len(number) - len(digits)], "*" * (len(digits) - 4)
    return f"{sign}{digits[:2]}{stars}{digits[-2:]}"


@cache
def _numbers() -> re.Pattern[str]:
    return re.compile(_NUMBER)  # takes longer than a start should wait for it


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """Return the ASCII character that this one stands for in a number, else itself."""
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(char)
    if kind in {"Zs", "Mn", "Me"} or char in _INVISIBLE:
        return " "
    if kind == "Pd" or char in _DOTS:
        return "-"
    return {"\uff0b": "+", "\ufe62": "+", "\u2212": "-"}.get(char, char)
