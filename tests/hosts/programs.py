"""Hosts as programs: where npm has them, how they are told of our server and of a stand-in model.

All they are given is in a home of their own; nothing of it leads off this machine.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import OURS

INSTALLED = Path(__file__).parent.parent.parent / ".cache" / "hosts"
PATIENCE = 120  # seconds for one run of another program
PROMPT = "Go"
Env = dict[str, str]


def home_env(home: Path) -> Env:
    """Give what a program is started with: a home, a path and a terminal."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(home), "TERM": "xterm-256color", "CI": ""}


@dataclass(frozen=True)
class Host:
    """A program.

    Attributes:
        name: As its makers write it.
        package: On npm, with the version that was tried.
        program: What it puts into node_modules/.bin.
        prepare: Writes what it needs into a home, given that and the address of the model.
        env: What it is started with beside that, given the address of the model.
        headless: The words that let it run PROMPT without a terminal.
        terminal: The words that let it run PROMPT in one; empty if that cannot be asked.
        leave: What it asks by itself before it calls a tool; Enter agrees.
        installs: Our own `install` knows it by this name.
    """

    name: str
    package: str
    program: str
    prepare: Callable[[Path, str], None]
    env: Callable[[str], Env]
    headless: tuple[str, ...]
    terminal: tuple[str, ...] = ()
    installs: str = ""
    leave: str = ""

    @property
    def folder(self) -> Path:
        """Where scripts/clients puts it."""
        return INSTALLED / self.program

    @property
    def installed(self) -> bool:
        """Whether it is there in the version that was tried."""
        ready = self.folder / ".ready"
        return ready.exists() and ready.read_text().strip() == self.package

    @property
    def path(self) -> Path:
        """The program."""
        return self.folder / "node_modules" / ".bin" / self.program

    @property
    def version(self) -> str:
        """The version that was tried."""
        return self.package.rpartition("@")[2]

    def install(self, home: Path, url: str) -> None:
        """Tell it of our server, by our own command where that knows it."""
        if self.installs:
            words = [*OURS, "install", self.installs]
            subprocess.run(words, env=home_env(home), check=True, capture_output=True, timeout=60)
        self.prepare(home, url)


def _write(path: Path, value: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    present: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**present, **value}))


def _claude(home: Path, url: str) -> None:  # noqa: ARG001
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    known = {"approved": ["sk-ant-stand-in"[-20:]], "rejected": []}
    begun = {"hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": known}
    _write(home / ".claude.json", {**begun, "projects": {str(home / "work"): trusted}})


def _codex(home: Path, url: str) -> None:
    path = home / ".codex" / "config.toml"
    model = f"""model = "stand-in"
model_provider = "ours"
[model_providers.ours]
name = "ours"
base_url = "{url}/v1"
wire_api = "responses"
[projects."{home / "work"}"]
trust_level = "trusted"
"""
    path.write_text(model + path.read_text())


def _gemini(home: Path, url: str) -> None:  # noqa: ARG001
    folder = home / ".gemini"
    auth = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    _write(folder / "settings.json", auth)
    _write(folder / "trustedFolders.json", {str(home / "work"): "TRUST_FOLDER"})


def _copilot(home: Path, url: str) -> None:  # noqa: ARG001
    start = {"type": "local", "command": OURS[0], "args": [*OURS[1:]], "tools": ["*"]}
    _write(home / ".copilot" / "mcp-config.json", {"mcpServers": {"atoms-campaigns": start}})
    _write(home / ".copilot" / "config.json", {"trusted_folders": [str(home / "work")]})


def _opencode(home: Path, url: str) -> None:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "ours",
        "options": {"baseURL": f"{url}/v1", "apiKey": "stand-in"},
        "models": {"stand-in": {"name": "stand-in"}},
    }
    start = {"type": "local", "command": [*OURS], "enabled": True}
    _write(
        home / ".config" / "opencode" / "opencode.json",
        {
            "autoupdate": False,
            "share": "disabled",
            "model": "ours/stand-in",
            "provider": {"ours": provider},
            "mcp": {"atoms-campaigns": start},
        },
    )


def _of_claude(url: str) -> Env:
    off = ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY")
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-stand-in",
        "MCP_CONNECT_TIMEOUT_MS": "60000",  # it begins without servers after five seconds
        "MCP_CONNECTION_NONBLOCKING": "false",
        **dict.fromkeys(off, "1"),
    }


def _of_copilot(url: str) -> Env:
    return {
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": "stand-in",
        "COPILOT_MODEL": "stand-in",
    }


def _of_opencode(url: str) -> Env:  # noqa: ARG001
    off = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS")
    return {f"OPENCODE_DISABLE_{name}": "true" for name in off}


HOSTS = (
    Host(
        "Claude Code",
        "@anthropic-ai/claude-code@2.1.197",
        "claude",
        _claude,
        _of_claude,
        ("-p", PROMPT, "--allowedTools", "mcp__atoms-campaigns"),
        ("--allowedTools", "mcp__atoms-campaigns", "--", PROMPT),
        "claude-code",
    ),
    Host(
        "Codex CLI",
        "@openai/codex@0.171.0",
        "codex",
        _codex,
        lambda _: {},
        (
            "exec",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            PROMPT,
        ),
        (PROMPT,),
        "codex",
        leave="Allow the atoms-campaigns MCP server to run tool",
    ),
    Host(
        "Gemini CLI",
        "@google/gemini-cli@0.61.0",
        "gemini",
        _gemini,
        lambda url: {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "stand-in"},
        ("--yolo", "--skip-trust", "-m", "gemini-2.5-pro", "-p", PROMPT),
        (),
        "gemini",
    ),
    Host(
        "Copilot CLI",
        "@github/copilot@1.0.102",
        "copilot",
        _copilot,
        _of_copilot,
        ("-p", PROMPT, "--allow-all-tools"),
        ("--allow-all-tools", "-i", PROMPT),
    ),
    Host(
        "opencode",
        "opencode-ai@1.18.33",
        "opencode",
        _opencode,
        _of_opencode,
        ("run", "--auto", "--title", "x", PROMPT),
    ),
)


def main(names: list[str]) -> None:
    """Print what is to be installed, for scripts/clients: the hosts of those names, or all.

    Raises:
        SystemExit: There is none of a name.
    """
    known = [host.program for host in HOSTS]
    if not set(names) <= set(known):
        sys.exit(f"hosts are: {', '.join(known)}")
    for host in HOSTS:
        if not names or host.program in names:
            sys.stdout.write(f"{host.program} {host.package}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
