"""Record a real run of `demo` in a terminal, as an animated picture of about 30 seconds.

Pyte, a terminal in memory, turns what the program writes into screens. The screens stand one below
the other in the picture, which moves from each to the next; a row that several have is drawn once.
"""

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pyte

IMAGE = Path(__file__).parent.parent / "docs" / "images" / "demo.svg"
COLUMNS, LINES = 96, 26
LENGTH = 30.0  # seconds that the picture takes
LONGEST = 1.5  # seconds that one screen may stand before the length is fitted
OFTEN = 0.3  # seconds between screens, at least
WIDE, HIGH, SIZE = 8.43, 18, 14  # of a character
COLORS = {
    "default": "#d8dee9",
    "black": "#4c566a",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#ffffff",
}
Row = tuple[tuple[str, str, bool], ...]  # runs of text with a color, and whether they are bold


@dataclass(frozen=True)
class Screen:
    """What was seen from a moment on, in seconds."""

    since: float
    rows: tuple[Row, ...]


def screens(words: list[str]) -> Iterator[Screen]:
    """Run a program in a terminal, and yield each screen that stood for a while."""
    terminal = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(terminal)
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    env = {**os.environ, **size, "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)  # noqa: S603
    os.close(theirs)
    begun, shown = time.monotonic(), 0.0
    while data := _read(ours):
        for part in _parts(data):
            stream.feed(part)
            # What comes at once is shown line after line: else nobody could read along.
            shown = max(time.monotonic() - begun, shown + OFTEN)
            yield Screen(shown, _rows(terminal))
    if child.wait() != 0:
        sys.exit("The demonstration failed, so there is nothing to show.")


def _parts(data: bytes) -> list[bytes]:
    """Split what was written into pairs of lines, unless it draws over what is there."""
    if b"\x1b[" in data and re.search(rb"\x1b\[\d*A", data):
        return [data]
    lines = data.splitlines(keepends=True)
    return [b"".join(lines[n : n + 2]) for n in range(0, len(lines), 2)]


def _read(file: int) -> bytes:
    try:
        return os.read(file, 65536)
    except OSError:  # Linux says so when the program has ended
        return b""


def _rows(terminal: Any) -> tuple[Row, ...]:
    return tuple(_row([terminal.buffer[y][x] for x in range(COLUMNS)]) for y in range(LINES))


def _row(cells: list[Any]) -> Row:
    styled = groupby(cells, key=lambda cell: (cell.fg, cell.bold))
    runs = [("".join(c.data for c in group), _color(fg), bold) for (fg, bold), group in styled]
    return () if not "".join(text for text, _, _ in runs).strip() else tuple(runs)


def _color(name: str) -> str:
    return COLORS.get(name.removeprefix("bright"), f"#{name}" if len(name) == 6 else "#d8dee9")  # noqa: PLR2004


def picture(seen: list[Screen]) -> str:
    """Return the animated SVG; for who wants no motion, the last screen."""
    stood = [min(b.since - a.since, LONGEST) for a, b in pairwise(seen)] + [3.0]
    scale = LENGTH / sum(stood)
    width, height = COLUMNS * WIDE + 24, LINES * HIGH + 24
    moves, at = list[str](), 0.0
    for number, seconds in enumerate(stood):
        moves.append(f"{at * scale / LENGTH:.3%}{{transform:translateY(-{number * height}px)}}")
        at += seconds
    last = (len(seen) - 1) * height
    names: dict[Row, str] = {}
    strip = "".join(
        f'<use href="#{names.setdefault(row, f"r{len(names)}")}" y="{n * height + y * HIGH + 26}"/>'
        for n, screen in enumerate(seen)
        for y, row in enumerate(screen.rows)
        if row
    )
    rows = "".join(f'<text id="{name}">{_drawn(row)}</text>' for row, name in names.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}">'
        "<title>A campaign in the sandbox, from the plan to the end, on the terminal</title><style>"
        f"@keyframes film{{{''.join(moves)}100%{{transform:translateY(-{last}px)}}}}"
        f"#film{{animation:film {LENGTH:.0f}s step-end infinite}}"
        "@media(prefers-reduced-motion:reduce){#film{animation:none;"
        f"transform:translateY(-{last}px)}}}}"
        f"text{{font:{SIZE}px ui-monospace,Menlo,Consolas,monospace;white-space:pre}}"
        f'</style><defs>{rows}</defs><rect width="100%" height="100%" rx="10" fill="#12171f"/>'
        f'<g id="film">{strip}</g></svg>\n'
    )


def _drawn(row: Row) -> str:
    drawn, column = "", 0
    for text, color, bold in row:
        if text.strip():
            weight = ' font-weight="700"' if bold else ""
            shown = text.rstrip()
            place = f'x="{12 + column * WIDE:.1f}" textLength="{len(shown) * WIDE:.1f}"'
            drawn += f'<tspan {place} fill="{color}"{weight}>{escape(shown)}</tspan>'
        column += len(text)
    return drawn


if __name__ == "__main__":
    found = list(screens([sys.executable, "-m", "atoms_campaigns_mcp", "demo"]))
    IMAGE.write_text(picture(found), "utf-8")
    print(f"{len(found)} screens, {found[-1].since:.0f} s, {IMAGE.stat().st_size:,} bytes")
