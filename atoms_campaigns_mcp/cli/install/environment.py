"""Which variables to copy into an entry, since clients pass on only some of them."""

import os
from pathlib import Path
from typing import Any, cast

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.config.settings import SETTINGS
from atoms_campaigns_mcp.config.sources import PREFIX, sources_of, value_of

STATE = "ATOMS_MCP_STATE"


def settings_of(machine: Machine) -> tuple[dict[str, str], list[str]]:
    """Return the variables to write, and the names of secrets, which are not written.

    Paths are absolute: a client starts the server in a folder of its own.

    Raises:
        ConfigurationError: One is malformed, or is no setting of this server.
    """
    sources = sources_of(SETTINGS, (), machine.environ, {})
    written, secrets = dict[str, str](), list[str]()
    for row in SETTINGS:
        text = machine.environ.get(row.variable, "").strip()
        if not text or not row.variable.startswith(PREFIX):
            continue
        value = value_of(row, sources, {})
        if row.secret or getattr(value, "has_password", False):
            secrets.append(row.variable)
        else:
            written[row.variable] = _anywhere(value, text)
    moved = Path(machine.environ.get("XDG_STATE_HOME", "").strip())
    if STATE not in (*written, *secrets) and moved.is_absolute() and not machine.windows:
        written[STATE] = str(moved / NAME)
    return written, secrets


def _anywhere(value: Any, text: str) -> str:
    """Write a value so that it means the same in any folder."""
    if isinstance(value, Path):
        return str(value.absolute())
    paths = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else ()
    if paths and isinstance(paths[0], Path):
        return os.pathsep.join(map(str, paths))
    return text
