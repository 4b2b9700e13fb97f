"""What a shell completes: with argcomplete, an extra that nothing else here imports."""

from importlib.util import find_spec
from typing import Any

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

SHELLS = ("bash", "zsh")


def answer() -> int:
    """Tell the shell that asks which words may come next; it then ends the process."""
    if find_spec("argcomplete") is None:
        return 1
    from argcomplete import autocomplete  # noqa: PLC0415 - optional

    from atoms_campaigns_mcp.cli.parser import parser  # noqa: PLC0415 - it names what is here

    autocomplete(parser(), always_complete_options=False)
    return 0


def shell_code(shell: str) -> str:
    """Return what a shell must evaluate in order to ask.

    Raises:
        ConfigurationError: argcomplete is not installed.
    """
    if find_spec("argcomplete") is None:
        raise ConfigurationError(
            "Completion needs argcomplete, which is not installed.",
            next_step=f"Install {NAME}[completion].",
        )
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - optional

    return shellcode([NAME], shell=shell)


def tool_names(**_: Any) -> list[str]:
    """Name the tools."""
    return list(Catalog.read().entries)


def argument_words(prefix: str, parsed_args: Any, **_: Any) -> list[str]:
    """Return the beginnings `key=` of a tool's arguments that are not given yet, or its values."""
    entry = Catalog.read().entries.get(parsed_args.tool)
    if entry is None:
        return []
    name, separator = prefix.partition("=")[:2]
    if separator:
        field = entry.arguments.get(name, {})
        values = ["true", "false"] if field.get("type") == "boolean" else field.get("enum", [])
        return [f"{name}={value}" for value in values]
    given = {word.partition("=")[0] for word in parsed_args.arguments or ()}
    return [f"{name}=" for name in entry.arguments if name not in given]
