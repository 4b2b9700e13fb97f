"""The commands. Each imports what it needs when it runs."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet

from atoms_campaigns_mcp.cli.install import CLIENT_NAMES
from atoms_campaigns_mcp.cli.parser import parser
from atoms_campaigns_mcp.cli.start import configure_server, policies_here, serve_stdio
from atoms_campaigns_mcp.config.settings import SETTINGS, Auth, Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.telemetry import configure


def run(words: Sequence[str], closed: Sequence[str]) -> int:
    """Run the command in `words`; `closed` names the streams that were closed at the start.

    Raises:
        ConfigurationError: The words are not right.
    """
    args, rest = parser().parse_known_args(words)
    if args.command == "call" and not any(word.startswith("-") for word in rest):
        args.arguments += rest  # they stand behind an option
    elif rest:
        args.parser.refuse(rest)
    args.closed = closed
    return COMMANDS[args.command](args)


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
    Settings.load({}, policies=policies_here())  # else its server would say it, and nobody hears it
    from atoms_campaigns_mcp.cli.demo import run  # noqa: PLC0415 - rich, client

    return run()


def _call(args: argparse.Namespace) -> int:
    import anyio  # noqa: PLC0415

    from atoms_campaigns_mcp.cli.call import call_tool, given, show  # noqa: PLC0415 - heavy

    settings = _settings(args)
    arguments = given(settings, args.tool, args.arguments)
    outcome = anyio.run(call_tool, settings, args.tool, arguments)
    return show(args.tool, outcome, as_json=args.json)


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


def _completion(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.completion import shell_code  # noqa: PLC0415 - optional

    print(shell_code(args.shell))
    return 0


def _sandbox(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.cli.sandbox import SandboxOptions, serve, start_afresh  # noqa: PLC0415 - uvicorn
    from atoms_campaigns_mcp.state.folder import state_folder  # noqa: PLC0415

    settings = _loaded({}, only={"state", "sandbox_db"})
    database = args.db or settings.sandbox_db or state_folder(settings) / "sandbox.sqlite3"
    if args.command == "sandbox reset":
        return start_afresh(database)
    return serve(database, SandboxOptions(args.port, args.speed, args.seed))


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": _serve,
    "demo": _demo,
    "call": _call,
    "watch": _watch,
    "tools": _tools,
    "guard": _guard,
    "journal": _journal,
    "doctor": _doctor,
    "install": _install,
    "completion": _completion,
    "sandbox": _sandbox,
    "sandbox serve": _sandbox,
    "sandbox reset": _sandbox,
}
