"""What is derived from the code follows it: a new tool, and a range that changes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.schemas import arguments
from atoms_campaigns_mcp.server.mcp import guide
from atoms_campaigns_mcp.server.mcp.server import instructions
from atoms_campaigns_mcp.tool_calls.catalog import span

ROOT = Path(__file__).parents[2]
PARTS = ("atoms_campaigns_mcp", "scripts", "docs", "bundle", "README.md", "server.json")
TOOL = '''\
from atoms_campaigns_mcp.schemas.arguments import PageArgs
from atoms_campaigns_mcp.schemas.agents import AgentPage
from atoms_campaigns_mcp.toolkit.tool import Effect, ToolContext, tool


@tool(Effect.READS, title="Count sheep")
async def run(args: PageArgs, ctx: ToolContext) -> AgentPage:
    """Count sheep. Wakes nobody."""
    raise NotImplementedError
'''


def generate(copy: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "scripts/generate.py", *flags],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_a_new_tool_reaches_everything_that_is_derived_in_one_run(tmp_path: Path) -> None:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "images")
            shutil.copytree(source, tmp_path / part, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / part)
    (tmp_path / "atoms_campaigns_mcp" / "tools" / "count_sheep.py").write_text(TOOL, "utf-8")
    assert "out of date" in generate(tmp_path, "--check")
    generate(tmp_path)
    assert generate(tmp_path, "--check") == ""
    snapshot = (tmp_path / "atoms_campaigns_mcp" / "tool_calls" / "catalog.json").read_text("utf-8")
    assert "count_sheep" in json.loads(snapshot)
    for page in ("README.md", "docs/tools.md", "bundle/manifest.json"):
        assert "count_sheep" in (tmp_path / page).read_text("utf-8"), page


@pytest.mark.parametrize("argument", ["max_retries", "retry_delay"])
def test_instructions_and_guide_tell_the_ranges_of_the_arguments(argument: str) -> None:
    rule = arguments.CreateCampaignArgs.model_json_schema()["properties"][argument]
    told = f"{rule['minimum']}-{rule['maximum']}"
    assert span("create_campaign", argument) == told
    assert f"{argument} ({told})" in instructions("live")
    assert f"`{argument}` {told}" in guide.text()
