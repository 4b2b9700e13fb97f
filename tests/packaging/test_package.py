"""What is built works where nothing but it is installed."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.packaging.test_plugins import buttons
from tests.support.process import INITIALIZE, environment, spawned

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
TOOLS = ROOT / ".cache" / "packaging" / "bin"
NAMES = set(Catalog.read().entries)
WITHOUT_NODE = not (shutil.which("node") and shutil.which("npm"))
DATA = {".sql", ".json", ".md", ".html", ".typed"}


def run(*words: Any, status: int = 0, **options: Any) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=300, check=False, **options
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT / "scripts" / "package", folder, status=int(WITHOUT_NODE))
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


def test_the_wheel_made_from_the_sdist_holds_the_package_with_its_data_and_nothing_else(
    wheel: Path,
) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    info = f"atoms_campaigns_mcp-{__version__}.dist-info/"
    assert wheel.name == f"atoms_campaigns_mcp-{__version__}-py3-none-any.whl"
    assert {name for name in names if not name.startswith("atoms_campaigns_mcp/")} == {
        f"{info}{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")
    } | {f"{info}licenses/LICENSE"}
    package = ROOT / "atoms_campaigns_mcp"
    wanted = {str(p.relative_to(ROOT)) for p in package.rglob("*") if p.suffix in DATA | {".py"}}
    assert {name for name in names if name.startswith("atoms_campaigns_mcp/")} == wanted
    assert {"py.typed", "catalog.json", "guide.md", "schema.sql"} <= {Path(n).name for n in wanted}


def test_the_sdist_holds_what_its_tests_need_and_no_rubbish(built: Path) -> None:
    with tarfile.open(built / f"atoms_campaigns_mcp-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "mcp.json", "server.json"} <= names
    assert {"tests/conftest.py", "scripts/test", "bundle/manifest.json"} <= names
    assert not [n for n in names if "__pycache__" in n or n.startswith((".cache", ".venv", "dist"))]


def test_without_node_it_is_said_that_there_is_no_bundle(built: Path, tmp_path: Path) -> None:
    assert built.exists()  # the tools are installed
    found = tmp_path / "bin"
    found.mkdir()
    for name in ("sh", "dirname"):
        (found / name).symlink_to(str(shutil.which(name)))
    dist = tmp_path / "dist"
    said = run(ROOT / "scripts" / "package", dist, status=1, env={"PATH": str(found)})
    assert f"sdist and wheel are in {dist}. No MCP bundle was made" in said
    assert {path.suffix for path in dist.iterdir()} == {".gz", ".whl"}


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    # Does what `pip install` does, in a tenth of the time.
    run(TOOLS / "uv", "pip", "install", "-q", "-p", tmp_path / "venv" / "bin" / "python", wheel)
    command = str(tmp_path / "venv" / "bin" / "atoms-campaigns-mcp")
    env = environment(tmp_path / "state", COLUMNS="200")
    assert run(command, "--version", env=env, cwd=tmp_path).strip() == __version__
    listed = run(command, "tools", env=env, cwd=tmp_path)
    assert all(name in listed for name in NAMES)
    assert lists_tools([command], env, tmp_path) == "Atoms campaigns (sandbox)"


def lists_tools(command: Sequence[str], env: dict[str, str], cwd: Path) -> str:
    """Speak to the server over stdio, and call a tool; give the server's title."""
    with spawned(env=env, command=command, cwd=cwd) as child:
        hello = child.ask(1, "initialize", INITIALIZE)["result"]["serverInfo"]
        child.send("notifications/initialized")
        tools = child.ask(2, "tools/list")["result"]["tools"]
        assert {tool["name"] for tool in tools} == NAMES
        if "sandbox" in hello["title"]:
            call: dict[str, Any] = {"name": "list_phone_numbers", "arguments": {}}
            assert not child.ask(3, "tools/call", call)["result"]["isError"]
    return hello["title"]


