"""The command line. Each command imports what it needs when it runs."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.install import CLIENT_NAMES
from atoms_campaigns_mcp.settings import SETTINGS, Auth, Settings, tenant_of_subject
from atoms_campaigns_mcp.telemetry import configure

PROGRAM = "atoms-campaigns-mcp"
BAD_USAGE = 2


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command in `argv`; without one, serve over stdio."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}):
        words.insert(0, "serve")
    args = parser().parse_args(words)
    configure(sys.stderr)
    try:
        sys.exit(args.run(args))
    except ConfigurationError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        sys.exit(BAD_USAGE)
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    """Give the parser of every command."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description=_ABOUT)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _command(commands, "serve", _serve, "serve MCP; over stdio unless --http is given")
    serve.add_argument("--http", metavar="HOST:PORT", help="serve Streamable HTTP at /mcp")
    serve.add_argument(
        "--auth",
        choices=["key", "oauth", "none"],
        help="with --http; key (default): each request brings its Atoms key as a bearer token; "
        "oauth: an access token of ATOMS_MCP_OAUTH_ISSUER (docs/oauth.md); "
        "none: this machine only, with the server's own key or the sandbox",
    )
    _settings_flags(serve)
    _command(commands, "demo", _demo, "run a whole campaign in a temporary sandbox")
    call = _command(commands, "call", _call, "call one tool; asks on the terminal")
    call.add_argument("tool", metavar="TOOL")
    call.add_argument("arguments", metavar="key=value", nargs="*")
    call.add_argument("--json", action="store_true", help="print the structured result")
    _settings_flags(call)
    watch = _command(commands, "watch", _watch, "follow a campaign until it is finished")
    watch.add_argument("campaign", metavar="ID", help="id of the campaign, from list_campaigns")
    _settings_flags(watch)
    tools = _command(commands, "tools", _tools, "list the tools that the settings allow")
    _settings_flags(tools)
    journal = _command(commands, "journal", _journal, "show what was changed, the latest first")
    journal.add_argument("--limit", type=int, default=50, help="entries to show")
    journal.add_argument("--unfinished", action="store_true", help="only those without an outcome")
    journal.add_argument(
        "--subject", help="only what this subject of ATOMS_MCP_OAUTH_ISSUER did; names its tenant"
    )
    journal.add_argument("--state", help="folder of the journal (ATOMS_MCP_STATE)")
    doctor = _command(commands, "doctor", _doctor, "check everything, and say what to do")
    doctor.add_argument("--json", action="store_true", help="print the checks for a program")
    _settings_flags(doctor)
    _install_flags(_command(commands, "install", _install, "tell a client of this server"))
    sandbox = _command(commands, "sandbox", _sandbox, "serve the emulated Atoms API over HTTP")
    sandbox.add_argument("action", nargs="?", choices=["serve", "reset"], default="serve")
    sandbox.add_argument("--port", type=int, default=8790)
    sandbox.add_argument("--db", type=Path, help="database file; default in the state folder")
    sandbox.add_argument(
        "--speed", type=_speed, default=60.0, help="virtual seconds a second, or max"
    )
    sandbox.add_argument("--seed", type=int, default=1, help="decides the outcomes of calls")
    return parser


_ABOUT = "MCP server with which AI agents run outbound voice-call campaigns on Atoms, safely."


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], about: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser


def _settings_flags(parser: argparse.ArgumentParser) -> None:
    for row in SETTINGS:
        if row.secret:
            continue  # ps would show it
        flag = f"--{row.name.replace('_', '-')}"
        about = f"{row.help} ({row.variable})".replace("%", "%%")
        if row.switch:
            parser.add_argument(flag, dest=row.name, action="store_const", const="1", help=about)
        else:
            parser.add_argument(flag, dest=row.name, help=about)


def _settings(args: argparse.Namespace, auth: Auth = "") -> Settings:
    settings = Settings.load(os.environ, _flags(args), auth=auth)
    configure(sys.stderr, form=settings.log)
    return settings


def _flags(args: argparse.Namespace) -> dict[str, str]:
    flags = {row.name: getattr(args, row.name, None) for row in SETTINGS}
    return {name: text for name, text in flags.items() if text}


