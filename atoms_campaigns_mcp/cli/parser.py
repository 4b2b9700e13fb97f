"""The words that each command takes: its options with their ranges, and examples."""

import argparse
from collections.abc import Callable, Iterable, Sequence, Set as AbstractSet
from difflib import get_close_matches
from typing import Any, NoReturn

from atoms_campaigns_mcp import NAME, __version__
from atoms_campaigns_mcp.cli.completion import SHELLS, argument_words, tool_names
from atoms_campaigns_mcp.cli.install import CLIENT_NAMES
from atoms_campaigns_mcp.config import parsing as read
from atoms_campaigns_mcp.config.settings import SETTINGS
from atoms_campaigns_mcp.config.sources import Setting, clipped
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.sockets import LAST

SHARED = frozenset(row.name for row in SETTINGS if not row.secret)  # ps would show a secret
HTTP = "HTTP"
SIGN_ON = "sign-on, with --auth oauth"
GUARD = "guard"
SANDBOX = "sandbox"
RULES = "rules, which only narrow those of a policy"
ACCOUNT = "account, state and log"
_OVER_HTTP = {"allowed_hosts", "allowed_origins", "client_rate", "client_calls", "replica"}
_TUNING = {"live", "rate"}  # narrowed by policies, and no rule of what may be called
_FORMS: dict[Callable[[str], Any], str] = {
    read.count: "N",
    read.limit: "N",
    read.positive: "N",
    read.amount: "USD",
    read.share: "PERCENT",
    read.hours: "HH:MM-HH:MM",
    read.speed: "N|max",
    read.moment: "TIME",
    read.names: "A,B",
    read.label: "NAME",
    read.path: "PATH",
    read.folders: "FOLDERS",
    read.state: "FOLDER|URL",
    read.url: "URL",
    read.exact_url: "URL",
    int: "N",
}
_ABOUT = "MCP server with which AI agents run outbound voice-call campaigns on Atoms, safely."
_STATUSES = (
    "COMMAND --help shows its options, with ranges and defaults, and examples.\n"
    "exit status: 0 done, 1 failed, 2 wrong usage or settings, 130 ended by Ctrl-C;\n"
    "of guard 75, if another one watches."
)


class Parser(argparse.ArgumentParser):
    """Refuses as everything here does: in one line that says what to do, without the value."""

    def __init__(self, **options: Any) -> None:
        # Abbreviated options would change their meaning with every new one.
        options = {"formatter_class": _Form, "allow_abbrev": False, **options}
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Refuse the words.

        Raises:
            ConfigurationError: Always.
        """
        said = message.removeprefix("argument ").rstrip(".")
        end = "" if said.endswith("?") else "."
        raise ConfigurationError(f"{said}{end}", next_step=f"`{self.prog} --help` explains it.")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Refuse words that mean nothing here, and name the option that was probably meant.

        Raises:
            ConfigurationError: Always.
        """
        flags = [word.partition("=")[0] for word in words if word.startswith("-")]
        if not flags:
            self.error(f"there are words too many ({len(words)})")
        known = [flag for action in self._actions for flag in action.option_strings]
        self.error(f"{clipped(flags[0])} is no option here.{did_you_mean(flags[0], known)}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            options = [str(option) for option in action.choices]
            near = did_you_mean(str(value), options)
            raise argparse.ArgumentError(action, f"must be one of {', '.join(options)}.{near}")


class _Form(argparse.RawDescriptionHelpFormatter):
    """Leaves the settings out of the usage line: they have their groups below."""

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], *rest: Any, **options: Any
    ) -> None:
        """Add the usage line."""
        own = [action for action in actions if action.dest not in SHARED]
        super().add_usage(usage, own, *rest, **options)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the question whether the nearest known word was meant; nothing, if none is near."""
    found = get_close_matches(word, list(known), n=1)
    return f" Did you mean {found[0]}?" if found else ""


def parser() -> Parser:
    """Return the parser of every command; it gives the name of one as `command`."""
    parser = Parser(prog=NAME, description=_ABOUT, epilog=_STATUSES)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _serve(commands)
    _campaigns(commands)
    _guard(commands)
    _journal(commands)
    _setup(commands)
    _sandbox(commands)
    return parser


def _command(commands: Any, name: str, about: str, *examples: str) -> Parser:
    shown = "\n".join(["examples:", *(f"  {NAME} {example}" for example in examples)])
    parser: Parser = commands.add_parser(name, help=about, description=about, epilog=shown)
    # The last one counts: that of a command within a command.
    parser.set_defaults(command=parser.prog.removeprefix(f"{NAME} "), parser=parser)
    return parser


def _typed(parse: Callable[[str], Any], meaning: str = "") -> Callable[[str], Any]:
    """Have argparse read as a setting is read, and say what the text must be."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except (KeyError, ValueError):
            raise argparse.ArgumentTypeError(f"must be {meaning or read.MEANINGS[parse]}") from None

    return parsed


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) <= LAST:
        raise read.InvalidError
    return port


