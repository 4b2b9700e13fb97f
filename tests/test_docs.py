"""The documents cannot lie: what they show is generated or tried."""

import json
import re
import subprocess
import sys
from pathlib import Path

from atoms_campaigns_mcp.cli import parser
from atoms_campaigns_mcp.server.catalog import Catalog
from atoms_campaigns_mcp.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def test_generated_files_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_tool_argument_setting_and_command_is_documented() -> None:
    tools, configuration = page("tools"), page("configuration")
    for name, entry in Catalog.read().entries.items():
        assert f"`{name}`" in README
        section = tools.split(f"## {name}\n")[1].split("\n## ")[0]
        assert all(f"| `{a}`" in section for a in entry["tool"]["inputSchema"]["properties"])
    assert all(f"`{row.variable}`" in configuration for row in SETTINGS)
    (commands,) = (a for a in parser()._actions if a.choices)  # noqa: SLF001
    assert all(f"| `{command}" in configuration for command in commands.choices or ())


def test_every_page_is_reached_from_the_readme_and_no_link_is_dead() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {name for name in pages if f"docs/{name}" in README} == pages
    for text, folder in [(README, ROOT), *((page(n[:-3]), ROOT / "docs") for n in pages)]:
        links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)
        assert [link for link in links if not (folder / link).exists()] == []


def test_the_readmes_configurations_are_json_that_starts_the_command() -> None:
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]
    assert len(blocks) == 2
    for block in blocks:
        (entry,) = (block.get("mcpServers") or block["servers"]).values()
        assert entry["args"][-1] == "atoms-campaigns-mcp"


def test_the_readmes_pictures_exist_describe_themselves_and_are_modest() -> None:
    pictures = set(re.findall(r"docs/images/[\w.-]+", README))
    assert pictures == {f"docs/images/{path.name}" for path in (ROOT / "docs/images").iterdir()}
    assert all((ROOT / picture).stat().st_size < 150_000 for picture in pictures)
    assert all('alt="' in image for image in re.findall(r"<img [^>]*>", README))


def test_every_path_of_the_layout_exists() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", README.split("## Layout")[1], re.MULTILINE)
    paths = [path for row in rows for path in re.findall(r"`([^`]+)`", row)]
    assert len(paths) > 8
    assert all((ROOT / path).exists() for path in paths)
