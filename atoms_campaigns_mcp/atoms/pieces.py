"""A body that comes in pieces, repaired as it passes: no half characters, no key."""

import re
from collections.abc import AsyncIterator

from atoms_campaigns_mcp.redaction import SHORTEST_KEY

_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rb"%b%b|\\u[0-9a-fA-F]{4}|\\[^u]" % (_HIGH, _LOW))
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_BYTES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")  # half a character that was not escaped
_PAIR = 12  # bytes of two escapes


async def without(key: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Take the key out of a stream, also where it is split between two pieces."""
    secret, held = key.encode(), b""
    async for piece in pieces:
        if len(key) < SHORTEST_KEY:
            yield piece
            continue
        held = (held + piece).replace(secret, b"***")
        # What may be the beginning of the key waits for the next piece.
        kept = next((n for n in range(len(secret) - 1, 0, -1) if held.endswith(secret[:n])), 0)
        yield held[: len(held) - kept]
        held = held[len(held) - kept :]
    yield held


async def repaired(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Replace half a character in the strings of a JSON document by U+FFFD."""
    held = b""
    async for piece in pieces:
        held += piece
        end = _whole_until(held)
        yield _repaired(held[:end])
        held = held[end:]
    yield _repaired(held)


def _repaired(text: bytes) -> bytes:
    if b"\xed" in text:
        text = _BYTES.sub(b"\xef\xbf\xbd", text)
    return _ESCAPE.sub(_escape, text) if _HALF.search(text) else text


def _escape(found: re.Match[bytes]) -> bytes:
    escape = found[0]
    return b"\\ufffd" if len(escape) < _PAIR and _HALF.match(escape) else escape


def _whole_until(text: bytes) -> int:
    """Return where the last escape or character begins that the next piece may complete."""
    end = len(text)
    if (tail := text.rfind(b"\xed", max(end - 2, 0))) >= 0:
        return tail
    if text.rfind(b"\\", max(end - _PAIR, 0)) < 0:
        return end
    last, after = end, 0
    for found in _ESCAPE.finditer(text):
        after = found.end()
        high = after - found.start() < _PAIR and _HALF.match(found[0])
        last = found.start() if high else end
    open_ = text.find(b"\\", after)
    if open_ < 0:
        return last if after == end else end
    if end - open_ > _PAIR:  # it is no escape, whatever comes
        return end
    return last if after == open_ and last < end else open_
