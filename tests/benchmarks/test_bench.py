"""The measurements work; what they measure is judged where nothing else runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import (
    calls,
    catalogue,
    far_away,
    flight,
    preview,
    sandbox,
    startup,
    tenants,
    watchers,
)
from benchmarks.__main__ import main
from benchmarks.figures import Row, alternate, ratio, table
from tests.support.process import environment

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "performance.md").read_text("utf-8")


def rows_of(markdown: str) -> set[str]:
    """Return what is measured, whatever the numbers and the size of the measurement."""
    rows = re.findall(r"^\| (.+?) \|", markdown, re.MULTILINE)
    return {re.sub(r"[\d,]+", "#", row) for row in rows}


@pytest.mark.slow
def test_the_budgets_of_the_page_are_measured_by_one_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny"],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "TINY" in done.stdout
    assert "TINY" not in PAGE
    budgets = PAGE.partition("| this server |")[0]
    optional = {"`./scripts/test`"}
    assert rows_of(budgets) - optional == rows_of(done.stdout)


def nothing(*_: object) -> list[Row]:
    return []


def nothing_beside(_: object) -> str:
    return ""


@pytest.mark.slow
def test_another_server_is_measured_beside_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for budget in (startup, calls, flight, tenants, catalogue, preview, watchers, sandbox):
        monkeypatch.setattr(budget, "measure", nothing)  # the test above measures it
    monkeypatch.setattr(far_away, "measure", nothing_beside)
    command = f"{sys.executable} -m atoms_campaigns_mcp"
    words = ["--tiny", "--other", command, "--other-tool", "list_audiences"]
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    main()
    beside = rows_of(PAGE[PAGE.index("| what | this server |") :])
    assert len(beside) > 4
    assert beside <= rows_of(capsys.readouterr().out)


def test_what_is_compared_is_measured_in_turns() -> None:
    order: list[str] = []

    def note(name: str) -> float:
        order.append(name)
        return float(len(order))

    first, second = alternate([lambda: note("a"), lambda: note("b")], 2)
    assert order == ["a", "b", "a", "b"]
    assert (first, second) == ([1.0, 3.0], [2.0, 4.0])
    assert ratio(first, second) == 0.625


def test_a_missed_budget_stands_out() -> None:
    text = table([Row("a", "1 s", "2 s", met=False), Row("b", "", "3 s")])
    assert "| a | 1 s | 2 s | **no** |" in text
    assert "| b |  | 3 s |  |" in text
