"""The published surface, held to what every host accepts and to the size budget."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.effects import permitted
from atoms_campaigns_mcp.server.instructions import instructions
from atoms_campaigns_mcp.server.mcp.json_schema import describe
from atoms_campaigns_mcp.tool_calls.catalog import SNAPSHOT, Catalog
from atoms_campaigns_mcp.toolkit.registry import load, names
from atoms_campaigns_mcp.toolkit.tool import Effect

FORBIDDEN = frozenset(
    ["$ref", "$defs", "$schema", "anyOf", "oneOf", "allOf", "format", "additionalProperties"]
)
KEYWORDS = frozenset(
    "type properties required items enum description default pattern "  # noqa: SIM905
    "minimum maximum minLength maxLength minItems maxItems".split()
)
CATALOG = Catalog.read()
NAMES = list(CATALOG.entries)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema, itself included."""
    node = cast("dict[str, Any]", schema)
    yield node
    for inner in node.get("properties", {}).values():
        yield from nodes(inner)
    if "items" in node:
        yield from nodes(node["items"])


def size(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def test_the_snapshot_is_what_the_models_say() -> None:
    assert json.loads(SNAPSHOT.read_text("utf-8")) == {n: describe(load(n)) for n in names()}


def test_every_tool_has_a_test_of_its_own_name() -> None:
    folder = Path(__file__).parent.parent / "tools"
    assert {f"test_{name}.py" for name in NAMES} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_input_schemas_use_only_what_every_host_reads(name: str) -> None:
    schema = CATALOG.entries[name].tool["inputSchema"]
    assert schema["type"] == "object"
    assert isinstance(schema["required"], list)
    for node in nodes(schema):
        assert set(node) <= KEYWORDS
        assert isinstance(node["type"], str)
        assert ("items" in node) == (node["type"] == "array")
        assert node is schema or node["type"] != "object"


@pytest.mark.parametrize("name", NAMES)
def test_output_schemas_are_inline_and_without_unions(name: str) -> None:
    schema = CATALOG.entries[name].tool["outputSchema"]
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert not set(node) & FORBIDDEN
        assert isinstance(node["type"], str)


@pytest.mark.parametrize("name", NAMES)
def test_names_descriptions_and_sizes_fit_their_limits(name: str) -> None:
    tool = CATALOG.entries[name].tool
    assert len(name) <= 30
    assert name.isidentifier()
    assert 20 <= len(tool["description"]) <= 2000
    assert size([name, tool["description"], tool["inputSchema"]]) <= 2400


def test_the_whole_surface_fits_its_budget() -> None:
    tools = CATALOG.tools()
    assert len(tools) <= 20
    assert sum(size([t["name"], t["description"], t["inputSchema"]]) for t in tools) <= 15 * 1024
    assert size({"tools": tools}) <= 32 * 1024


@pytest.mark.parametrize("key", ["", "sk_live"])
@pytest.mark.parametrize(
    ("mode", "told"),
    [({}, ""), ({"no_dial": True}, "DIALLING IS OFF"), ({"read_only": True}, "READ-ONLY")],
)
def test_the_instructions_are_short_and_say_first_what_dials_and_whether_anything_may(
    key: str, mode: dict[str, Any], told: str
) -> None:
    text = instructions(Settings(api_key=key, **mode))
    assert len(text) <= 2000
    assert text.index(told) < text.index("SAFETY") < text.index("Order")
    assert ("DIALLING IS OFF" in text, "READ-ONLY" in text) == ("D" in told[:1], "R" in told[:1])
    assert "real phone calls" in text
    assert ("calls ring real phones" in text, "calls are simulated" in text) == (bool(key), not key)


@pytest.mark.parametrize("name", NAMES)
def test_hints_follow_from_the_effect(name: str) -> None:
    tool = load(name)
    hints = CATALOG.entries[name].tool["annotations"]
    dangerous = tool.effect in {Effect.DIALS, Effect.DESTROYS} or bool(tool.dials_when)
    assert hints["readOnlyHint"] == (tool.effect is Effect.READS)
    assert hints["destructiveHint"] == dangerous
    assert hints["openWorldHint"] == (tool.effect is Effect.DIALS or bool(tool.dials_when))
    assert hints["idempotentHint"] == (tool.effect is Effect.READS)
    assert hints["title"] == tool.title


def test_read_only_leaves_out_everything_that_changes() -> None:
    kept = Catalog.read(permitted(read_only=True, no_dial=False)).entries
    assert set(kept) == {n for n, e in CATALOG.entries.items() if e.effect == "reads"}


def test_no_dial_leaves_out_what_dials_and_the_schedule() -> None:
    kept = Catalog.read(permitted(read_only=False, no_dial=True)).entries
    assert "start_campaign" not in kept
    properties = kept["create_campaign"].tool["inputSchema"]["properties"]
    assert not {"scheduled_at", "confirm_token"} & set(properties)