def group_of(row: Setting) -> str:
    """Return the heading below which a setting stands."""
    if row.name in _OVER_HTTP:
        return HTTP
    for prefix, group in {"oauth_": SIGN_ON, "guard_": GUARD, "sandbox_": SANDBOX}.items():
        if row.name.startswith(prefix):
            return group
    return RULES if row.narrow and row.name not in _TUNING else ACCOUNT


def _named(*groups: str, without: AbstractSet[str] = frozenset()) -> frozenset[str]:
    """Name the settings of these groups."""
    rows = (row for row in SETTINGS if group_of(row) in groups)
    return frozenset(row.name for row in rows) - without


def _settings_flags(parser: Parser, names: AbstractSet[str]) -> None:
    for title in (RULES, ACCOUNT, HTTP, SIGN_ON, GUARD, SANDBOX):
        rows = [row for row in SETTINGS if row.name in names & SHARED and group_of(row) == title]
        if rows:
            group = parser.add_argument_group(f"settings: {title}")
            for row in rows:
                _setting_flag(group, row)


def _setting_flag(group: Any, row: Setting) -> None:
    flag, about = f"--{row.name.replace('_', '-')}", row.help
    if row.switch:
        about = f"{about} ({row.variable})"
        group.add_argument(flag, dest=row.name, action="store_const", const="1", help=about)
        return
    options = row.parse.options if isinstance(row.parse, read.Choice) else None
    meaning = read.MEANINGS.get(row.parse, "")
    if meaning.removeprefix("a ") not in about:
        about += f"; {meaning}"
    if row.default:
        about += f"; default {row.default}"
    about = f"{about} ({row.variable})".replace("%", "%%")
    form = None if options else _FORMS.get(row.parse, "VALUE")
    group.add_argument(flag, dest=row.name, choices=options, metavar=form, help=about)


def _http_flags(parser: Parser, about: str) -> None:
    parser.add_argument(
        "--http", metavar="HOST:PORT", help=f"{about}; port 0 to {LAST}, 0 takes a free one"
    )
    parser.add_argument(
        "--auth",
        choices=["key", "oauth", "none"],
        help="with --http; key (default): each request brings its Atoms key as a bearer token; "
        "oauth: an access token of ATOMS_MCP_OAUTH_ISSUER (docs/oauth.md); "
        "none: this machine only, with the server's own key or the sandbox",
    )


def _serve(commands: Any) -> None:
    about = "serve MCP; over stdio unless --http is given"
    examples = "serve", "serve --http 127.0.0.1:8080 --auth none", "serve --no-dial"
    serve = _command(commands, "serve", about, *examples)
    _http_flags(serve, "serve Streamable HTTP at /mcp")
    serve.add_argument(
        "--guard",
        nargs="?",
        choices=["pause", "resume"],
        const="pause",
        help="with --auth none: keep watch as the command guard does; alone it means pause; "
        "resume: with guard's --resume; default: no watch",
    )
    _settings_flags(serve, SHARED)


def _campaigns(commands: Any) -> None:
    about = "run a whole campaign in a temporary sandbox; nobody is called"
    _command(commands, "demo", about, "demo")
    settings = _named(RULES, ACCOUNT, SANDBOX, without={"log_level", "journal_days"})
    call = _command(
        commands,
        "call",
        "call one tool; asks on the terminal before it dials or deletes",
        "call list_audiences",
        "call get_campaign_status campaign_id=Renewals --json",
        "call start_campaign campaign_id=Renewals",
    )
    tool: Any = call.add_argument(
        "tool", metavar="TOOL", help=f"its name; `{NAME} tools` lists them"
    )
    tool.completer = tool_names
    arguments: Any = call.add_argument(
        "arguments",
        metavar="key=value",
        nargs="*",
        default=[],
        help=f"its arguments, lists as JSON; `{NAME} tools TOOL` explains them",
    )
    arguments.completer = argument_words
    call.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON, as in a pipe; default on a terminal: tables",
    )
    _settings_flags(call, settings)
    watch = _command(commands, "watch", "follow a campaign until it is finished", "watch Renewals")
    watch.add_argument("campaign", metavar="ID", help="id or exact name of the campaign")
    _settings_flags(watch, _named(ACCOUNT, SANDBOX, without={"log_level", "journal_days"}))
    about = "list the tools that the settings allow, or explain one"
    tools = _command(commands, "tools", about, "tools --read-only", "tools create_campaign")
    tool = tools.add_argument("tool", metavar="NAME", nargs="?", help="show its arguments")
    tool.completer = tool_names
    _settings_flags(tools, {"read_only", "no_dial"})


