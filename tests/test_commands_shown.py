"""What people paste: uv installs no more than it must, and Windows finds every command."""

import re
import shlex
import sysconfig
import tomllib
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.parser import parser

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PAGES = {p.name: p.read_text("utf-8") for p in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
WINDOWS = re.compile(r"py -|\S*\\Scripts\\")


def typed() -> list[str]:
    """Give every span of code, and every line of a block of commands."""
    spans: list[str] = []
    for text in PAGES.values():
        outside, *blocks = re.split(r"^```", text, flags=re.MULTILINE)
        for block, after in zip(blocks[::2], blocks[1::2], strict=True):
            if re.match("(sh|bat)\n", block):
                spans += block.replace("\\\n", " ").splitlines()
            outside += after
        spans += re.findall(r"`([^`\n]+)`", outside)
    return [span.partition("  #")[0].strip() for span in spans]


def test_uv_installs_nothing_for_developers_unless_it_is_told_to() -> None:
    assert PROJECT["tool"]["uv"]["default-groups"] == []
    lines = [line for line in typed() if re.match(r"uv (run|sync) ", line)]
    assert len(lines) >= 3
    for line in lines:
        groups = set(re.findall(r"--group (\w+)", line))
        assert groups == ({"dev"} if "pytest" in line else set()), line


def test_whoever_installs_by_pip_is_told_how_uv_does_it() -> None:
    for name, text in PAGES.items():
        for section in re.split(r"^#+ ", text, flags=re.MULTILINE):
            for package in re.findall(r"(?<!uv )\bpip install (?:-e )?'?([^`'\s]+)", section):
                found = re.escape(package)
                uv = "uv run atoms" if package == "." else f"uv (pip install|run --with) '?{found}"
                assert re.search(uv, section), (name, package)


@pytest.mark.parametrize("line", sorted({line for line in typed() if WINDOWS.match(line)}))
def test_a_command_for_windows_is_where_windows_puts_it(line: str) -> None:
    program, *words = shlex.split(line, posix=False)
    folder = re.search(r"-m venv (\S+)", "\n".join(typed()))
    assert folder
    if program == "py":
        assert words == ["-3", "-m", "venv", folder[1]]
        return
    scripts = sysconfig.get_path("scripts", "nt_venv", vars={"base": folder[1]})
    place, _, name = program.rpartition("\\")
    assert place == scripts.replace("/", "\\")
    assert name in {"activate", "python", "pip", *PROJECT["project"]["scripts"]}
    if name in PROJECT["project"]["scripts"]:
        parser().parse_args(words)
    if name == "pip":
        assert words == ["install", "-e", "."]  # the folder that it stands in: ours


def test_windows_gets_from_a_clone_to_the_demonstration() -> None:
    lines = [line for line in typed() if WINDOWS.match(line)]
    kinds = [line.rpartition("\\")[2].split()[0] for line in lines]
    assert kinds[:3] == ["py", "pip", "atoms-campaigns-mcp"]
