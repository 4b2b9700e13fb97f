"""Lay out the MCP bundle in the folder given: the package, its requirements, how it starts.

The host runs it with uv, which would also install development tools, were pyproject.toml whole.
"""

import json
import shutil
import sys
import tomllib
from pathlib import Path

from atoms_campaigns_mcp import __version__

ROOT = Path(__file__).parent.parent
PACKAGE = "atoms_campaigns_mcp"


def requirements() -> str:
    """Return a pyproject.toml with which uv runs the package without building it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # JSON's strings and lists of strings are TOML's too.
    rows = {
        "name": "atoms-campaigns-bundle",
        "version": __version__,
        "requires-python": project["requires-python"],
        "dependencies": project["dependencies"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in rows.items()]
    return "\n".join(["[project]", *lines, "", "[tool.uv]", "package = false", ""])


def main() -> None:
    """Write the folder anew."""
    stage = Path(sys.argv[1])
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(
        ROOT / PACKAGE, stage / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "*.py[co]")
    )
    for name in ("manifest.json", "server.py", "icon.png"):
        shutil.copy2(ROOT / "bundle" / name, stage)
    for name in ("README.md", "LICENSE"):
        shutil.copy2(ROOT / name, stage)
    (stage / "pyproject.toml").write_text(requirements(), "utf-8")


if __name__ == "__main__":
    main()
