"""Check that everything in a folder is of one version, and write what a person still has to do."""

import email
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

from project import PACKAGE, REPOSITORY, ROOT, registry_name

from atoms_campaigns_mcp import __version__

EXTENSION = f"atoms-campaigns-plugin-{__version__}"
STEPS = """\
# Publishing {package} {version}

Everything in this folder has version {version}. What a script cannot do, in this order:

1. **Take the names.** They stand in buttons and manifests: whoever owns them decides what starts.
   The repository is {repository}.
   Another one is one line in `pyproject.toml` (`[project.urls]`), then `scripts/generate.py` and
   this again. On PyPI the name is `{package}`.
2. **Commit, tag and push**: `git tag v{version} && git push --follow-tags`. A version that was
   published cannot be replaced.
3. **PyPI**: `uv publish {wheel} {sdist}`.
   From then on the buttons and plugins start.
4. **MCP registry**, as `{registry}`: `mcp-publisher login github`, then `mcp-publisher publish`
   in the repository. It looks for the name in the README that PyPI shows.
5. **GitHub**: a release with `atoms-campaigns.mcpb` and `{extension}.tar.gz`
   (for Gemini CLI, which also wants the topic `gemini-cli-extension`).
6. **Directories**, each with a form and an account of its own: Claude (a privacy policy, and three
   to five pictures of at least 1,000 pixels), Codex, Cursor. The marketplaces in the repository
   work without them.
7. **Press both buttons of the README** on a machine without a key, and see `sandbox` in the answer
   to "Which mode is this?".
"""


def versions(folder: Path) -> dict[str, str]:
    """Return which version each thing has."""
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("atoms_campaigns_mcp-*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        found = {wheel.name: email.message_from_bytes(archive.read(name))["Version"]}
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/PKG-INFO")
        found[sdist.name] = email.message_from_bytes(file.read() if file else b"")["Version"]
    with zipfile.ZipFile(folder / "atoms-campaigns.mcpb") as archive:
        found["atoms-campaigns.mcpb"] = json.loads(archive.read("manifest.json"))["version"]
    manifests = [ROOT / "server.json", *(ROOT / "plugin").rglob("*.json")]
    for path in manifests:
        manifest = json.loads(path.read_text("utf-8"))
        if "version" in manifest:
            found[str(path.relative_to(ROOT))] = manifest["version"]
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    return found | {"CHANGELOG.md": heading[1] if heading else "none"}


def main() -> int:
    """Check, pack the plugin and write the list; 1 if versions differ."""
    folder = Path(sys.argv[1])
    found = versions(folder)
    if others := {name: version for name, version in found.items() if version != __version__}:
        print(f"The version is {__version__}, but not everywhere: {others}", file=sys.stderr)
        return 1
    with tarfile.open(folder / f"{EXTENSION}.tar.gz", "w:gz") as archive:
        archive.add(ROOT / "plugin", arcname=".")
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("atoms_campaigns_mcp-*.tar.gz")
    text = STEPS.format(
        package=PACKAGE,
        version=__version__,
        repository=REPOSITORY,
        registry=registry_name(),
        wheel=wheel.name,
        sdist=sdist.name,
        extension=EXTENSION,
    )
    (folder / "PUBLISHING.md").write_text(text, "utf-8")
    print(f"{len(found)} things have version {__version__}. Next: {folder}/PUBLISHING.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
