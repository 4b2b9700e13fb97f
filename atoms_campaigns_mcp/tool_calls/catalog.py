"""The catalogue: what `tools/list` says, from a reviewed snapshot that ships with the package.

No tool module is imported to serve it, so a server answers as fast as one without tools;
`scripts/generate` writes it anew and a test holds it equal to the models.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp.effects import EVERYTHING, Effect

SNAPSHOT = Path(__file__).with_name("catalog.json")
LONGEST_NOTHING = 20  # characters

ONE_TRANSPORT = {"file": False, "rejects_file": False, "upload_id": True}
"""Arguments that are offered over one kind of transport alone: whether over HTTP."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tools that a caller may use.

    `entries` holds each tool's effect, the argument that makes it dial, whether it is the emergency
    stop, and its MCP description.
    """

    entries: dict[str, dict[str, Any]]

    @classmethod
    @cache
    def read(cls, allowed: frozenset[Effect] = EVERYTHING, *, over_http: bool = False) -> "Catalog":
        """Read the snapshot, without what has other effects than the `allowed` ones.

        Contacts come from files on the server's machine, and `over_http` as uploads.
        """
        entries = json.loads(SNAPSHOT.read_text("utf-8"))
        for entry in entries.values():
            hidden = [name for name, http in ONE_TRANSPORT.items() if http is not over_http]
            for name in hidden:
                entry["tool"]["inputSchema"]["properties"].pop(name, None)
        return cls(dict(_left(entries, allowed)))

    def tools(self) -> list[dict[str, Any]]:
        """Return the reply of `tools/list`."""
        return [entry["tool"] for entry in self.entries.values()]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Return a tool's input schema, as the SDK wants it for checking headers."""
        entry = self.entries.get(name)
        return entry["tool"]["inputSchema"] if entry else None


@cache
def emergencies() -> frozenset[str]:
    """Name the tools that must get through when nothing else does."""
    entries = Catalog.read().entries
    return frozenset(name for name, entry in entries.items() if entry["emergency"])


def absent(value: Any) -> bool:
    """Return whether an optional argument of this value counts as left out.

    Strict schemas make hosts send every argument, so that models write one of these for none.
    """
    if isinstance(value, str):
        return len(value) <= LONGEST_NOTHING and value.strip() in {"", "null", "[]"}
    return value is None or value == []


def span(tool: str, argument: str) -> str:
    """Return the range of a number that a tool takes, as `1-45`."""
    rule = (Catalog.read().input_schema(tool) or {})["properties"][argument]
    return f"{rule['minimum']}-{rule['maximum']}"


def needs(
    entry: dict[str, Any], arguments: Mapping[str, Any], allowed: frozenset[Effect]
) -> frozenset[Effect]:
    """Return the effects that a call takes from somebody who is `allowed` some.

    Whoever may dial may also stop it: the emergency stop takes either right.
    """
    if entry["emergency"] and Effect.DIALS in allowed:
        return frozenset({Effect.DIALS})
    taken = frozenset({Effect(entry["effect"])})
    dials = bool(entry["dials_when"]) and not absent(arguments.get(entry["dials_when"]))
    return taken | {Effect.DIALS} if dials else taken


def _left(
    entries: dict[str, dict[str, Any]], allowed: frozenset[Effect]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, entry in entries.items():
        if needs(entry, {}, allowed) - allowed:
            continue
        if entry["dials_when"] and Effect.DIALS not in allowed:
            _drop_argument(entry["tool"]["inputSchema"], entry["dials_when"])
        yield name, entry


def _drop_argument(schema: dict[str, Any], name: str) -> None:
    for unneeded in (name, "confirm_token"):
        schema["properties"].pop(unneeded, None)
