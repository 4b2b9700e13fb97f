"""Checks of the program itself: its Python, its packages, and the operator's limits."""

from collections.abc import Callable, Sequence

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.config.policy_file import Folder
from atoms_campaigns_mcp.config.settings import SETTINGS, Settings

OLDEST = (3, 11)


def python(version: tuple[int, int, int], executable: str) -> Check:
    """Judge the Python that runs this."""
    text = f"{'.'.join(map(str, version))} at {executable}"
    if version < OLDEST:
        return failed("python", text, "Install Python 3.11 or newer, and this package with it.")
    return ok("python", text)


def package(version_of: Callable[[str], str]) -> Check:
    """Report which versions of this package and of the MCP SDK run; `version_of` names one's."""
    return ok("package", f"atoms-campaigns-mcp {__version__}, mcp {version_of('mcp')}")


def limits(settings: Settings, folders: Sequence[Folder]) -> Check:
    """Report which limits and modes hold and from where, and whether every client gets them."""
    text = f"{'; '.join(settings.in_force)}."
    found = [folder for folder in folders if folder.file.is_file()]
    if found:
        text += f" Policies: {', '.join(str(folder.file) for folder in found)}."
    moved = [folder for folder in found if not folder.fixed]
    fixed = [folder.file for folder in folders if folder.fixed]
    if moved:
        return warning(
            "limits",
            f"{text} A client that drops XDG_CONFIG_HOME does not find {moved[0].file}.",
            f"Move it to {fixed[-1]}.",
        )
    origins = [settings.origins.get(row.name, "") for row in SETTINGS if row.narrow]
    if fixed and any("environment" in origin for origin in origins):
        text += f" Clients may drop what the environment sets; they cannot drop {fixed[-1]}."
    return ok("limits", text)
