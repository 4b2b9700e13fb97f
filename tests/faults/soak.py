"""The long fault test from the command line; see scripts/soak."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

import anyio

from tests.faults.judge import NEVER
from tests.faults.run import Plan, report, run


def main() -> int:
    """Run, print the table, and fail if something happened that must not."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--lifecycles", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=0.3, help="share of requests with a fault")
    parser.add_argument("--seed", type=int, default=1, help="decides choices, faults and kills")
    parser.add_argument("--at-once", type=int, default=100, help="lifecycles at the same time")
    parser.add_argument("--servers", type=int, default=4, help="server processes")
    parser.add_argument("--kill-every", type=int, default=200, help="changing calls of a server")
    parser.add_argument("--repeats", type=int, default=12, help="tries a step before giving up")
    parser.add_argument("--minutes", type=float, default=60, help="time limit")
    parser.add_argument("--debug", type=int, default=0, metavar="N", help="show N cases of a kind")
    parser.add_argument("--folder", type=Path, help="keep logs, journal and world there")
    args = parser.parse_args()
    plan = Plan(
        lifecycles=args.lifecycles,
        seconds=args.minutes * 60,
        rate=args.rate,
        seed=args.seed,
        at_once=args.at_once,
        servers=args.servers,
        kill_every=args.kill_every,
        repeats=args.repeats,
    )
    with tempfile.TemporaryDirectory(prefix="atoms-soak-") as temporary:
        outcome = anyio.run(partial(run, plan, args.folder or Path(temporary)))
    sys.stdout.writelines(f"{line}\n" for line in report(outcome, args.debug))
    bad = sum(outcome.verdict.count(kind) for kind in NEVER)
    return 1 if bad or not outcome.evidence.completed else 0


if __name__ == "__main__":
    sys.exit(main())
