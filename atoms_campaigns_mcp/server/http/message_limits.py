"""What a message over HTTP may be made of, judged before anything large is parsed.

Parsed JSON takes up to a hundred times the memory of its text, and a session keeps what its client
said of itself for as long as it lasts. A contact list is one long string, which takes what it has.
"""

import json
import re
from typing import Any, cast

from mcp_types import INVALID_REQUEST

from atoms_campaigns_mcp.server import jsonrpc
from atoms_campaigns_mcp.server.jsonrpc import Decoded, InvalidMessage

SMALL = 64 * 1024  # bytes of a message, and of one with a contact list beside that list
PARTS = 4096  # lists, objects and members, outside of a contact list
NAME_MAX = 512  # characters that are kept of each text in which a client tells of itself
_ENVELOPE = "io.modelcontextprotocol/"  # of the stateless era's own entries in _meta
_LIST = re.compile(rb'"csv"\s*:\s*"')
_LOOKS = 8  # keys called csv that are looked at

Parsed = dict[str, Any]


class TooLargeError(Exception):
    """The message is larger than what it carries needs; the text says what is allowed."""


def without_list(body: bytes) -> bytes:
    """Return a message with an empty string in place of the longest contact list in it."""
    # Of the same length, and every quote that is left begins or ends a string.
    plain = body.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    longest, at = (0, 0), 0
    for _ in range(_LOOKS):
        found = _LIST.search(plain, at)
        if found is None:
            break
        start, at = found.end(), plain.find(b'"', found.end())
        if at < 0:
            break
        longest = max(longest, (start, at), key=lambda span: span[1] - span[0])
    return body[: longest[0]] + body[longest[1] :]


def decoded(body: bytes) -> Decoded | InvalidMessage:
    """Decode a body whose size is judged; of `initialize`, only what is looked at later is kept.

    Raises:
        TooLargeError: It is larger than SMALL and no call with a list, or has more than PARTS.
    """
    short = without_list(body) if b'"csv"' in body else body
    if len(short) > SMALL:
        raise TooLargeError(
            f"A message may have {SMALL // 1024} KiB, apart from the csv of a tool call."
        )
    if sum(short.count(sign) for sign in (b",", b"{", b"[")) > PARTS:
        raise TooLargeError(f"A message may have {PARTS} members, lists and objects.")
    found = jsonrpc.decode(body)
    if isinstance(found, InvalidMessage):
        return found
    message = jsonrpc.object_in(found)
    if len(body) > SMALL and not _has_list(message):
        raise TooLargeError("Only the csv of a tool call may be larger than 64 KiB.")
    if message.get("method") != "initialize":
        return found
    kept = _kept(message)
    # What was not valid Unicode may be among what is left out.
    return Decoded(kept) if found.whole else jsonrpc.decode(json.dumps(kept).encode())


def _kept(message: Parsed) -> Parsed:
    given = _dict(message.get("params"))
    params: Parsed = {**_client(given, ""), "_meta": _meta(_dict(given.get("_meta")))}
    about = {name: message[name] for name in ("jsonrpc", "id", "method") if name in message}
    return {**about, "params": params}


def refusal(words: str) -> Parsed:
    """Return an error that clients of the protocol show; whose request it was is not read."""
    return {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": words}}


def _client(given: Parsed, prefix: str, capabilities: str = "capabilities") -> Parsed:
    """Keep what a client says of itself, under names with that prefix."""
    return {
        f"{prefix}{capabilities}": _capabilities(given.get(f"{prefix}{capabilities}")),
        f"{prefix}clientInfo": _strings(given.get(f"{prefix}clientInfo"), ("name", "version")),
        **(_strings(given, (f"{prefix}protocolVersion",)) or {}),
    }


def _meta(given: Parsed) -> Parsed:
    traced = _strings(given, ("traceparent", "tracestate")) or {}
    if f"{_ENVELOPE}protocolVersion" not in given:
        return traced
    # The stateless era has no such method, and tells so by what it finds here.
    return {**traced, **_client(given, _ENVELOPE, "clientCapabilities")}


def _capabilities(given: Any) -> Parsed | None:
    """Keep whether the client can be asked, and how; what is malformed is the SDK's to refuse."""
    if not isinstance(given, dict):
        return None
    asked = cast("Parsed", given).get("elicitation")
    if not isinstance(asked, dict):
        return {}
    ways: Parsed = {
        way: {} for way in ("form", "url") if cast("Parsed", asked).get(way) is not None
    }
    return {"elicitation": ways}


def _strings(given: Any, names: tuple[str, ...]) -> Parsed | None:
    if not isinstance(given, dict):
        return None
    found = {name: value for name, value in cast("Parsed", given).items() if name in names}
    return {n: value[:NAME_MAX] for n, value in found.items() if isinstance(value, str)}


def _has_list(message: Parsed) -> bool:
    arguments = _dict(_dict(message.get("params")).get("arguments"))
    return message.get("method") == "tools/call" and isinstance(arguments.get("csv"), str)


def _dict(value: Any) -> Parsed:
    return cast("Parsed", value) if isinstance(value, dict) else {}