def _install_flags(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(CLIENT_NAMES)
    parser.add_argument("client", metavar="CLIENT", choices=CLIENT_NAMES, help=names)
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


def _serve(args: argparse.Namespace) -> int:
    settings = _settings(args, auth=(args.auth or "key") if args.http else "")
    if not args.http:
        from atoms_campaigns_mcp.server.stdio import serve  # noqa: PLC0415

        serve(settings)
        return 0
    from atoms_campaigns_mcp.server import http  # noqa: PLC0415 - uvicorn

    http.serve(settings, args.http)
    return 0


def _demo(_: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.demo import run  # noqa: PLC0415 - rich, client

    return run()


def _call(args: argparse.Namespace) -> int:
    import anyio  # noqa: PLC0415

    from atoms_campaigns_mcp.server.local import call_tool  # noqa: PLC0415 - client

    pairs = [word.partition("=") for word in args.arguments]
    if any(not separator for _, separator, _ in pairs):
        raise ConfigurationError("Arguments are written key=value.")
    arguments = {name: value for name, _, value in pairs}
    ask = _ask if sys.stdin.isatty() else None
    result = anyio.run(call_tool, _settings(args), args.tool, arguments, ask)
    text = "\n".join(getattr(part, "text", "") for part in result.content)
    if args.json and result.structured_content is not None:
        text = json.dumps(result.structured_content, indent=2, ensure_ascii=False)
    print(text, file=sys.stderr if result.is_error else sys.stdout)
    return int(bool(result.is_error))


def _ask(question: str) -> bool:
    print(question, file=sys.stderr)
    return input("Type yes to go ahead: ").strip().lower() == "yes"


def _watch(args: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415

    from atoms_campaigns_mcp.watch import run  # noqa: PLC0415 - rich, client

    return run(_settings(args), args.campaign, Console())


def _tools(args: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from atoms_campaigns_mcp.server.catalog import Catalog  # noqa: PLC0415

    settings = _settings(args)
    table = Table("tool", "effect", "what it does")
    for name, entry in Catalog.read(settings.permitted).entries.items():
        table.add_row(name, entry["effect"], entry["tool"]["description"].split(". ")[0])
    Console().print(table)
    return 0


def _journal(args: argparse.Namespace) -> int:
    import anyio  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from atoms_campaigns_mcp.server.history import entries  # noqa: PLC0415

    settings = _settings(args)
    if args.subject and not settings.oauth_issuer:
        raise ConfigurationError("--subject needs ATOMS_MCP_OAUTH_ISSUER.")
    tenant = tenant_of_subject(settings.oauth_issuer, args.subject) if args.subject else ""
    names = ("#", "time (UTC)", "tenant", "tool", "confirmed", "outcome", "request", "arguments")
    table = Table(*names, title=f"tenant {tenant[:8]}" if tenant else None)
    for row in anyio.run(entries, settings, args.limit):
        if (args.unfinished and row.outcome) or (tenant and row.intent.tenant != tenant):
            continue
        moment = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        outcome = f"{row.outcome or 'OPEN'} {row.detail}".strip()
        intent = row.intent
        table.add_row(
            str(row.id),
            moment,
            intent.tenant[:8],
            intent.tool,
            intent.confirmed,
            outcome,
            row.request_id,
            intent.arguments,
        )
    Console().print(table)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.doctor.command import Patient, run  # noqa: PLC0415 - sandbox, rich
    from atoms_campaigns_mcp.install.machine import Machine  # noqa: PLC0415

    return run(_flags(args), Patient(Machine.here()), sys.stdout, as_json=args.json)


def _install(args: argparse.Namespace) -> int:
    from atoms_campaigns_mcp.install.command import Order, run  # noqa: PLC0415
    from atoms_campaigns_mcp.install.machine import Machine  # noqa: PLC0415

    order = Order(args.client, args.server_name, args.print, args.remove, args.with_key)
    return run(order, Machine.here(), sys.stdout, sys.stderr)


def _sandbox(args: argparse.Namespace) -> int:
    import uvicorn  # noqa: PLC0415
    from starlette.middleware.trustedhost import TrustedHostMiddleware  # noqa: PLC0415

    from atoms_campaigns_mcp.sandbox.app import create_app  # noqa: PLC0415
    from atoms_campaigns_mcp.sandbox.world import Options, World, reset  # noqa: PLC0415
    from atoms_campaigns_mcp.setting_texts import LOOPBACK  # noqa: PLC0415
    from atoms_campaigns_mcp.state.folder import state_folder  # noqa: PLC0415

    database = args.db or state_folder(Settings.load(os.environ)) / "sandbox.sqlite3"
    if args.action == "reset":
        reset(database)
        print(f"The sandbox starts afresh; {database} is gone.")
        return 0
    options = Options(speed=args.speed, seed=args.seed)
    world = World.open(database, now=lambda: datetime.now(UTC), options=options)
    print(f"Atoms sandbox on http://127.0.0.1:{args.port}/atoms/v1 (any key that starts with sk_)")
    try:
        app = TrustedHostMiddleware(create_app(world), allowed_hosts=[*LOOPBACK, "[::1]"])
        uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning")
    finally:
        world.close()
    return 0
