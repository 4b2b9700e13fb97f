"""What server.json (MCP registry) and bundle/manifest.json (MCP bundle) take from the code."""

import json
from pathlib import Path
from typing import Any

from project import KEYWORDS, REPOSITORY, ROOT, registry_name, written

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.config.settings import SETTINGS, Setting
from atoms_campaigns_mcp.toolkit.registry import load, names


def manifests() -> dict[Path, str]:
    """Return both files as they should be; what is written by hand in them stays."""
    registry, bundle = ROOT / "server.json", ROOT / "bundle" / "manifest.json"
    return {registry: _registry(registry), bundle: _bundle(bundle)}


def _registry(path: Path) -> str:
    server = json.loads(path.read_text("utf-8"))
    server["name"] = registry_name()
    server["version"] = __version__
    server["repository"] = {"url": REPOSITORY, "source": "github"}
    for package in server["packages"]:
        package["version"] = __version__
        package["environmentVariables"] = [_variable(row) for row in SETTINGS]
    return written(server)


def _variable(row: Setting) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": row.variable, "description": row.help}
    if row.default:
        entry["default"] = row.default
    if row.switch:
        entry["format"] = "boolean"
    return entry | ({"isSecret": True} if row.secret else {})


def _bundle(path: Path) -> str:
    manifest = json.loads(path.read_text("utf-8"))
    manifest["version"] = __version__
    manifest["repository"] = {"type": "git", "url": f"{REPOSITORY}.git"}
    manifest["homepage"] = REPOSITORY
    manifest["documentation"] = f"{REPOSITORY}#readme"
    manifest["support"] = f"{REPOSITORY}/issues"
    manifest["keywords"] = KEYWORDS
    manifest["tools"] = [
        {"name": name, "description": load(name).description.split(". ")[0]} for name in names()
    ]
    return written(manifest)