def test_uv_runs_a_clone_with_no_package_for_developers(built: Path, tmp_path: Path) -> None:
    assert built.exists()  # the tools are installed
    with tarfile.open(built / f"atoms_campaigns_mcp-{__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    (entry,) = json.loads((folder / "mcp.json").read_text("utf-8"))["mcpServers"].values()
    command = [str(TOOLS / entry["command"]), *entry["args"]]
    env = environment(tmp_path / "state", **entry["env"])
    assert lists_tools(command, env, folder) == "Atoms campaigns (sandbox)"
    assert list(folder.glob(".venv/lib/*/site-packages/phonenumbers"))
    assert not list(folder.glob(".venv/lib/*/site-packages/pytest"))


@pytest.mark.parametrize("program", ["cursor", "vscode:mcp/install"])
def test_a_button_starts_the_sandbox_from_what_is_published(
    built: Path, tmp_path: Path, program: str
) -> None:
    entry = buttons()[program]
    command = [str(TOOLS / entry["command"]), *entry["args"]]
    # The folder stands in for the registry, to which nothing is published yet.
    given = {"UV_FIND_LINKS": str(built), "UV_CACHE_DIR": str(tmp_path / "cache")}
    env = environment(tmp_path / "state", **given, **entry["env"])
    assert lists_tools(command, env, tmp_path) == "Atoms campaigns (sandbox)"


def test_what_is_built_is_of_one_version_and_what_is_left_to_do_is_written(built: Path) -> None:
    if WITHOUT_NODE:
        pytest.skip("without Node.js there is no bundle, and a release is not complete")
    left = (built / "PUBLISHING.md").read_text("utf-8")
    assert f"has version {__version__}" in left
    named = re.findall(r"[\w.-]+\.(?:whl|tar\.gz|mcpb)\b", left)
    assert {path.name for path in built.iterdir()} == {*named, "PUBLISHING.md"}


def test_another_version_anywhere_ends_the_release(built: Path, tmp_path: Path) -> None:
    if WITHOUT_NODE:
        pytest.skip("without Node.js there is no bundle, and a release is not complete")
    for path in built.iterdir():
        shutil.copy(path, tmp_path)
    with zipfile.ZipFile(tmp_path / "atoms-campaigns.mcpb", "w") as bundle:
        bundle.writestr("manifest.json", '{"version": "0.0.9"}')
    (tmp_path / "PUBLISHING.md").unlink()
    said = run(sys.executable, ROOT / "scripts" / "publishing.py", tmp_path, status=1)
    assert "atoms-campaigns.mcpb" in said
    assert "0.0.9" in said
    assert not (tmp_path / "PUBLISHING.md").exists()


def test_the_registrys_entry_follows_its_schema_and_rules(built: Path, tmp_path: Path) -> None:
    assert built.exists()  # the tools are installed
    shutil.copy(ROOT / "server.json", tmp_path)
    assert "mcp-registry" in run(TOOLS / "skillsaw", "lint", tmp_path)
    broken = json.loads((ROOT / "server.json").read_text("utf-8"))
    del broken["packages"][0]["transport"]
    (tmp_path / "server.json").write_text(json.dumps(broken))
    refused = subprocess.run(
        [TOOLS / "skillsaw", "lint", tmp_path], capture_output=True, check=False
    )
    assert refused.returncode != 0


def test_the_container_file_is_sound(built: Path) -> None:
    assert built.exists()  # the tools are installed
    assert run(TOOLS / "hadolint", ROOT / "Containerfile") == ""


CONFIGURED = """
const { getMcpConfigForManifest } = await import(process.argv[1]);
const manifest = JSON.parse(process.argv[2]);
const options = { manifest, extensionPath: process.argv[3], systemDirs: {}, pathSeparator: "/" };
const userConfig = JSON.parse(process.argv[4]);
console.log(JSON.stringify(await getMcpConfigForManifest({ ...options, userConfig })));
"""


def configured(folder: Path, **given: Any) -> dict[str, Any]:
    """Have the vendor's own library say how a host starts the bundle that it unpacked there."""
    library = ROOT / ".cache/mcpb-2.1.2/node_modules/@anthropic-ai/mcpb/dist/index.js"
    manifest = (folder / "manifest.json").read_text("utf-8")
    words = ("--input-type=module", "-e", CONFIGURED, library, manifest, folder, json.dumps(given))
    return json.loads(run("node", *words))


@pytest.mark.skipif(WITHOUT_NODE and os.environ.get("CI") != "true", reason="needs Node.js")
def test_the_bundle_runs_as_a_host_would_run_it(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "extension"
    zipfile.ZipFile(built / "atoms-campaigns.mcpb").extractall(folder)  # noqa: S202 - ours
    titles: list[str] = []
    for given in ({}, {"api_key": "sk_made_up"}):
        start = configured(folder, **given)
        command = [str(TOOLS / start["command"]), *start["args"]]
        env = environment(tmp_path / "state", **start["env"])
        titles.append(lists_tools(command, env, tmp_path))
    assert titles == ["Atoms campaigns (sandbox)", "Atoms campaigns (live)"]
    # uv put there what the package needs, and nothing that only its developers need.
    assert list(folder.glob(".venv/lib/*/site-packages/phonenumbers"))
    assert not list(folder.glob(".venv/lib/*/site-packages/pytest"))
