"""Shells ask which words may come next; they get those of the parser and of the catalogue."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.cli import completion
from atoms_campaigns_mcp.cli.start import main
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.process import OURS, environment


def completed(folder: Path, line: str) -> set[str]:
    """What a shell is told at the end of a line, in argcomplete's own protocol."""
    answers = folder / "answers"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([*OURS], env=environment(folder, **asked), timeout=60, check=True)
    return {word.strip() for word in answers.read_text("utf-8").splitlines()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", {"serve", "call", "sandbox", "completion"}),
        ("sandbox ", {"serve", "reset"}),
        ("install c", {"claude-desktop", "claude-code", "cursor", "codex"}),
        ("call list_au", {"list_audiences"}),
        ("call list_agents --max-co", {"--max-contacts"}),
        ("call list_agents --confirm h", {"human"}),
        ("call list_agents li", {"limit="}),
        ("tools start_c", {"start_campaign"}),
    ],
)
def test_a_word_is_completed_to_those_that_may_stand_there(
    line: str, wanted: set[str], tmp_path: Path
) -> None:
    found = completed(tmp_path, f"{NAME} {line}")
    assert wanted <= found
    if line.split()[-1:] and not line.endswith(" "):
        assert found == wanted


def test_arguments_of_a_tool_that_are_given_are_not_offered_again(tmp_path: Path) -> None:
    found = completed(tmp_path, f"{NAME} call pause_campaign campaign_id=all ")
    arguments = Catalog.read().entries["pause_campaign"].arguments
    assert {f"{name}=" for name in arguments} - found == {"campaign_id="}


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_code_for_a_shell_asks_this_program(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert ended.value.code == 0
    assert NAME in capsys.readouterr().out


def test_without_the_package_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(_: str) -> None:
        """Find no package."""

    monkeypatch.setattr(completion, "find_spec", nothing)
    with pytest.raises(SystemExit) as ended:
        main(["completion", "bash"])
    assert ended.value.code == 2
    assert f"{NAME}[completion]" in capsys.readouterr().err
    assert completion.answer() == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_the_printed_code(tmp_path: Path) -> None:
    script = tmp_path / NAME
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m atoms_campaigns_mcp "$@"\n')
    script.chmod(0o755)
    words = [NAME, "call", "list_ag"]
    line = " ".join(words)
    bash = f"""
        PATH={tmp_path}:$PATH
        eval "$({NAME} completion bash)"
        COMP_WORDS=({line}) COMP_CWORD=2 COMP_LINE={json.dumps(line)} COMP_POINT={len(line)}
        COMP_TYPE=9 COMP_KEY=9
        $(complete -p {NAME} | sed 's/.* -F \\([^ ]*\\) .*/\\1/') {NAME} {words[2]} {words[1]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", bash],  # noqa: S607
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["list_agents"]
