"""The report in its three forms, and the exit status."""

import io
import json
from pathlib import Path

from atoms_campaigns_mcp.cli.doctor.check import failed, ok, warning
from atoms_campaigns_mcp.cli.doctor.command import run
from atoms_campaigns_mcp.cli.doctor.report import show
from tests.cli.doctor.examining import patient
from tests.support.bench import Bench

CHECKS = [
    ok("python", "3.11.2"),
    warning("clock", "60 s behind.", "Have it set."),
    failed("key", "Not\naccepted [red].", "Copy [bold]another."),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, *, as_json: bool = False) -> str:
    show(CHECKS, out, as_json=as_json)
    return out.getvalue()


def test_a_pipe_gets_one_line_a_check_with_what_to_do() -> None:
    assert shown(io.StringIO()).splitlines() == [
        "ok       python: 3.11.2",
        "warning  clock: 60 s behind. To do: Have it set.",
        "failed   key: Not accepted [red]. To do: Copy [bold]another.",
    ]


def test_a_terminal_gets_a_table_in_which_nothing_is_taken_for_markup() -> None:
    text = shown(Terminal())
    assert "what to do" in text
    assert "[red]" in text
    assert "[bold]another" in text


def test_a_program_gets_json() -> None:
    report = json.loads(shown(Terminal(), as_json=True))
    assert report["ok"] is False
    assert report["checks"][1] == {
        "name": "clock",
        "status": "warning",
        "text": "60 s behind.",
        "fix": "Have it set.",
    }


def test_the_exit_status_is_0_unless_something_failed(tmp_path: Path, bench: Bench) -> None:
    out = io.StringIO()
    assert run({}, patient(tmp_path, bench), out, as_json=False) == 0
    (tmp_path / "state" / "secret").chmod(0o644)
    assert run({}, patient(tmp_path, bench), out, as_json=False) == 1


def test_a_path_is_folded_and_no_part_of_it_is_lost() -> None:
    path = "/srv/" + "a-very-long-name-of-a-folder/" * 5 + "state"
    out = Terminal()
    show([failed("state", path, f"chmod 700 {path}")], out, as_json=False)
    assert "\u2026" not in out.getvalue()
    cells = [line.split("\u2502") for line in out.getvalue().splitlines() if "\u2502" in line]
    assert "".join(cell[3].strip() for cell in cells) == path
