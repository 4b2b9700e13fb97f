"""The repository holds what the project wrote, and nothing that a tool left behind."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LARGEST = 256 * 1024  # bytes; the largest picture has 130 KB
PICTURES = {".png", ".svg"}
LEFT_BEHIND = {"uv.lock", "package-lock.json", "poetry.lock", "Pipfile.lock"}
LONGEST_FUNCTION, LONGEST_MODULE = 40, 400  # lines
MACHINE_PATH = re.compile(
    rb"(?<![\w.])/(?:root|Users/\w+|home/\w+)/|registry\.npmjs\.org|pypi\.org/simple"
)


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).exists()]


def test_no_tracked_file_is_large_or_a_lock_file(tracked: list[Path]) -> None:
    assert [str(p) for p in tracked if p.stat().st_size > LARGEST] == []
    assert [str(p) for p in tracked if p.name in LEFT_BEHIND] == []


def test_every_tracked_file_is_text_or_a_picture(tracked: list[Path]) -> None:
    assert [str(p) for p in tracked if p.suffix not in PICTURES and b"\0" in p.read_bytes()] == []


def test_no_tracked_file_names_a_machine_or_a_registry(tracked: list[Path]) -> None:
    here = Path(__file__)
    assert [str(p) for p in tracked if p != here and MACHINE_PATH.search(p.read_bytes())] == []


def test_no_function_and_no_module_of_the_package_is_long(tracked: list[Path]) -> None:
    modules = [
        p for p in tracked if p.suffix == ".py" and ROOT / "atoms_campaigns_mcp" in p.parents
    ]
    long = [str(p) for p in modules if len(p.read_text("utf-8").splitlines()) > LONGEST_MODULE]
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{path}: {node.name}"] if lines > LONGEST_FUNCTION else []
    assert long == []