def _guard(commands: Any) -> None:
    about = "watch running campaigns and pause any that break a rule"
    guard = _command(
        commands,
        "guard",
        about,
        "guard --calling-hours 09:00-20:00",
        "guard --guard-spend 50 --once --dry-run",
    )
    guard.add_argument(
        "--resume",
        action="store_true",
        help="resume what it paused for calling hours, when they begin and all is as agreed to",
    )
    guard.add_argument("--once", action="store_true", help="look once, for cron; default: go on")
    guard.add_argument("--dry-run", action="store_true", help="only print what it would stop")
    unneeded = {"confirm", "files", "show_numbers", "journal_days"}
    _settings_flags(guard, _named(RULES, ACCOUNT, GUARD, SANDBOX, without=unneeded))


def _journal(commands: Any) -> None:
    about = "show what was changed, the latest first"
    examples = "journal --since 12h", "journal --unfinished --json", "journal --prune 365"
    journal = _command(commands, "journal", about, *examples)
    journal.add_argument(
        "--limit",
        type=_typed(read.count),
        default=50,
        metavar="N",
        help="most entries to show, from 1; default 50",
    )
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
        "--prune",
        type=_typed(read.count),
        metavar="DAYS",
        help="delete entries older than so many days, from 1, and show none",
    )
    _settings_flags(journal, {"state"})


def _setup(commands: Any) -> None:
    about = "check everything, and say what to do"
    doctor = _command(commands, "doctor", about, "doctor", "doctor --http 0.0.0.0:8080 --json")
    _http_flags(doctor, "check what a server needs that serves at this address")
    doctor.add_argument("--json", action="store_true", help="print the checks for a program")
    _settings_flags(doctor, SHARED - {"log", "log_level", "journal_days", "show_numbers"})
    about = "add this server to the configuration of a client"
    examples = "install cursor", "install vscode --url https://calls.example.com/mcp --print"
    _install_flags(_command(commands, "install", about, *examples))
    about = "print the shell completion script; needs atoms-campaigns-mcp[completion]"
    completion = _command(commands, "completion", about, "completion bash")
    completion.add_argument("shell", choices=SHELLS, help="the shell that evaluates it")


def _install_flags(parser: Parser) -> None:
    parser.add_argument(
        "client",
        metavar="CLIENT",
        nargs="?",
        choices=CLIENT_NAMES,
        help=f"{', '.join(CLIENT_NAMES)}; without one, they are listed",
    )
    parser.add_argument(
        "--url", default="", metavar="URL", help="a team's server, as https://HOST/mcp"
    )
    parser.add_argument(
        "--auth",
        choices=["key", "oauth", "none"],
        default="key",
        help="with --url, as in serve; key (default): send the key of the client's environment",
    )
    parser.add_argument("--print", action="store_true", help="print the entry, change nothing")
    parser.add_argument("--remove", action="store_true", help="take the entry out again")
    parser.add_argument(
        "--server-name",
        default="atoms-campaigns",
        metavar="NAME",
        help="name of the entry, 1 to 64 letters, digits, - and _; default %(default)s",
    )
    parser.add_argument(
        "--with-key",
        action="store_true",
        help="write the key of the environment too, and make the file private",
    )


def _sandbox(commands: Any) -> None:
    about = "serve the emulated Atoms API over HTTP; nobody is called"
    examples = "sandbox --port 8790 --speed max", "sandbox reset"
    sandbox = _command(commands, "sandbox", about, *examples)
    _world_flags(sandbox)
    within = sandbox.add_subparsers(
        metavar="[serve|reset]", required=False, help="serve it, as without a word, or empty it"
    )
    # What stands before the word counts unless it is repeated behind it.
    serve = _command(within, "serve", about, "sandbox serve --seed 7")
    _world_flags(serve, again=True)
    about = "empty it, also for the servers that have it open; the journal stays"
    reset = _command(
        within, "reset", about, "sandbox reset", "sandbox reset --db rehearsal.sqlite3"
    )
    _database_flag(reset, again=True)


def _world_flags(parser: Parser, *, again: bool = False) -> None:
    for flag, parse, form, default, about in (
        ("--port", _port, "PORT", 8790, f"port of 127.0.0.1, 0 to {LAST}; 0 takes a free one"),
        ("--speed", read.speed, "N|max", 60.0, "virtual seconds a second, above 0, or max"),
        ("--seed", int, "N", 1, "whole number that decides the outcomes of calls"),
    ):
        parser.add_argument(
            flag,
            type=_typed(parse, f"a whole number from 0 to {LAST}" if parse is _port else ""),
            default=argparse.SUPPRESS if again else default,
            metavar=form,
            help=f"{about}; default {default:g}",
        )
    _database_flag(parser, again=again)


def _database_flag(parser: Parser, *, again: bool = False) -> None:
    parser.add_argument(
        "--db",
        type=_typed(read.path, "a path"),
        default=argparse.SUPPRESS if again else None,
        metavar="PATH",
        help="database file; default: ATOMS_MCP_SANDBOX_DB, else sandbox.sqlite3 in the state "
        "folder",
    )
