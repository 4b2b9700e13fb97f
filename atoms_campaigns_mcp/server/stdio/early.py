"""What a server can say before the SDK is there: who it is, that it lives, and which tools it has.

The answers are the SDK's own, which `scripts/generate` writes down; a test holds both equal. Only
a request that the SDK would surely serve so is answered; all else waits for it, in order.
"""

import json
from pathlib import Path
from typing import Any, cast

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.instructions import instructions
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

GREETINGS = Path(__file__).with_name("greetings.json")
"""By mode and era: the result of each method, without what other settings or the client decide."""

OTHERS = "others"  # in place of a version: whatever is not listed
_MARK = b"\xef\xbb\xbf"  # Windows programs put it before the first message
_RESERVED = "io.modelcontextprotocol/"
_VERSION = _RESERVED + "protocolVersion"
_CAPABILITIES = _RESERVED + "clientCapabilities"
_INFO = _RESERVED + "clientInfo"
STATELESS = "2026-07-28"
_DEEPEST = 100  # brackets; the SDK's parser goes to 200 inside each other
_LARGEST = 2**53  # a number of a request beyond it is not one that every JSON parser keeps

_NOTHING: dict[str, Any] = {}
_OBJECTS = object()  # an object whose values are objects
_KNOWN_CAPABILITIES = {
    "experimental": _OBJECTS,
    "extensions": _OBJECTS,
    "roots": {"listChanged": bool},
    "sampling": {"context": _NOTHING, "tools": _NOTHING},
    "elicitation": {"form": _NOTHING, "url": _NOTHING},
    "tasks": {
        "list": _NOTHING,
        "cancel": _NOTHING,
        "requests": {
            "sampling": {"createMessage": _NOTHING},
            "elicitation": {"create": _NOTHING},
        },
    },
}
_KNOWN_INFO = {"name": str, "version": str, "title": str, "description": str, "websiteUrl": str}
_REQUEST = {"jsonrpc", "id", "method", "params"}


class EarlyAnswers:
    """Answers the first requests of one connection, until it is asked what takes the SDK.

    Attributes:
        opening: The line of the request that decided the protocol era and was answered; whoever
            serves next must hear it first, and must not answer it again.
    """

    def __init__(self, settings: Settings) -> None:
        """Answer as a server with these settings does; nothing is read until then."""
        self._settings = settings
        self._era = ""
        self._results: dict[str, bytes] = {}
        self.opening: bytes | None = None

    def answer(self, line: bytes) -> bytes | None:
        """Return the line that answers a request, or None if it must wait for the SDK."""
        request = _request(line)
        if request is None:
            self._era = self._era or "unusual"
            return None
        method, params = request["method"], request.get("params", {})
        if not self._era:
            self._begin(method, params)
            self.opening = line if self._results else None
        elif method == "initialize":
            self._results = {}  # what comes may be of another era or version
        elif not (_enveloped(params) if self._era == "stateless" else _plain(params)):
            return None
        result = self._results.get(method)
        if result is None:
            return None
        number = json.dumps(request["id"], ensure_ascii=False).encode()
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}\n' % (number, result)

    def _begin(self, method: str, params: dict[str, Any]) -> None:
        greetings = json.loads(GREETINGS.read_text("utf-8"))
        told = greetings[self._settings.mode]
        tools = Catalog.read(self._settings.permitted).tools()
        if method == "initialize" and _introduced(params):
            self._era = "handshake"
            versions = greetings["versions"]
            version = versions.get(params["protocolVersion"], versions[OTHERS])
            results = told["handshake"]
            results["initialize"]["protocolVersion"] = version
            results["initialize"]["instructions"] = instructions(self._settings)
        elif method in told["stateless"] and _enveloped(params):
            self._era = "stateless"
            results = told["stateless"]
            results["server/discover"]["instructions"] = instructions(self._settings)
        else:
            self._era = "unusual"
            return
        results["tools/list"]["tools"] = tools
        self._results = {name: _compact(result) for name, result in results.items()}


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _request(line: bytes) -> dict[str, Any] | None:
    """Read a request that nothing is unusual about."""
    if b"\\u" in line:  # perhaps half a character, which is refused later on
        return None
    if line.count(b"{") + line.count(b"[") > _DEEPEST:
        return None
    try:
        value: Any = json.loads(line.removeprefix(_MARK).decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    said = cast("dict[str, Any]", value)
    params: Any = said.get("params", _NOTHING)
    usual = (
        said.keys() <= _REQUEST
        and said.get("jsonrpc") == "2.0"
        and _is_number(said.get("id"))
        and isinstance(said.get("method"), str)
        and isinstance(params, dict)
        and _marked(cast("dict[str, Any]", params).get("_meta", _NOTHING))
    )
    return said if usual else None


def is_notification(line: bytes) -> bool:
    """Return whether a line is owed no answer."""
    try:
        value: Any = json.loads(line.removeprefix(_MARK).decode())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.keys() <= {"jsonrpc", "method", "params"}


def _is_number(value: Any) -> bool:
    return isinstance(value, str) or (type(value) is int and abs(value) < _LARGEST)


def _marked(meta: Any) -> bool:
    """Return whether `_meta` is one, with a progress token that can be one."""
    return isinstance(meta, dict) and _is_number(
        cast("dict[str, Any]", meta).get("progressToken", 0)
    )


def _introduced(params: dict[str, Any]) -> bool:
    """Return whether the client says in the handshake who it is, in known words."""
    return (
        params.keys() <= {"protocolVersion", "capabilities", "clientInfo", "_meta"}
        and isinstance(params.get("protocolVersion"), str)
        and _unreserved(params.get("_meta", _NOTHING))
        and _fits(params.get("capabilities"), _KNOWN_CAPABILITIES)
        and _is_info(params.get("clientInfo"))
    )


def _plain(params: dict[str, Any]) -> bool:
    return params.keys() <= {"_meta"} and _unreserved(params.get("_meta", _NOTHING))


def _unreserved(meta: dict[str, Any]) -> bool:
    return not any(name.startswith(_RESERVED) for name in meta)


def _enveloped(params: dict[str, Any]) -> bool:
    """Return whether a request of the stateless era says what every one must."""
    meta: dict[str, Any] = params.get("_meta", _NOTHING)
    reserved = {name for name in meta if name.startswith(_RESERVED)}
    return (
        params.keys() == {"_meta"}
        and reserved <= {_VERSION, _CAPABILITIES, _INFO}
        and meta.get(_VERSION) == STATELESS
        and _fits(meta.get(_CAPABILITIES), _KNOWN_CAPABILITIES)
        and (_INFO not in meta or _is_info(meta[_INFO]))
    )


def _is_info(value: Any) -> bool:
    return _fits(value, _KNOWN_INFO) and {"name", "version"} <= value.keys()


def _fits(value: Any, shape: Any) -> bool:
    """Return whether a value has a shape: a type, or the shapes of an object's known entries.

    Entries that are not known are nobody's business: the SDK ignores them.
    """
    if isinstance(shape, type):
        return type(value) is shape
    if not isinstance(value, dict):
        return False
    entries = cast("dict[str, Any]", value)
    if shape is _OBJECTS:
        return all(isinstance(entry, dict) for entry in entries.values())
    return all(_fits(entries[name], wanted) for name, wanted in shape.items() if name in entries)
