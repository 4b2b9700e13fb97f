"""Checks of the program itself: its Python and its packages."""

from collections.abc import Callable

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.doctor.findings import Check, failed, ok

OLDEST = (3, 11)


def python(version: tuple[int, int, int], executable: str) -> Check:
    """Judge the Python that runs this."""
    text = f"{'.'.join(map(str, version))} at {executable}"
    if version < OLDEST:
        return failed("python", text, "Install Python 3.11 or newer, and this package with it.")
    return ok("python", text)


def package(version_of: Callable[[str], str]) -> Check:
    """Say which versions of this package and of the MCP SDK run; `version_of` names one's."""
    return ok("package", f"atoms-campaigns-mcp {__version__}, mcp {version_of('mcp')}")
