"""Reading one JSON-RPC message as a client sent it, and saying what is wrong with one.

The SDK drops over stdio what it cannot read, and the client waits for an answer that never comes.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

from atoms_campaigns_mcp.effects import absent
from atoms_campaigns_mcp.tool_calls.catalog import emergencies

_MARK = b"\xef\xbb\xbf"  # Windows programs put it before the first message
_HALVES = re.compile("[\ud800-\udfff]")
_HALF = (
    "The message holds text that is not valid Unicode: half of a character, or bytes that are not "
    "UTF-8. Nothing was done; send it again with whole characters."
)


@dataclass(frozen=True, slots=True)
class InvalidMessage:
    """A message that cannot be served.

    Attributes:
        ids: The requests that are owed an error; None where no id can be read. Empty for
            notifications, which nobody answers.
        code: Of the error, by JSON-RPC.
        words: What is wrong, without a word of the message.
    """

    ids: tuple[RequestId | None, ...]
    code: int
    words: str


_NO_ARGUMENTS = "arguments must be an object that names each of them."
_PROGRESS = "progressToken"
_STOP = ("name", "arguments", "_meta")  # what a call of the emergency stop is served with
_NO_JSON = InvalidMessage((None,), PARSE_ERROR, "The message is not JSON.")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a client sent, decoded; not `whole` if some of its text is not valid Unicode."""

    value: Any
    whole: bool = True


def read(raw: bytes) -> JSONRPCMessage | InvalidMessage:
    """Read one message, see `decode` and `message_in`."""
    return message_in(decode(raw))


def decode(raw: bytes) -> Decoded | InvalidMessage:
    """Decode a body or line, without a byte order mark at its beginning."""
    raw = raw.removeprefix(_MARK)
    try:
        return Decoded(from_json(raw))
    except ValueError:  # it does not say whose request it was
        pass
    try:
        return Decoded(json.loads(raw.decode(errors="surrogateescape")), whole=False)
    except (ValueError, RecursionError):
        return _NO_JSON


def object_in(decoded: Decoded | InvalidMessage | None) -> dict[str, Any]:
    """Return the JSON object that was sent, or an empty one."""
    value = decoded.value if isinstance(decoded, Decoded) else None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def message_in(decoded: Decoded | InvalidMessage) -> JSONRPCMessage | InvalidMessage:
    """Return the message that was sent.

    Text that is not valid Unicode is refused, for it would be said on the phone otherwise; the
    emergency stop, and answers to our questions, get a substitute.
    """
    if isinstance(decoded, InvalidMessage):
        return decoded
    if decoded.whole:
        return _message(decoded.value)
    text = json.dumps(decoded.value, ensure_ascii=False)
    try:
        repaired: Any = from_json(text.encode(errors="replace"))
    except ValueError:  # nested more deeply than the parser goes
        return _NO_JSON
    refused = InvalidMessage(_ids(decoded.value), PARSE_ERROR, _HALF)
    if is_stop(repaired) or (isinstance(repaired, dict) and "method" not in repaired):
        message = _message(repaired)
        return refused if isinstance(message, InvalidMessage) else message
    return refused


def _message(value: Any) -> JSONRPCMessage | InvalidMessage:
    if isinstance(value, list):
        words = "Batches are not served. Send each message by itself; nothing was done."
        return InvalidMessage(_ids(value), INVALID_REQUEST, words)
    if not isinstance(value, dict):
        return InvalidMessage((None,), INVALID_REQUEST, "A message is a JSON object.")
    said = cast("dict[str, Any]", value)
    if "method" not in said and ("result" in said or "error" in said):
        return _answer(said)
    if wrong := _wrong(said):
        return InvalidMessage(_ids(said), *wrong)
    if said["method"] == "tools/call" and isinstance(said.get("params"), dict):
        said = {**said, "params": _call(said)}
        if not isinstance(said["params"].get("arguments", {}), dict):
            return InvalidMessage(_ids(said), INVALID_PARAMS, _NO_ARGUMENTS)
    kind = JSONRPCRequest if "id" in said else JSONRPCNotification
    return kind.model_validate(said)


def _call(said: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a tool call as the SDK takes them.

    Some hosts send arguments as their JSON text, and none of them as an empty list or text. The
    emergency stop goes ahead with what can be read of it.
    """
    params = dict(cast("dict[str, Any]", said["params"]))
    if "arguments" in params:
        params["arguments"] = _arguments(params["arguments"])
    if is_stop(said):
        params = {name: params[name] for name in _STOP if name in params}
        if not isinstance(params.get("arguments"), dict):
            params["arguments"] = {}
        meta = params.pop("_meta", None)
        if isinstance(meta, dict):
            marks = cast("dict[str, Any]", meta)
            usable = _is_id(marks.get(_PROGRESS, 0))
            params["_meta"] = {key: marks[key] for key in marks if usable or key != _PROGRESS}
    return params


def _arguments(given: Any) -> Any:
    if isinstance(given, dict):
        return cast("dict[str, Any]", given)
    if absent(given):
        return {}
    try:
        value: Any = from_json(given) if isinstance(given, str) else given
    except ValueError:
        return given
    return value


def _wrong(said: dict[str, Any]) -> tuple[int, str] | None:
    if said.get("jsonrpc") != "2.0":
        return INVALID_REQUEST, 'The message lacks "jsonrpc": "2.0".'
    if not isinstance(said.get("method"), str):
        return INVALID_REQUEST, "method must be a string."
    if "id" in said and not _is_id(said["id"]):
        return INVALID_REQUEST, "id must be a string or a whole number."
    if not isinstance(said.get("params", {}), dict | None):
        return INVALID_PARAMS, "params must be an object that names each of them."
    return None


def _answer(said: dict[str, Any]) -> JSONRPCMessage | InvalidMessage:
    """Read an answer to a question of ours; one that makes no sense still ends the waiting."""
    try:
        answer = jsonrpc_message_adapter.validate_python(said)
    except ValidationError:
        answer = None
    if isinstance(answer, JSONRPCResponse | JSONRPCError):
        return answer
    words = "The client's answer is no JSON-RPC answer."
    if not _is_id(said.get("id")):
        return InvalidMessage((), INVALID_REQUEST, words)
    error = ErrorData(code=INVALID_REQUEST, message=words)
    return JSONRPCError(jsonrpc="2.0", id=said["id"], error=error)


def _ids(value: Any) -> tuple[RequestId | None, ...]:
    """Find who is owed an error."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return tuple(number for item in items for number in _ids(item)) or (None,)
    if not isinstance(value, dict):
        return (None,)
    said = cast("dict[str, Any]", value)
    if "id" in said:
        return (said["id"] if _is_id(said["id"]) else None,)
    return () if isinstance(said.get("method"), str) else (None,)


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return not _HALVES.search(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_stop(message: Any) -> bool:
    """Return whether a decoded message calls the emergency stop."""
    if not isinstance(message, dict):
        return False
    call = cast("dict[str, Any]", message)
    params = call.get("params")
    if call.get("method") != "tools/call" or not isinstance(params, dict):
        return False
    name = cast("dict[str, Any]", params).get("name")
    return isinstance(name, str) and name in emergencies()
