"""What of an answer may be shown to strangers: names and types of the document, no values."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

from tests.contract.document import Operation, operations, source

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_]{0,39}")
PREFIX: Final = "/atoms/v1"  # as the document writes it, whatever the host has
# What recorded answers hold beside the document.
ALSO: Final = frozenset(
    {
        "currentExecution",
        "errors",
        "executionType",
        "failedAt",
        "failedBatches",
        "failedMembers",
        "phoneNumberIds",
        "processedBatches",
        "queuePosition",
        "startedAt",
        "success",
        "totalBatches",
    }
)
TYPES: Final[dict[type[Any], str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
}


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """Where answers differ from the document: operation, status, place in the answer, and how.

    `place` holds names of the document, and `*` where a name or an index could be somebody's data.
    """

    operation: str
    status: int
    place: str
    how: str

    def __str__(self) -> str:
        return f"{self.operation} {self.status} {self.place or 'answer'}: {self.how}"


def operation_of(method: str, path: str) -> Operation | None:
    """Find the operation that takes a request; `path` begins after the API's own prefix."""
    found = (
        one
        for one in operations()
        if one.method == method and (one.path.fullmatch(PREFIX + path) or one.path.fullmatch(path))
    )
    return next(found, None)


def differences(
    operation: Operation, status: int, content_type: str, body: Any
) -> Iterator[Difference]:
    """Compare an answer with the document; a body that is no JSON is None."""
    reply = operation.replies.get(status)
    if reply is None:
        yield Difference(operation.id, status, "", "this status is not in the document")
        return
    kind = content_type.partition(";")[0].strip().lower()
    validator = reply.media.get(kind)
    if validator is None:
        yield Difference(operation.id, status, "", "another media type")
    elif kind == "application/json":
        for error in validator.iter_errors(body):
            place, how = _place(error.instance_path), _how(error.kind, error.schema_path)
            yield Difference(operation.id, status, place, how)


def shape(value: Any) -> Any:
    """Return an answer's names and types; a name that the document does not have is a star."""
    if isinstance(value, dict):
        found: dict[str, list[Any]] = {}
        for name, member in cast("dict[str, Any]", value).items():
            known = name if name in names() else "*"
            _once(found.setdefault(known, []), shape(member))
        return {name: some[0] if len(some) == 1 else some for name, some in sorted(found.items())}
    if isinstance(value, list):
        kinds: list[Any] = []
        for entry in cast("list[Any]", value):
            _once(kinds, shape(entry))
        return kinds
    return TYPES.get(cast("type[Any]", type(value)), "other")


@cache
def names() -> frozenset[str]:
    """All names of fields in the document, and a few that were seen beside it."""
    return frozenset(_fields(source())) | ALSO


def _fields(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for entry in cast("list[Any]", node):
            yield from _fields(entry)
    elif isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        fields = members.get("properties")
        if isinstance(fields, dict):
            yield from cast("dict[str, Any]", fields)
        for member in members.values():
            yield from _fields(member)


def _once(kinds: list[Any], one: Any) -> None:
    if json.dumps(one) not in {json.dumps(other) for other in kinds}:
        kinds.append(one)


def _place(path: list[str | int]) -> str:
    return "".join("[*]" if isinstance(step, int) else f".{_named(step)}" for step in path)


def _how(kind: Any, schema_path: list[str | int]) -> str:
    missing = getattr(kind, "property", None)
    if isinstance(missing, str):
        return f"{_named(missing)} is missing"
    return f"breaks {_named(str(schema_path[-1]))}" if schema_path else "differs"


def _named(text: str) -> str:
    """Return a name of the document; else a star, since it could be somebody's data."""
    return text if NAME.fullmatch(text) and (text in names() or text in _KEYWORDS) else "*"


_KEYWORDS: Final = frozenset(
    {
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "oneOf",
        "pattern",
        "required",
        "type",
        "uniqueItems",
    }
)
