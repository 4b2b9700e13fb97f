"""A command that a message names works when it is typed."""

from pathlib import Path

import pytest

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.cli.invocation import command

PYTHON = "/opt/atoms/bin/python3"


def nothing(_: str) -> None:
    """A shell that finds no command."""


def test_a_script_that_no_shell_finds_is_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / ".venv" / "bin" / NAME
    assert command(f".venv/bin/{NAME}", PYTHON, nothing, "linux") == str(script)


def test_a_script_that_the_shell_finds_is_named_as_it_is() -> None:
    assert command(f"/opt/bin/{NAME}", PYTHON, lambda _: f"/opt/bin/{NAME}", "linux") == NAME


def test_another_installation_on_the_path_is_not_mistaken_for_this_one() -> None:
    called = f"/opt/bin/{NAME}"
    assert command(called, PYTHON, lambda _: f"/usr/bin/{NAME}", "linux") == called


def test_a_module_is_started_again_by_its_python() -> None:
    called = "/opt/atoms/lib/atoms_campaigns_mcp/__main__.py"
    assert command(called, PYTHON, nothing, "linux") == f"{PYTHON} -m atoms_campaigns_mcp"


@pytest.mark.parametrize(("platform", "quote"), [("linux", "'"), ("win32", '"')])
def test_a_path_with_a_space_is_quoted_as_its_shell_wants(platform: str, quote: str) -> None:
    called = str(Path("/my programs", NAME))
    assert command(called, PYTHON, nothing, platform) == f"{quote}{called}{quote}"
