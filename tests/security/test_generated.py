"""What is derived from the code follows it: a new tool, a new setting, a range that changes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.schemas import arguments
from atoms_campaigns_mcp.server.instructions import instructions
from atoms_campaigns_mcp.server.mcp import guide
from atoms_campaigns_mcp.tool_calls.catalog import span
from tests.support.process import environment

ROOT = Path(__file__).parents[2]
PARTS = (
    "atoms_campaigns_mcp",
    "scripts",
    "docs",
    "bundle",
    "tests/hosts",
    "README.md",
    "plugin",
    "pyproject.toml",
    "server.json",
)
TOOL = '''\
from atoms_campaigns_mcp.schemas.arguments import PageArgs
from atoms_campaigns_mcp.schemas.agents import AgentPage
from atoms_campaigns_mcp.toolkit.tool import Effect, ToolContext, tool


@tool(Effect.READS, title="Count sheep")
async def run(args: PageArgs, ctx: ToolContext) -> AgentPage:
    """Count sheep. Wakes nobody."""
    return AgentPage(agents=[], page=args.page)
'''
SETTING = """\
    max_sheep: int = _setting("most sheep of one night", read.count, "99", narrow=LOWER)
"""


ROW = "    max_running: int | None = _setting("
PAGES = ("README.md", "docs/tools.md", "bundle/manifest.json")


def run(copy: Path, *words: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**environment(copy / "home", **variables), "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def generate(copy: Path, *flags: str) -> str:
    return run(copy, "scripts/generate.py", *flags)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "images")
            shutil.copytree(source, tmp_path / part, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / part)
    return tmp_path


@pytest.mark.slow
def test_a_new_tool_is_one_file_and_everything_else_follows(copy: Path) -> None:
    (copy / "atoms_campaigns_mcp" / "tools" / "count_sheep.py").write_text(TOOL, "utf-8")
    assert "out of date" in generate(copy, "--check")
    generate(copy)
    assert generate(copy, "--check") == ""
    snapshot = (copy / "atoms_campaigns_mcp" / "tool_calls" / "catalog.json").read_text("utf-8")
    assert "count_sheep" in json.loads(snapshot)
    for page in PAGES:
        assert "count_sheep" in (copy / page).read_text("utf-8"), page
    said = run(copy, "-m", "atoms_campaigns_mcp", "call", "count_sheep", "page=2", "--json")
    assert json.loads(said)["page"] == 2


@pytest.mark.slow
def test_a_new_setting_is_one_field_and_everything_else_follows(copy: Path) -> None:
    settings = copy / "atoms_campaigns_mcp" / "config" / "settings.py"
    text = settings.read_text("utf-8")
    assert text.count(ROW) == 1
    settings.write_text(text.replace(ROW, SETTING + ROW), "utf-8")
    generate(copy)
    for page in ("docs/configuration.md", "server.json"):
        assert "ATOMS_MCP_MAX_SHEEP" in (copy / page).read_text("utf-8"), page
    words = ("-m", "atoms_campaigns_mcp", "call", "get_account", "--max-sheep", "7")
    assert "max_sheep = 7 (command line)" in run(copy, *words)


@pytest.mark.parametrize("argument", ["max_retries", "retry_delay"])
def test_instructions_and_guide_tell_the_ranges_of_the_arguments(argument: str) -> None:
    rule = arguments.CreateCampaignArgs.model_json_schema()["properties"][argument]
    told = f"{rule['minimum']}-{rule['maximum']}"
    assert span("create_campaign", argument) == told
    assert f"{argument} ({told})" in instructions(Settings(api_key="sk"))
    assert f"`{argument}` {told}" in guide.text()
