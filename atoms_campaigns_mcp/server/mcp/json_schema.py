"""From models to JSON Schema that every host can read: flat, inline, without unions.

Hosts differ in what they refuse or strip ($ref, anyOf, format, additionalProperties and more), so
only the common subset is published. Checking stays with the models.
"""

from typing import Any, cast

from pydantic import BaseModel

from atoms_campaigns_mcp.server.mcp import uris
from atoms_campaigns_mcp.toolkit.tool import Effect, Tool

_DROPPED = frozenset({"title", "format", "additionalProperties", "examples", "$defs"})
# Results hold these too; a sentence of them says what it is, and clients take undeclared fields.
_UNDECLARED = frozenset(
    {
        "next_step",
        "answered_after",
        "compared",
        "unknown",
        "mark",
        "all_calls_read",
        "voicemails_connected",
        "combinations",
        "written",
    }
)

_HINTS = {
    # readOnly, destructive, idempotent, openWorld
    Effect.READS: (True, False, True, False),
    Effect.CHANGES: (False, False, False, False),
    Effect.DIALS: (False, True, False, True),
    Effect.DESTROYS: (False, True, False, False),
}


def describe(tool: Tool[Any, Any]) -> dict[str, Any]:
    """Return the catalogue's entry for a tool."""
    # A tool that sometimes dials carries the hints of one that always does.
    hinted = Effect.DIALS if tool.dials_when else tool.effect
    read_only, destructive, idempotent, open_world = _HINTS[hinted]
    return {
        "effect": tool.effect.value,
        "dials_when": tool.dials_when,
        "emergency": tool.emergency,
        "tool": {
            "name": tool.name,
            "description": tool.description,
            "inputSchema": published(tool.arguments, mode="validation"),
            "outputSchema": published(tool.result, mode="serialization"),
            "annotations": {
                "title": tool.title,
                "readOnlyHint": read_only,
                "destructiveHint": destructive,
                "idempotentHint": idempotent,
                "openWorldHint": open_world,
            },
            **({"_meta": {"ui": {"resourceUri": uris.MONITOR}}} if tool.app else {}),
        },
    }


def published(model: type[BaseModel], *, mode: Any) -> dict[str, Any]:
    """Return a model's schema in the subset that every host reads."""
    raw = model.model_json_schema(mode=mode, by_alias=False)
    flat = cast("dict[str, Any]", _plain(raw, cast("dict[str, Any]", raw.get("$defs", {}))))
    shape: dict[str, Any] = {"type": "object", "properties": flat.get("properties", {})}
    if mode == "serialization":
        told = {k: v for k, v in shape["properties"].items() if k not in _UNDECLARED}
        return _terse({**shape, "properties": told})
    return shape | {"required": flat.get("required", [])}


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(entry, definitions) for entry in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = _inlined(cast("dict[str, Any]", node), definitions)
    return {
        key: {name: _plain(entry, definitions) for name, entry in value.items()}
        if key == "properties"
        else _plain(value, definitions)
        for key, value in schema.items()
        if key not in _DROPPED
    }


def _inlined(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Replace a reference by what it means, and `X or null` by X."""
    schema = dict(schema)
    if "$ref" in schema:
        name = schema.pop("$ref").removeprefix("#/$defs/")
        definition = {k: v for k, v in definitions[name].items() if k != "description"}
        return _inlined({**definition, **schema}, definitions)
    if "anyOf" in schema:
        (only,) = (arm for arm in schema.pop("anyOf") if arm != {"type": "null"})
        schema = _inlined({**only, **schema}, definitions)
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    return schema


def _terse(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an output what the result itself shows; names carry the meaning."""
    return {
        key: {name: _terse(entry) for name, entry in value.items()}
        if key == "properties"
        else _terse(value)
        if key == "items"
        else value
        for key, value in schema.items()
        if key not in {"default", "description", "required", "enum"}
    }
