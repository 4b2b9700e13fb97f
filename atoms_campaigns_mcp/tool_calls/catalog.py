"""The catalogue: what `tools/list` says, from a reviewed snapshot that ships with the package.

No tool module is imported to serve it, so a server answers as fast as one without tools;
`scripts/generate` writes it anew and a test holds it equal to the models.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from atoms_campaigns_mcp.effects import EVERYTHING, Effect, Effects

SNAPSHOT = Path(__file__).with_name("catalog.json")

ONE_TRANSPORT = {"file": False, "rejects_file": False, "upload_id": True}
"""Arguments that are offered over one kind of transport alone: whether over HTTP."""


class ToolDescription(TypedDict):
    """A tool as `tools/list` describes it."""

    name: str
    description: str
    inputSchema: dict[str, Any]
    outputSchema: dict[str, Any]
    annotations: dict[str, str | bool]
    _meta: NotRequired[dict[str, dict[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry(Effects):
    """A tool of the catalogue: what it does, and its MCP description."""

    name: str
    tool: ToolDescription

    @property
    def arguments(self) -> dict[str, Any]:
        """The schema of each argument, by its name."""
        return self.tool["inputSchema"]["properties"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tools that a caller may use, by name."""

    entries: dict[str, CatalogEntry]

    @classmethod
    @cache
    def read(cls, allowed: frozenset[Effect] = EVERYTHING, *, over_http: bool = False) -> "Catalog":
        """Read the snapshot, without what has other effects than the `allowed` ones.

        Contacts come from files on the server's machine, and `over_http` as uploads.
        """
        snapshot: dict[str, dict[str, Any]] = json.loads(SNAPSHOT.read_text("utf-8"))
        entries = (_entry(name, raw, over_http=over_http) for name, raw in snapshot.items())
        return cls({entry.name: entry for entry in _left(entries, allowed)})

    def tools(self) -> list[ToolDescription]:
        """Return the reply of `tools/list`."""
        return [entry.tool for entry in self.entries.values()]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Return a tool's input schema, as the SDK wants it for checking headers."""
        entry = self.entries.get(name)
        return entry.tool["inputSchema"] if entry else None


@cache
def emergencies() -> frozenset[str]:
    """Name the tools that must get through when nothing else does."""
    entries = Catalog.read().entries
    return frozenset(name for name, entry in entries.items() if entry.emergency)


def span(tool: str, argument: str) -> str:
    """Return the range of a number that a tool takes, as `1-45`."""
    rule = Catalog.read().entries[tool].arguments[argument]
    return f"{rule['minimum']}-{rule['maximum']}"


def _entry(name: str, raw: dict[str, Any], *, over_http: bool) -> CatalogEntry:
    tool: ToolDescription = raw["tool"]
    hidden = [argument for argument, http in ONE_TRANSPORT.items() if http is not over_http]
    for argument in hidden:
        tool["inputSchema"]["properties"].pop(argument, None)
    return CatalogEntry(
        name=name,
        effect=Effect(raw["effect"]),
        dials_when=raw["dials_when"],
        emergency=raw["emergency"],
        tool=tool,
    )


def _left(entries: Iterable[CatalogEntry], allowed: frozenset[Effect]) -> Iterator[CatalogEntry]:
    for entry in entries:
        if entry.needed({}, allowed) - allowed:
            continue
        if entry.dials_when and Effect.DIALS not in allowed:
            for unneeded in (entry.dials_when, "confirm_token"):
                entry.arguments.pop(unneeded, None)
        yield entry
