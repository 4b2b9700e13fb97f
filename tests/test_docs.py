"""The documents cannot lie: what they show is generated or tried."""

import json
import re
import subprocess
import sys
from pathlib import Path

from atoms_campaigns_mcp.server.catalog import Catalog
from atoms_campaigns_mcp.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_generated_files_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_readme_names_every_tool_and_setting() -> None:
    assert all(f"`{name}`" in README for name in Catalog.read().entries)
    assert all(f"`{row.variable}`" in README for row in SETTINGS)


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
