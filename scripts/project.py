"""What is said of this project in every manifest, read from where it stands once."""

import json
import tomllib
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp import __version__

ROOT = Path(__file__).parent.parent
_PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

SERVER = "atoms-campaigns"
TITLE = "Atoms campaigns"
AUTHOR = {"name": "the atoms-campaigns-mcp authors"}
PACKAGE: str = _PROJECT["name"]
DESCRIPTION: str = _PROJECT["description"]
LICENSE: str = _PROJECT["license"]
KEYWORDS: list[str] = _PROJECT["keywords"]
REPOSITORY: str = _PROJECT["urls"]["Repository"]
KEY = "SMALLEST_API_KEY"
# The version is named: what is installed changes when its user says so, not when we publish.
START: dict[str, Any] = {"command": "uvx", "args": [f"{PACKAGE}@{__version__}"]}


def registry_name() -> str:
    """Name the server as the MCP registry does, which lets each account of GitHub name its own."""
    owner = REPOSITORY.removeprefix("https://github.com/").split("/")[0]
    return f"io.github.{owner}/{SERVER}"


def written(value: Any) -> str:
    """Write a manifest."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
