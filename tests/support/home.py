"""The developer's home as tests see it: everything but our own policies."""

from collections.abc import Mapping
from pathlib import Path

from atoms_campaigns_mcp.config.policy_file import folders


def without_policies(home: Path, scratch: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which programs see links to all of `home` but policies."""
    moved = environ.get("XDG_CONFIG_HOME")
    hidden = {
        folder.path for platform in ("linux", "darwin") for folder in folders(home, platform, {})
    }
    _link(home, scratch / "home", hidden)
    if not moved:
        return {"HOME": str(scratch / "home")}
    _link(Path(moved), scratch / "config", {Path(moved, "atoms-campaigns-mcp")})
    return {"HOME": str(scratch / "home"), "XDG_CONFIG_HOME": str(scratch / "config")}


def _link(real: Path, shown: Path, hidden: set[Path]) -> None:
    shown.mkdir(parents=True)
    for entry in sorted(real.iterdir()) if real.is_dir() else ():
        if entry in hidden:
            continue
        if any(path.is_relative_to(entry) for path in hidden):
            _link(entry, shown / entry.name, hidden)
        else:
            (shown / entry.name).symlink_to(entry)
