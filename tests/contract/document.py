"""Reads openapi.yaml once and compiles each operation for `referee.py`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import yaml
from jsonschema_rs import Draft202012Validator

DOCUMENT: Final = Path(__file__).with_name("openapi.yaml")
METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})

Node: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that travels as text: how to read it, and what it must be then."""

    read: Callable[[str], object]
    validator: Draft202012Validator
    required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """One media type of a request: its schema, and which multipart parts are files of what type."""

    validator: Draft202012Validator
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One status of an operation."""

    media: Mapping[str, Draft202012Validator]
    headers: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `bodies` is empty where no body may be sent."""

    id: str
    method: str
    path: re.Pattern[str]
    path_values: Mapping[str, Value]
    query: Mapping[str, Value]
    free_query: Draft202012Validator | None
    bodies: Mapping[str, Body]
    replies: Mapping[int, Reply]


@cache
def source(path: Path = DOCUMENT) -> Node:
    """The file as it is written."""
    return cast("Node", yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


@cache
def operations(path: Path = DOCUMENT) -> tuple[Operation, ...]:
    """All operations; no two of them take the same request."""
    written = source(path)
    root = cast("Node", _inline(written, written))
    return tuple(
        _operation(method, template, item, root)
        for template, item in cast("dict[str, Node]", root["paths"]).items()
        for method in METHODS & item.keys()
    )


def _inline(node: Any, root: Node) -> Any:
    """The node with every reference replaced by its target; the document has no cycles."""
    if isinstance(node, list):
        return [_inline(item, root) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    members = cast("Node", node)
    if "$ref" in members:
        target: Any = root
        for key in cast("str", members["$ref"]).removeprefix("#/").split("/"):
            target = target[key]
        return _inline(target, root)
    return {key: _inline(value, root) for key, value in members.items()}


def _operation(method: str, template: str, item: Node, root: Node) -> Operation:
    node = cast("Node", item[method])
    parameters = cast("list[Node]", [*item.get("parameters", []), *node.get("parameters", [])])
    named = {place: _named(parameters, place) for place in ("path", "query")}
    free = [one for one in parameters if one["schema"].get("type") == "object"]
    return Operation(
        id=node["operationId"],
        method=method.upper(),
        path=_path(template, item.get("servers", root["servers"])),
        path_values=named["path"],
        query=named["query"],
        free_query=_validator(free[0]["schema"]) if free else None,
        bodies={kind: _body(media) for kind, media in _content(node.get("requestBody", {}))},
        replies={int(status): _reply(reply) for status, reply in node["responses"].items()},
    )


def _path(template: str, servers: list[dict[str, str]]) -> re.Pattern[str]:
    prefix = "|".join(re.escape(server["url"]) for server in servers)
    steps = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return re.compile(f"(?:{prefix}){steps}")


def _named(parameters: list[Node], place: str) -> dict[str, Value]:
    """The parameters of one place, without the one that stands for any further name."""
    return {
        one["name"]: _value(one)
        for one in parameters
        if one["in"] == place and one["schema"].get("type") != "object"
    }


def _value(node: Node) -> Value:
    schema = cast("Node", node["schema"])
    read = _READERS.get(schema.get("type", "string"), str)
    return Value(read, _validator(schema), required=node.get("required", False))


def _body(media: Node) -> Body:
    properties = cast("dict[str, Node]", media["schema"].get("properties", {}))
    files = {
        name: cast("str", part["contentMediaType"])
        for name, part in properties.items()
        if "contentMediaType" in part
    }
    return Body(_validator(media["schema"]), files)


def _reply(node: Node) -> Reply:
    headers = cast("dict[str, Node]", node.get("headers", {}))
    return Reply(
        media={kind: _validator(media.get("schema", {})) for kind, media in _content(node)},
        headers={name: _value(header) for name, header in headers.items()},
    )


def _content(node: Node) -> list[tuple[str, Node]]:
    return list(cast("dict[str, Node]", node.get("content", {})).items())


def _validator(schema: Node) -> Draft202012Validator:
    return Draft202012Validator(schema, validate_formats=True)


def _integer(text: str) -> object:
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


def _boolean(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


def _items(text: str) -> object:
    return text.split(",")


# What cannot be read stays text, so that the schema names the mistake.
_READERS: Final[dict[str, Callable[[str], object]]] = {
    "integer": _integer,
    "boolean": _boolean,
    "array": _items,
}
