"""Requests and replies as the handlers see them, free of the web framework."""

import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import Moment

Document = dict[str, Any]

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to a known operation.

    Attributes:
        params: Parts of the path by the name in its template.
        query: Query parameters; of a repeated one the last counts.
        content_type: The header as sent, "" when missing.
    """

    params: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    body: bytes

    def json(self) -> Document:
        """The body as a JSON object.

        As in Express, a body of another content type is not read: required fields are then missing.

        Raises:
            BadRequestError: The body is malformed or no object.
        """
        is_json = self.content_type.partition(";")[0].strip().lower() == "application/json"
        if not is_json or not self.body.strip():
            return {}
        try:
            parsed: object = json.loads(
                self.body, parse_constant=_refuse_constant, parse_float=_finite_float
            )
            if b"\\u" in self.body:  # half a surrogate pair is JSON, but no text
                parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode(errors="replace"))
        except (ValueError, RecursionError):
            raise BadRequestError("Invalid JSON in request body") from None
        document = as_object(parsed)
        if document is None:
            raise BadRequestError(f"Expected object, received {json_type(parsed)}")
        return document


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose request it is; ids of all else are looked up within it."""

    pk: int
    id: str
    user_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler works with: one request of one organization at one moment."""

    request: Request
    organization: Organization
    moment: Moment

    @property
    def db(self) -> sqlite3.Connection:
        """The connection, inside the request's transaction."""
        return self.moment.db

    @property
    def now(self) -> int:
        """Virtual time in milliseconds since 1970."""
        return self.moment.now

    @property
    def options(self) -> Options:
        """The sandbox's settings."""
        return self.moment.options


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response."""

    status: int
    body: bytes
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of the routing table.

    Attributes:
        route: `METHOD /template` as in the vendor's specification.
        handler: Answers a request; raises `ApiError` to refuse it.
        writes: Whether it may change the world.
    """

    route: str
    handler: Callable[[Context], Reply]
    writes: bool = False


def reply_json(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """A reply with a JSON body, compact as JavaScript writes it."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Reply(status, text.encode(), headers=headers or {})


def ok(data: object, status: int = 200) -> Reply:
    """The usual envelope of a success."""
    return reply_json({"status": True, "data": data}, status)


def json_type(value: object) -> str:
    """The name that JavaScript's validator zod gives to the type of a JSON value."""
    if value is None:
        return "null"
    names = {"bool": "boolean", "int": "number", "float": "number", "str": "string"}
    return names.get(type(value).__name__, "array" if isinstance(value, list) else "object")


def as_array(value: object) -> list[Any] | None:
    """The value if it is a JSON array."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def as_object(value: object) -> Document | None:
    """The value if it is a JSON object."""
    return cast("Document", value) if isinstance(value, dict) else None


def _finite_float(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"{text} is too large")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
