"""The catalogue: what `tools/list` says, from a reviewed snapshot that ships with the package.

No tool module is imported to serve it, so a server answers as fast as one without tools;
`scripts/generate` writes it anew and a test holds it equal to the models.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).with_name("catalog.json")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tools that the operator's modes allow.

    `entries` holds each tool's effect, the argument that makes it dial, and its MCP description.
    """

    entries: dict[str, dict[str, Any]]

    @classmethod
    @cache
    def read(
        cls, *, read_only: bool = False, no_dial: bool = False, over_http: bool = False
    ) -> "Catalog":
        """Read the snapshot; `read_only` and `no_dial` leave out what they forbid.

        Contacts come from files on the server's machine, and `over_http` as uploads.
        """
        entries = json.loads(SNAPSHOT.read_text("utf-8"))
        for entry in entries.values():
            entry["tool"]["inputSchema"]["properties"].pop("file" if over_http else "upload_id", 0)
        return cls(dict(_allowed(entries, read_only=read_only, no_dial=no_dial)))

    def tools(self) -> list[dict[str, Any]]:
        """Give the reply of `tools/list`."""
        return [entry["tool"] for entry in self.entries.values()]

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Give a tool's input schema, as the SDK wants it for checking headers."""
        entry = self.entries.get(name)
        return entry["tool"]["inputSchema"] if entry else None


def _allowed(
    entries: dict[str, dict[str, Any]], *, read_only: bool, no_dial: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, entry in entries.items():
        if read_only and entry["effect"] != "reads":
            continue
        if no_dial and entry["effect"] == "dials":
            continue
        if no_dial and entry["dials_when"]:
            _drop_argument(entry["tool"]["inputSchema"], entry["dials_when"])
        yield name, entry


def _drop_argument(schema: dict[str, Any], name: str) -> None:
    for unneeded in (name, "confirm_token"):
        schema["properties"].pop(unneeded, None)
