"""Asks a real account what the API's documentation leaves unknown, with up to three phones.

It places real calls to the numbers given, which must be your own. It asks first, on a terminal.
docs/contract.md says what it does, and what leaves this machine: nothing.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final
from urllib.parse import urlsplit

import anyio

from atoms_campaigns_mcp.cli.start import policies_here
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.contacts.numbers.stored import e164
from atoms_campaigns_mcp.errors import AtomsCampaignsError, ConfigurationError
from tests.probe.preparing import LISTED, Wish, check
from tests.probe.run import Keep, Run, probe
from tests.probe.trial import LONGEST, MOST_CALLS

MOST_PHONES: Final = 3
BAD_USAGE: Final = 2
INTERRUPTED: Final = 130


def question(wish: Wish, settings: Settings) -> str:
    """Write what the person is asked."""
    phones = "\n".join(
        f"  {number}" + ("  (on your do-not-call list; it should not ring)" * (label == LISTED))
        for number, label in wish.phones.items()
    )
    host = urlsplit(settings.api_url).hostname
    return f"""\
This places REAL CALLS through {host}, with the key in SMALLEST_API_KEY, to:
{phones}
They must be your own phones, at hand and not needed for anything else.
Agent: {wish.agent}. Caller ID: {wish.caller_id}.

It makes an audience and three campaigns. Each phone is called two to four times, and never more
than {MOST_CALLS} times. It takes 6 to 12 minutes, and at most {LONGEST / 60:.0f}. The calls cost
what such calls cost. At the end it stops and deletes what it made. Ctrl-C stops it at any time.

What to do: let the first call to each phone ring out. Answer the second, talk a little, hang up.
After that do as you like.
"""


def parsed(argv: Sequence[str] | None) -> tuple[Wish, Path]:
    """Read the command line; leaves the program if it cannot be understood."""
    parser = argparse.ArgumentParser(prog="scripts/probe", description=__doc__)
    parser.add_argument(
        "numbers", nargs="+", metavar="NUMBER", help="your own phones, such as +12025550111"
    )
    parser.add_argument(
        "--do-not-call", metavar="NUMBER", help="one more phone, which is on your do-not-call list"
    )
    parser.add_argument("--agent", required=True, help="name or id of the agent that talks")
    parser.add_argument("--caller-id", required=True, help="number or id of the caller ID")
    parser.add_argument(
        "--report", type=Path, default=Path("probe-report.json"), help="file to write; a new one"
    )
    args = parser.parse_args(argv)
    labels = {number: f"phone {place}" for place, number in enumerate(args.numbers, 1)}
    labels |= {args.do_not_call: LISTED} if args.do_not_call else {}
    phones = {e164(number) or "": label for number, label in labels.items()}
    if "" in phones or not all(number.startswith("+") for number in labels):
        parser.error("a number is not in E.164 form: +, country code, number")
    if len(labels) != len(args.numbers) + bool(args.do_not_call) or len(phones) != len(labels):
        parser.error("a number is given twice")
    if len(phones) > MOST_PHONES:
        parser.error(f"at most {MOST_PHONES} phones")
    return Wish(phones, args.agent, args.caller_id), args.report


def ask(text: str) -> bool:
    """Ask the person at the terminal; only the word yes is one."""
    print(text)  # noqa: T201
    return input("Type yes to have these phones called: ").strip().lower() == "yes"


def say(text: str) -> None:
    """Tell the person; a terminal that has gone must not stop the stopping."""
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:
        return


async def _until_interrupted(wish: Wish, settings: Settings, keep: Keep, result: Run) -> None:
    async with anyio.create_task_group() as tasks:

        async def listen() -> None:
            signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            with anyio.open_signal_receiver(*signals) as received:
                async for _ in received:
                    scope.cancel()
                    say("Interrupted. It stops what it started first; please wait.")

        scope = anyio.CancelScope()
        tasks.start_soon(listen)
        with scope:
            mark = f"probe-{token_hex(3)}"
            await probe(wish, settings, say=say, keep=keep, mark=mark, result=result)
        tasks.cancel_scope.cancel()


def _ended(result: Run, path: Path) -> int:
    """Tell the person how it ended; give the exit status."""
    say(f"The run {result.ended}. The report is in {path}; read it before you send it.")
    if result.left:
        say(
            f"NOT CONFIRMED: {', '.join(result.left)} may still be there, and may ring. Pause and "
            "delete it in the dashboard, or with: atoms-campaigns-mcp call pause_campaign "
            "campaign_id=all"
        )
        return 1
    say("Everything that it made is stopped and deleted.")
    return {"finished": 0, "interrupted": INTERRUPTED}.get(result.ended, 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the person, run, write the report."""
    wish, path = parsed(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("It needs a terminal, on which a person agrees. Nothing was sent.\n")
        return BAD_USAGE
    try:
        settings = Settings.load(os.environ, policies=policies_here())
        check(wish, settings, datetime.now(UTC))
        if path.exists():
            raise ConfigurationError(f"{path} exists: give another file with --report.")
    except AtomsCampaignsError as error:
        sys.stderr.write(f"{error} Nothing was sent.\n")
        return BAD_USAGE
    if not ask(question(wish, settings)):
        say("Nothing was sent.")
        return 1
    result = Run()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:

        def keep(document: dict[str, Any]) -> None:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.write("\n")

        anyio.run(_until_interrupted, wish, settings, keep, result)
    return _ended(result, path)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # at the question
        sys.exit(INTERRUPTED)
