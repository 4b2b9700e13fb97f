"""Finding and loading tools by name."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp.toolkit.tool import Tool


def names() -> list[str]:
    """Return the name of every tool, found on disk, in alphabetical order."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent.parent / "tools")])
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def load(name: str) -> Tool[Any, Any]:
    """Import the tool of that name."""
    return importlib.import_module(f"atoms_campaigns_mcp.tools.{name}").run
