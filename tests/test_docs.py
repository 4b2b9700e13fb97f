"""The documents cannot lie: what they show is generated or tried."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.parser import parser
from atoms_campaigns_mcp.config.settings import SETTINGS
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.bench import Bench
from tests.support.process import environment

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
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
        assert all(f"| `{a}`" in section for a in entry.tool["inputSchema"]["properties"])
    assert all(f"`{row.variable}`" in configuration for row in SETTINGS)
    (commands,) = (a for a in parser()._actions if a.choices)  # noqa: SLF001
    assert all(f"| `{command}" in configuration for command in commands.choices or ())


def test_every_page_is_reached_from_the_readme_and_no_link_is_dead() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {name for name in pages if f"docs/{name}" in README} == pages
    for text, folder in [(README, ROOT), *((page(n[:-3]), ROOT / "docs") for n in pages)]:
        links = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)
        assert [link for link in links if not (folder / link).exists()] == []


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## What a change touches")[1]
    named = set(re.findall(r"`([\w./]+\.\w+)`", table.split("\n\n")[1]))
    assert len(named) > 20
    outside = ("tests/", "scripts/", "plugin/")
    placed = {
        name: ROOT / name if name.startswith(outside) else ROOT / "atoms_campaigns_mcp" / name
        for name in named
        if "NAME" not in name
    }
    assert [name for name, path in placed.items() if not path.exists()] == []


def test_the_configurations_that_are_shown_are_json_that_starts_the_command() -> None:
    found = [json.loads(block) for block in blocks("json", page("clients"))]
    assert len(found) == 2
    for block in found:
        (entry,) = (block.get("mcpServers") or block["servers"]).values()
        assert entry["args"][-1] == "atoms-campaigns-mcp"


COMMAND = re.compile(r"^atoms-campaigns-mcp ", re.MULTILINE)


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform == "win32", reason="the examples are for sh, and ask on a terminal"
)
def test_the_examples_work_one_after_another_as_they_stand(tmp_path: Path) -> None:
    (script,) = (text for text in blocks("sh", page("command-line")) if "create_campaign" in text)
    assert len(COMMAND.findall(script)) == 6
    env = environment(tmp_path, ATOMS_MCP_SANDBOX_SPEED="max")
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    terminal, person = os.openpty()
    os.write(terminal, b"yes\n")
    done = subprocess.run(
        ["sh", "-eu", "-c", script],  # noqa: S607
        env=env,
        stdin=person,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(person)
    os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert "Start campaign" in done.stderr
    assert "\nfinished, 2 of 2 called" in done.stdout
    assert [row.split("\t")[3] for row in done.stdout.splitlines()[-2:]] == [
        "start_campaign",
        "create_campaign",
    ]


@pytest.mark.slow
def test_every_command_that_is_shown_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    shown = blocks("sh") + blocks("sh", page("command-line"))
    lines = [line for text in shown for line in text.splitlines() if COMMAND.match(line)]
    assert len(lines) > 10
    for line in lines:
        words = line.partition("#")[0].rstrip("\\ ").split()[1:]
        if words and words[0] != "call":  # a call may go on with another line
            parser().parse_args(words)
    assert capsys.readouterr().err == ""


@pytest.mark.anyio
async def test_the_readmes_list_of_contacts_becomes_an_audience(bench: Bench) -> None:
    (contacts,) = blocks("csv")
    async with bench.client() as client:
        made = await client.call("create_audience", name="List", csv=contacts)
    assert (made["contacts"], made.get("rejected_rows", 0)) == (2, 0)


def test_the_readme_tells_the_conversation_before_anything_else_and_has_prompts_to_paste() -> None:
    headings = re.findall(r"^## (.+)", README, re.MULTILINE)
    assert headings[:2] == ["A conversation", "Try it"]
    story = README.split("<!-- conversation -->")[1].split("<!-- /conversation -->")[0]
    # A list, a plan that leaves somebody out, a yes, the live page and a report, in this order.
    steps = (
        "our list",
        "do-not-call list",
        "Start campaign",
        "ticks",
        "monitor",
        "people answered",
    )
    places = [story.index(step) for step in steps]
    assert places == sorted(places)
    (prompts,) = blocks("text")
    assert len(prompts.splitlines()) == 5


def test_the_recording_is_of_half_a_minute_and_stands_still_for_who_wants_no_motion() -> None:
    drawn = (ROOT / "docs" / "images" / "demo.svg").read_text("utf-8")
    assert "animation:film 30s" in drawn
    assert "prefers-reduced-motion" in drawn
    assert drawn.count("translateY") > 20
    assert "Every step did what it should" in re.sub("<[^>]+>", "", drawn)


def test_the_readmes_pictures_exist_describe_themselves_and_are_modest() -> None:
    pictures = set(re.findall(r"docs/images/[\w.-]+", README))
    assert pictures == {f"docs/images/{path.name}" for path in (ROOT / "docs/images").iterdir()}
    assert all((ROOT / picture).stat().st_size < 150_000 for picture in pictures)
    assert all('alt="' in image for image in re.findall(r"<img [^>]*>", README))


NO_ENGLISH = re.compile(
    r"up to 1 times|Note: warn:|belongs into|Beside tools|speaks? (against|for waiting)"
    r"|\bmended\b|could not be heard"
)


def test_no_page_or_message_holds_words_that_readers_stumbled_over() -> None:
    suffixes = {".py", ".md", ".json", ".html"}
    texts = [p for p in (ROOT / "atoms_campaigns_mcp").rglob("*") if p.suffix in suffixes]
    texts += [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "plugin").rglob("*.md")]
    assert len(texts) > 100
    found = {str(p.relative_to(ROOT)): NO_ENGLISH.findall(p.read_text("utf-8")) for p in texts}
    assert {name: words for name, words in found.items() if words} == {}


def test_every_path_of_the_layout_exists() -> None:
    table, beside = README.split("## Layout")[1].split("\nBeside it:")
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    package = [path for row in rows for path in re.findall(r"`([^`]+)`", row)]
    folders = {
        p.name for p in (ROOT / "atoms_campaigns_mcp").iterdir() if (p / "__init__.py").exists()
    }
    assert {path.rstrip("/") for path in package} == folders
    assert all((ROOT / path).exists() for path in re.findall(r"`([^`]+)`", beside))
