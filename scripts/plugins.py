"""Plugins, an extension and buttons for other programs, from one description and one skill.

All share the folder `plugin/`, in which the skill stands once; each program reads its own manifest.
"""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from project import (
    AUTHOR,
    DESCRIPTION,
    KEY,
    KEYWORDS,
    LICENSE,
    REPOSITORY,
    ROOT,
    SERVER,
    START,
    TITLE,
    written,
)

from atoms_campaigns_mcp import __version__

PLUGIN = ROOT / "plugin"
CATEGORY = "Productivity"
PORTABLE = "https://agent-plugins.org/schemas/1.0.0"
ABOUT: dict[str, Any] = {
    "name": SERVER,
    "version": __version__,
    "description": DESCRIPTION,
    "author": AUTHOR,
    "homepage": REPOSITORY,
    "repository": REPOSITORY,
    "license": LICENSE,
    "keywords": KEYWORDS,
}


def plugins() -> dict[Path, str]:
    """Return every manifest as it should be."""
    manifests = {
        "plugin/.claude-plugin/plugin.json": ABOUT | {"mcpServers": _servers(env=_claudes_key())},
        "plugin/.codex-plugin/plugin.json": _codex(),
        "plugin/codex.mcp.json": {"mcpServers": _servers(env_vars=[KEY])},
        "plugin/.cursor-plugin/plugin.json": ABOUT
        | {"displayName": TITLE, "logo": "assets/icon.svg", "mcpServers": _servers()},
        "plugin/gemini-extension.json": _gemini(),
        "plugin/plugin.json": {"$schema": f"{PORTABLE}/plugin.schema.json", **ABOUT},
        "plugin/mcp.json": {
            "$schema": f"{PORTABLE}/mcp.schema.json",
            "mcpServers": _servers(type="stdio"),
        },
        ".claude-plugin/marketplace.json": _marketplace("./plugin"),
        ".cursor-plugin/marketplace.json": _marketplace("./plugin"),
        ".agents/plugins/marketplace.json": _codex_marketplace(),
    }
    return {ROOT / name: written(value) for name, value in manifests.items()}


def _servers(**more: Any) -> dict[str, Any]:
    return {SERVER: {**START, **more}}


def _claudes_key() -> dict[str, str]:
    # Claude Code puts in the user's own variable, or nothing: then the server is a sandbox.
    return {KEY: f"${{{KEY}:-}}"}


def _codex() -> dict[str, Any]:
    shown = {
        "displayName": TITLE,
        "shortDescription": "Run outbound voice-call campaigns, safely",
        "longDescription": DESCRIPTION,
        "developerName": AUTHOR["name"],
        "category": CATEGORY,
        "capabilities": ["Interactive", "Write"],
        "websiteURL": REPOSITORY,
        "defaultPrompt": ["Which campaigns do I have, and how far is each of them?"],
        "logo": "./assets/icon.svg",
    }
    return ABOUT | {"skills": "./skills/", "mcpServers": "./codex.mcp.json", "interface": shown}


def _gemini() -> dict[str, Any]:
    key = {
        "name": "Atoms API key",
        "description": "Leave it empty for the sandbox, in which nobody is called.",
        "envVar": KEY,
        "sensitive": True,
    }
    shared = {name: ABOUT[name] for name in ("name", "version", "description")}
    return {**shared, "mcpServers": _servers(), "settings": [key]}


def _marketplace(source: str) -> dict[str, Any]:
    listed = {name: ABOUT[name] for name in ("name", "description", "version")}
    about = {"description": DESCRIPTION, "version": __version__}
    return {
        "name": SERVER,
        "owner": AUTHOR,
        "metadata": about,
        "plugins": [{**listed, "source": source}],
    }


def _codex_marketplace() -> dict[str, Any]:
    entry = {
        "name": SERVER,
        "source": {"source": "local", "path": "./plugin"},
        "policy": {"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
        "category": CATEGORY,
    }
    return {"name": SERVER, "interface": {"displayName": TITLE}, "plugins": [entry]}


def cursor_link() -> str:
    """Return the address that has Cursor install the sandbox."""
    config = base64.b64encode(_button().encode()).decode()
    return "https://cursor.com/en/install-mcp?" + urlencode({"name": SERVER, "config": config})


def vscode_link() -> str:
    """Return the address that has VS Code install the sandbox: GitHub shows no `vscode:` links."""
    link = f"vscode:mcp/install?{quote(_button(name=SERVER), safe='')}"
    return "https://insiders.vscode.dev/redirect?" + urlencode({"url": link})


def _button(**more: str) -> str:
    # An empty key, so that one in the environment of the program does not make it live.
    return json.dumps({**more, **START, "env": {KEY: ""}}, separators=(",", ":"))


def buttons() -> str:
    """Return the README's buttons."""
    shown = (
        ("Cursor", cursor_link(), "https://cursor.com/deeplink/mcp-install-light.svg"),
        ("VS Code", vscode_link(), "https://img.shields.io/badge/VS_Code-Add_the_sandbox-0098FF"),
    )
    return "\n".join(f"[![Add the sandbox to {n}]({image})]({link})" for n, link, image in shown)
