"""Plugins, extension and buttons start this server as a sandbox, and the skill tells the truth."""

import base64
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli.install.entry import is_ours
from atoms_campaigns_mcp.cli.parser import parser
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.hosts.programs import HOSTS, Host, home_env
from tests.support.process import OURS

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "plugin"
SKILL = (PLUGIN / "skills" / "run-a-call-campaign" / "SKILL.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
SERVERS = (
    ".claude-plugin/plugin.json",
    ".cursor-plugin/plugin.json",
    "codex.mcp.json",
    "gemini-extension.json",
    "mcp.json",
)
NAMED = [path for path in PLUGIN.rglob("*.json") if "mcp" not in path.name]


def data(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8"))


def test_every_manifest_is_of_the_same_server_and_version() -> None:
    assert len(NAMED) == 5
    found = {(m["name"], m["version"], m["description"]) for m in map(data, NAMED)}
    assert len(found) == 1
    assert found.pop()[:2] == ("atoms-campaigns", __version__)


@pytest.mark.parametrize("name", SERVERS)
def test_a_plugin_starts_this_version_and_holds_no_key(name: str) -> None:
    (entry,) = data(PLUGIN / name)["mcpServers"].values()
    assert is_ours(entry)
    assert [entry["command"], *entry["args"]] == ["uvx", f"atoms-campaigns-mcp@{__version__}"]
    assert set(entry.get("env", {}).values()) <= {"${SMALLEST_API_KEY:-}"}


@pytest.mark.parametrize(
    "path", [".claude-plugin", ".cursor-plugin", ".agents/plugins"], ids=lambda path: path
)
def test_a_marketplace_leads_to_the_plugin(path: str) -> None:
    (entry,) = data(ROOT / path / "marketplace.json")["plugins"]
    source = entry["source"]
    assert ROOT / (source if isinstance(source, str) else source["path"]) == PLUGIN


def test_the_repository_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    repository = project["urls"]["Repository"]
    server, bundle = data(ROOT / "server.json"), data(ROOT / "bundle" / "manifest.json")
    assert server["repository"] == {"url": repository, "source": "github"}
    assert server["name"] == f"io.github.{repository.split('/')[3]}/atoms-campaigns"
    links = {bundle[name] for name in ("homepage", "documentation", "support")}
    assert all(link.startswith(repository) for link in links)
    assert {m["repository"] for m in map(data, NAMED) if "repository" in m} == {repository}


def buttons() -> dict[str, dict[str, Any]]:
    """Take the README's buttons apart, as the programs do that they lead to."""
    links: list[str] = re.findall(r"\[!\[Add the sandbox[^\]]*\]\([^)]*\)\]\(([^)]*)\)", README)
    found: dict[str, dict[str, Any]] = {}
    for link in links:
        query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        if urlsplit(link).netloc == "cursor.com":
            config = json.loads(base64.b64decode(query["config"], validate=True))
            found["cursor"] = {"name": query["name"], **config}
        else:
            scheme, _, words = query["url"].partition("?")
            found[scheme] = json.loads(unquote(words))
    return found


def test_both_buttons_start_this_version_as_a_sandbox_whatever_key_the_program_has() -> None:
    found = buttons()
    assert set(found) == {"cursor", "vscode:mcp/install"}
    for entry in found.values():
        assert entry["name"] == "atoms-campaigns"
        assert [entry["command"], *entry["args"]] == ["uvx", f"atoms-campaigns-mcp@{__version__}"]
        assert Settings.load({"SMALLEST_API_KEY": "sk_made_up", **entry["env"]}) == Settings()


def test_the_skill_names_only_tools_and_arguments_that_exist() -> None:
    entries = Catalog.read().entries
    words = set(re.findall(r"`([a-z]+_[a-z_]+)`", SKILL))
    told = {"confirm_token", "outcome_unknown", "upload_id"}  # the last over HTTP only
    arguments = {a for e in entries.values() for a in e.tool["inputSchema"]["properties"]}
    assert len(words & set(entries)) >= 10
    assert words - set(entries) - arguments <= told


def test_the_skills_commands_are_commands_and_none_of_them_dials_or_deletes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```", SKILL, re.DOTALL | re.MULTILINE)
    lines = [line.partition("#")[0].split() for line in script.splitlines()]
    assert len(lines) > 5
    for program, *words in lines:
        assert program == "atoms-campaigns-mcp"
        args = parser().parse_args(words)
        if words[0] == "call":
            assert not re.match("start_|delete_|schedule_", args.tool)
    assert capsys.readouterr().err == ""


STAND_IN = """#!/bin/sh
# Stands in for uvx: starts this version from here, and leaves what it was given.
env > {seen}
shift
exec {ours} "$@"
"""


def ran(host: Host, home: Path, *words: str, answers: str = "", **given: str) -> str:
    env = {**home_env(home), **given, "CI": "1"}
    env["PATH"] = f"{home / 'bin'}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        [host.path, *words],
        env=env,
        cwd=home / "work",
        input=answers,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    uvx = tmp_path / "bin" / "uvx"
    uvx.parent.mkdir()
    uvx.write_text(STAND_IN.format(seen=tmp_path / "seen", ours=" ".join(OURS)))
    uvx.chmod(0o755)
    return tmp_path


def program(name: str) -> Host:
    (host,) = (host for host in HOSTS if host.program == name)
    if not host.installed:
        pytest.skip(f"{host.package} is not installed: scripts/clients hosts {name}.")
    return host


@pytest.mark.slow
def test_claude_codes_own_tool_accepts_the_plugin_and_starts_it(home: Path) -> None:
    claude = program("claude")
    for path in (ROOT, PLUGIN):
        assert "Validation passed" in ran(claude, home, "plugin", "validate", "--strict", str(path))
    ran(claude, home, "plugin", "marketplace", "add", str(ROOT))
    ran(claude, home, "plugin", "install", "atoms-campaigns@atoms-campaigns")
    assert "Connected" in ran(claude, home, "mcp", "list")
    assert "SMALLEST_API_KEY=\n" in (home / "seen").read_text()
    ran(claude, home, "mcp", "list", SMALLEST_API_KEY="sk_made_up")
    assert "SMALLEST_API_KEY=sk_made_up\n" in (home / "seen").read_text()


@pytest.mark.slow
def test_codex_own_tool_installs_the_plugin_with_its_server(home: Path) -> None:
    codex = program("codex")
    (home / ".codex").mkdir()
    ran(codex, home, "plugin", "marketplace", "add", str(ROOT))
    ran(codex, home, "plugin", "add", "atoms-campaigns@atoms-campaigns")
    assert "installed, enabled" in ran(codex, home, "plugin", "list")
    listed = ran(codex, home, "mcp", "list", "--json")
    (server,), _ = json.JSONDecoder().raw_decode(listed[listed.index("[") :])
    assert server["transport"]["env_vars"] == ["SMALLEST_API_KEY"]


@pytest.mark.slow
def test_gemini_clis_own_tool_accepts_the_extension_and_starts_it(home: Path) -> None:
    gemini = program("gemini")
    folder = home / ".gemini"
    folder.mkdir()
    trusted = {str(path): "TRUST_FOLDER" for path in (PLUGIN, home / "work")}
    (folder / "trustedFolders.json").write_text(json.dumps(trusted))
    assert "successfully validated" in ran(gemini, home, "extensions", "validate", str(PLUGIN))
    said = ran(gemini, home, "extensions", "install", str(PLUGIN), "--consent", answers="\n\n\n")
    assert "installed successfully" in said
    listed = ran(gemini, home, "mcp", "list", GEMINI_API_KEY="stand-in")
    assert re.search(r"atoms-campaigns .*Connected", listed)
    assert "SMALLEST_API_KEY" not in (home / "seen").read_text()
    assert "run-a-call-campaign" in ran(gemini, home, "extensions", "list")
