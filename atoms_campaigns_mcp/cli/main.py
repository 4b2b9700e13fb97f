"""The commands. Each imports what it needs when it runs."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp import NAME, __version__
from atoms_campaigns_mcp.cli.install import CLIENT_NAMES
from atoms_campaigns_mcp.cli.start import configure_server, policies_here, serve_stdio
from atoms_campaigns_mcp.config.parsing import count
from atoms_campaigns_mcp.config.settings import SETTINGS, Auth, Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.telemetry import configure

SHARED = frozenset(row.name for row in SETTINGS)


def run(words: Sequence[str], closed: Sequence[str]) -> int:
    """Run the command in `words`; `closed` names the streams that were closed at the start."""
    args = parser().parse_args(words)
    args.closed = closed
    return args.run(args)


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(prog=NAME, description=_ABOUT)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _serve_parser(commands)
    _campaign_parsers(commands)
    _guard_parser(commands)
    _journal_parser(commands)
    _setup_parsers(commands)
    _sandbox_parser(commands)
    return parser


def _serve_parser(commands: Any) -> None:
    serve = _command(commands, "serve", _serve, "serve MCP; over stdio unless --http is given")
    _http_flags(serve, "serve Streamable HTTP at /mcp")
    _settings_flags(serve)
    serve.add_argument(
        "--guard",
        nargs="?",
        choices=["pause", "resume"],
        const="pause",
        help="with --auth none: keep watch as the command guard does; resume: with its --resume",
    )


def _campaign_parsers(commands: Any) -> None:
    _command(commands, "demo", _demo, "run a whole campaign in a temporary sandbox")
    call = _command(commands, "call", _call, "call one tool; asks on the terminal")
    call.add_argument("tool", metavar="TOOL")
    call.add_argument("arguments", metavar="key=value", nargs="*")
    call.add_argument("--json", action="store_true", help="print the structured result")
    _settings_flags(call)
    watch = _command(commands, "watch", _watch, "follow a campaign until it is finished")
    watch.add_argument("campaign", metavar="ID", help="id of the campaign, from list_campaigns")
    _settings_flags(watch)
    tools = _command(
        commands, "tools", _tools, "list the tools that the settings allow, or explain one"
    )
    tools.add_argument("tool", metavar="NAME", nargs="?", help="show the arguments of this one")
    _settings_flags(tools)


def _guard_parser(commands: Any) -> None:
    guard = _command(
        commands, "guard", _guard, "watch over all that dials; pauses what a rule forbids"
    )
    guard.add_argument(
        "--resume",
        action="store_true",
        help="resume what it paused for calling hours, when they begin and all is as agreed to",
    )
    guard.set_defaults(http=None)
    guard.add_argument("--once", action="store_true", help="look once, for cron")
    guard.add_argument("--dry-run", action="store_true", help="only print what it would stop")
    _settings_flags(guard)


def _journal_parser(commands: Any) -> None:
    journal = _command(commands, "journal", _journal, "show what was changed, the latest first")
    journal.add_argument("--limit", type=count, default=50, help="most entries to show (50)")
    journal.add_argument("--unfinished", action="store_true", help="only those without an outcome")
    journal.add_argument(
        "--subject", help="only what this subject of ATOMS_MCP_OAUTH_ISSUER did; names its tenant"
    )
    journal.add_argument(
        "--campaign", metavar="ID", help="only what created or changed this campaign"
    )
    journal.add_argument(
        "--since", metavar="TIME", help="only what began since then: 12h, 7d, 2026-11-28T09:30Z"
    )
    journal.add_argument("--mode", choices=["sandbox", "live"], help="only entries of that mode")
    form = journal.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    form.add_argument("--csv", action="store_true", help="print CSV with a header")
    form.add_argument(
        "--prune", type=count, metavar="DAYS", help="delete entries older than that, show none"
    )
    _settings_flags(journal, {"state"})


def _setup_parsers(commands: Any) -> None:
    doctor = _command(commands, "doctor", _doctor, "check everything, and say what to do")
    _http_flags(doctor, "check what a server needs that serves at this address")
    doctor.add_argument("--json", action="store_true", help="print the checks for a program")
    _settings_flags(doctor)
    _install_flags(_command(commands, "install", _install, "tell a client of this server"))


def _sandbox_parser(commands: Any) -> None:
    sandbox = _command(commands, "sandbox", _sandbox, "serve the emulated Atoms API over HTTP")
    sandbox.add_argument("action", nargs="?", choices=["serve", "reset"], default="serve")
    sandbox.add_argument("--port", type=int, default=8790)
    sandbox.add_argument(
        "--db",
        type=Path,
        help="database file; default: ATOMS_MCP_SANDBOX_DB, else in the state folder",
    )
    sandbox.add_argument(
        "--speed", type=_speed, default=60.0, help="virtual seconds a second, or max"
    )
    sandbox.add_argument("--seed", type=int, default=1, help="decides the outcomes of calls")


_ABOUT = "MCP server with which AI agents run outbound voice-call campaigns on Atoms, safely."


class _Form(argparse.HelpFormatter):
    """Leaves the settings out of the usage line: they have their group below."""

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], *rest: Any, **options: Any
    ) -> None:
        """Add the usage line."""
        own = [action for action in actions if action.dest not in SHARED]
        super().add_usage(usage, own, *rest, **options)


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], about: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about, formatter_class=_Form)
    parser.set_defaults(run=run)
    return parser


def _http_flags(parser: argparse.ArgumentParser, about: str) -> None:
    parser.add_argument("--http", metavar="HOST:PORT", help=about)
    parser.add_argument(
        "--auth",
        choices=["key", "oauth", "none"],
        help="with --http; key (default): each request brings its Atoms key as a bearer token; "
        "oauth: an access token of ATOMS_MCP_OAUTH_ISSUER (docs/oauth.md); "
        "none: this machine only, with the server's own key or the sandbox",
    )


def _settings_flags(parser: argparse.ArgumentParser, names: AbstractSet[str] = SHARED) -> None:
    group = parser.add_argument_group("settings (docs/configuration.md)")
    for row in SETTINGS:
        if row.secret or row.name not in names:
            continue  # ps would show a secret
        flag = f"--{row.name.replace('_', '-')}"
        about = f"{row.help} ({row.variable})".replace("%", "%%")
        if row.switch:
            group.add_argument(flag, dest=row.name, action="store_const", const="1", help=about)
        else:
            group.add_argument(flag, dest=row.name, metavar="VALUE", help=about)


def _serving(args: argparse.Namespace, auth: Auth = "") -> Settings:
    """Read the settings of a server, which logs what happens."""
    settings = _loaded(_flags(args), auth)
    configure_server(settings)
    return settings


def _settings(args: argparse.Namespace, only: AbstractSet[str] = frozenset()) -> Settings:
    """Read the settings of a command, or `only` some; it says itself what people want to know."""
    settings = _loaded(_flags(args), only=only)
    if "log" in _flags(args) or os.environ.get("ATOMS_MCP_LOG"):
        configure(sys.stderr, form=settings.log)
    else:
        configure(sys.stderr, form="text", ours=logging.WARNING)
    return settings


def _loaded(
    flags: Mapping[str, str], auth: Auth = "", only: AbstractSet[str] = frozenset()
) -> Settings:
    if only:
        return Settings.partly(only, os.environ, flags, policies=policies_here())
    return Settings.load(os.environ, flags, policies=policies_here(), auth=auth)


def _flags(args: argparse.Namespace) -> dict[str, str]:
    flags = {row.name: getattr(args, row.name, None) for row in SETTINGS}
    return {name: text for name, text in flags.items() if text}


def _install_flags(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(CLIENT_NAMES)
    parser.add_argument(
        "client",
        metavar="CLIENT",
        nargs="?",
        choices=CLIENT_NAMES,
        help=f"{names}; without one, they are listed",
    )
    parser.add_argument("--url", default="", help="a team's server, as https://HOST/mcp")
    parser.add_argument(
        "--auth",
        choices=["key", "oauth", "none"],
        default="key",
        help="with --url, as in serve; key (default): send the key of the client's environment",
    )
    parser.add_argument("--print", action="store_true", help="print the entry, change nothing")
    parser.add_argument("--remove", action="store_true", help="take the entry out again")
    parser.add_argument("--server-name", default="atoms-campaigns", help="name of the entry")
    parser.add_argument(
        "--with-key",
        action="store_true",
        help="write the key of the environment too, and make the file private",
    )


def _speed(text: str) -> float | str:
    return text if text == "max" else float(text)


def _refuse_auth_without_http(args: argparse.Namespace) -> None:
    if args.auth and not args.http:
        raise ConfigurationError(
            "--auth is for clients over HTTP.", next_step="Add --http HOST:PORT, or leave it out."
        )


def _serve(args: argparse.Namespace) -> int:
    _refuse_auth_without_http(args)
    if args.guard and args.auth != "none":
        raise ConfigurationError(
            "--guard watches over the server's own account, which --auth none serves.",
            next_step="Run the command guard with the key of each other account.",
        )
    if not args.http:
        return serve_stdio(_loaded(_flags(args)), args.closed)
    settings = _serving(args, args.auth or "key")
    from atoms_campaigns_mcp.server.http import serve  # noqa: PLC0415 - uvicorn

    serve.serve(settings, args.http, guard=args.guard or "")
    return 0


def _demo(_: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.demo import run  # noqa: PLC0415 - rich, client

    return run()


def _call(args: argparse.Namespace) -> int:
    import anyio  # noqa: PLC0415

    from atoms_campaigns_mcp.cli.call import call_tool  # noqa: PLC0415 - heavy

    pairs = [word.partition("=") for word in args.arguments]
    if any(not separator for _, separator, _ in pairs):
        raise ConfigurationError("Arguments are written key=value.")
    arguments = {name: value for name, _, value in pairs}
    outcome = anyio.run(call_tool, _settings(args), args.tool, arguments)
    text = outcome.text
    if args.json:
        text = json.dumps(outcome.data, indent=2, ensure_ascii=False)
    print(text, file=sys.stderr if outcome.is_error else sys.stdout)
    return int(outcome.is_error)


def _watch(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.console import Terminal  # noqa: PLC0415 - rich
    from atoms_campaigns_mcp.cli.watch import run  # noqa: PLC0415 - rich, client

    return run(_settings(args), args.campaign, Terminal())


def _guard(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.guard import GuardOptions, run  # noqa: PLC0415 - client

    wish = GuardOptions(args.resume, args.once, args.dry_run)
    return run(_serving(args), wish)


def _tools(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.tools import run  # noqa: PLC0415 - rich

    return run(_settings(args), args.tool)


def _journal(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.journal import JournalOptions, run  # noqa: PLC0415 - rich, state

    wish = JournalOptions(
        args.limit,
        args.unfinished,
        args.subject or "",
        args.campaign or "",
        args.mode or "",
        args.since or "",
        "json" if args.json else "csv" if args.csv else "",
        args.prune or 0,
    )
    return run(_settings(args, {"state", "oauth_issuer", "log"}), wish)


def _doctor(args: argparse.Namespace) -> int:
    _refuse_auth_without_http(args)
    from atoms_campaigns_mcp.cli.doctor.command import Patient, run  # noqa: PLC0415 - sandbox, rich
    from atoms_campaigns_mcp.cli.doctor.team import Serving  # noqa: PLC0415
    from atoms_campaigns_mcp.cli.install.machine import Machine  # noqa: PLC0415

    configure(sys.stderr, form="text", ours=logging.CRITICAL)  # the report says it
    serving = Serving(args.http, args.auth or "key") if args.http else None
    patient = Patient(Machine.here(), serving=serving)
    return run(_flags(args), patient, sys.stdout, as_json=args.json)


def _install(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.install.command import InstallOptions, run  # noqa: PLC0415
    from atoms_campaigns_mcp.cli.install.machine import Machine  # noqa: PLC0415

    if not args.client and (args.url or args.print or args.remove or args.with_key):
        raise ConfigurationError(
            "No client is named.", next_step=f"It is one of: {', '.join(CLIENT_NAMES)}."
        )
    order = InstallOptions(
        args.client or "",
        url=args.url,
        auth=args.auth,
        server_name=args.server_name,
        only_print=args.print,
        remove=args.remove,
        with_key=args.with_key,
    )
    return run(order, Machine.here(), sys.stdout, sys.stderr)


def _sandbox(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.sandbox import SandboxOptions, serve, start_afresh  # noqa: PLC0415 - uvicorn
    from atoms_campaigns_mcp.state.folder import state_folder  # noqa: PLC0415

    settings = _loaded({}, only={"state", "sandbox_db"})
    database = args.db or settings.sandbox_db or state_folder(settings) / "sandbox.sqlite3"
    if args.action == "reset":
        return start_afresh(database)
    return serve(database, SandboxOptions(args.port, args.speed, args.seed))
