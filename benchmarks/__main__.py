"""Measures every budget and prints a table; see --help."""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    calls,
    catalogue,
    far_away,
    flight,
    other,
    preview,
    sandbox,
    startup,
    tenants,
    watchers,
)
from benchmarks.figures import TINY, Row, Scale, machine, table
from benchmarks.upstream import answering

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
LONGEST_SUITE = 240  # seconds


def main() -> None:
    args = _parser().parse_args()
    scale = TINY if args.tiny else Scale()
    report = measured(scale, args)
    print(report)
    if args.write:
        block = r"(<!-- measured -->\n).*?(<!-- /measured -->)"
        text = PAGE.read_text("utf-8")
        filled = re.sub(block, lambda m: f"{m[1]}{report}\n{m[2]}", text, flags=re.DOTALL)
        PAGE.write_text(filled, "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure every budget.")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    parser.add_argument("--suite", action="store_true", help="time ./scripts/test, too")
    parser.add_argument("--tiny", action="store_true", help="see whether it works; judges nothing")
    parser.add_argument("--other", metavar="COMMAND", help="another MCP server for the same API")
    parser.add_argument(
        "--other-tool", metavar="NAME", default="get_audiences", help="what lists its audiences"
    )
    return parser


def measured(scale: Scale, args: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory() as state, answering() as url:
        rows = [
            *startup.measure(scale, state),
            *calls.measure(scale, state, url),
            *flight.measure(scale, state, url),
            *tenants.measure(scale, state, url),
            *catalogue.measure(state),
            *preview.measure(scale),
            *watchers.measure(scale),
            *sandbox.measure(scale),
            *(suite() if args.suite else []),
        ]
        beside = [far_away.measure(scale)]
        if args.other:
            beside.append(other.measure(scale, state, url, args.other, args.other_tool))
    parts = [f"{datetime.now(UTC):%Y-%m-%d}; {machine()}.", table(rows), *beside]
    if not scale.full:
        parts.insert(0, "TINY: this shows that the measurements work, and nothing else.")
    return "\n\n".join(parts)


def suite() -> list[Row]:
    begun = time.perf_counter()
    done = subprocess.run([ROOT / "scripts" / "test", "-q"], stdout=subprocess.DEVNULL, check=False)
    taken = time.perf_counter() - begun
    budget = f"{LONGEST_SUITE // 60} min"
    met = done.returncode == 0 and taken <= LONGEST_SUITE
    return [Row("`./scripts/test`", budget, f"{taken:.0f} s", met)]


if __name__ == "__main__":
    sys.exit(main())
