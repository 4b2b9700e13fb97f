"""Where each client keeps its servers, and in what form. What is known of each is beside it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Remote:
    """How a client writes a server at an address.

    `reference` names the variable of the user's key within a header, as the client fills it in;
    `variable` is a field of its own for that name, where there is one.
    """

    reference: str = ""
    address: str = "url"
    headers: str = "headers"
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its file, the key of its table of servers, and whether entries have a type."""

    name: str
    title: str
    file: Callable[[Machine], Path]
    table: str = "mcpServers"
    typed: bool = False
    toml: bool = False
    remote: Remote | None = None


def _claude_desktop(machine: Machine) -> Path:
    """Find the file of Claude Desktop.

    Documented for macOS and Windows; Linux builds use Electron's folder. On Windows the packaged
    (MSIX) program, the default since 2026-02, reads a copy of AppData of its own
    (anthropics/claude-code#26073).

    Raises:
        ConfigurationError: There are several packages, and nothing tells which one is used.
    """
    name = Path("Claude", "claude_desktop_config.json")
    if machine.windows:
        local = machine.folder("LOCALAPPDATA", machine.home / "AppData" / "Local")
        packages = [
            package / "LocalCache" / "Roaming" / name
            for package in sorted((local / "Packages").glob("Claude_*"))
        ]
        used = [path for path in packages if os.path.lexists(path)] or packages
        if len(used) > 1:
            raise ConfigurationError(
                "Claude Desktop is installed more than once, as several packages.",
                next_step="Use --print, and paste the entry by Settings > Developer > Edit Config.",
            )
        if used:
            return used[0]
    return machine.application_data() / name


def _claude_code(machine: Machine) -> Path:
    """Find the user's file of Claude Code, whose `mcpServers` hold in every project.

    A project's `.mcp.json` is shared through version control, where neither a path of this
    machine nor a key belongs, and each user must approve it (code.claude.com/docs/en/mcp).
    `CLAUDE_CONFIG_DIR` moves the file (anthropics/claude-code#48448).
    """
    return machine.folder("CLAUDE_CONFIG_DIR", machine.home) / ".claude.json"


def _cursor(machine: Machine) -> Path:
    """Find the global file of Cursor: the same on every system (cursor.com/docs/mcp)."""
    return machine.home / ".cursor" / "mcp.json"


def _vscode(machine: Machine) -> Path:
    """Find `mcp.json` of VS Code's default profile.

    Its table is `servers` and each entry has a `type`
    (code.visualstudio.com/docs/agents/reference/mcp-configuration).
    """
    return machine.application_data() / "Code" / "User" / "mcp.json"


def _codex(machine: Machine) -> Path:
    """Find the file that the Codex CLI, IDE extension and app share.

    `CODEX_HOME` moves it; each server is a table `[mcp_servers.NAME]`
    (developers.openai.com/codex/mcp).
    """
    return machine.folder("CODEX_HOME", machine.home / ".codex") / "config.toml"


def _gemini(machine: Machine) -> Path:
    """Find the user's settings of Gemini CLI.

    `GEMINI_CLI_HOME` replaces the home folder (google-gemini/gemini-cli#27395).
    """
    return machine.folder("GEMINI_CLI_HOME", machine.home) / ".gemini" / "settings.json"


CLIENTS = {
    client.name: client
    for client in (
        Client("claude-desktop", "Claude Desktop", _claude_desktop),
        Client(
            "claude-code",
            "Claude Code",
            _claude_code,
            typed=True,
            remote=Remote("${SMALLEST_API_KEY}"),
        ),
        Client("cursor", "Cursor", _cursor, remote=Remote("${env:SMALLEST_API_KEY}")),
        Client(
            "vscode",
            "VS Code",
            _vscode,
            table="servers",
            typed=True,
            remote=Remote("${env:SMALLEST_API_KEY}"),
        ),
        Client(
            "codex",
            "Codex",
            _codex,
            table="mcp_servers",
            toml=True,
            remote=Remote(headers="http_headers", variable="bearer_token_env_var"),
        ),
        Client(
            "gemini",
            "Gemini CLI",
            _gemini,
            remote=Remote("$SMALLEST_API_KEY", address="httpUrl"),
        ),
    )
}
