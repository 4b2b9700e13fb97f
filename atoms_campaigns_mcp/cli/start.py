"""Where the program begins: serving over stdio is the short way, which `cli.main` is not on.

A chat waits for this: what is imported here is imported before the first answer.
"""

import logging
import os
import sys
from collections.abc import Sequence

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.config.policy_file import folders, policies, user_home
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.config.sources import Source
from atoms_campaigns_mcp.errors import AtomsCampaignsError, ConfigurationError
from atoms_campaigns_mcp.telemetry import configure

BAD_USAGE = 2
INTERRUPTED = 130
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command in `argv`; without one, serve over stdio."""
    closed = _open_closed_streams()
    try:
        try:
            status = _run(list(sys.argv[1:] if argv is None else argv), closed)
        finally:
            if not sys.stdout.closed:
                sys.stdout.flush()
    except* BrokenPipeError:  # who reads has enough, as `head` does; perhaps in a task group
        status = _silenced()
    except* OSError as errors:
        print(f"{NAME}: {_about(errors)}", file=sys.stderr)
        status = _silenced()
    sys.exit(status)


def _silenced() -> int:
    """Let the interpreter's last flush go nowhere, else it would complain; give the status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _about(group: BaseExceptionGroup[OSError]) -> str:
    """Report what the system refused, and for which file if it knows."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    reason = getattr(error, "strerror", "") or type(error).__name__
    place = getattr(error, "filename", None) or "a file, or stdin or stdout,"
    return f"{place} cannot be used: {reason}."


def _open_closed_streams() -> list[str]:
    """Put the null device in place of what was closed at the start, or files would be.

    Returns:
        Their names.
    """
    modes = {"stdin": "r", "stdout": "w", "stderr": "w"}
    closed = [name for name in modes if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, open(os.devnull, modes[name], encoding="utf-8"))  # noqa: SIM115, PTH123
    return closed


def _run(words: list[str], closed: Sequence[str]) -> int:
    if "_ARGCOMPLETE" in os.environ:
        from atoms_campaigns_mcp.cli.completion import answer  # noqa: PLC0415 - for a shell

        return answer()
    if not words or (words[0].startswith("-") and words[0] not in {"-h", "--help", "--version"}):
        words.insert(0, "serve")
    configure(sys.stderr)
    try:
        if words == ["serve"]:
            return serve_stdio(Settings.load(os.environ, policies=policies_here()), closed)
        from atoms_campaigns_mcp.cli.main import run  # noqa: PLC0415 - argparse

        return run(words, closed)
    except AtomsCampaignsError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return BAD_USAGE if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return INTERRUPTED


def policies_here() -> list[Source]:
    """Read the policies of this machine and its user."""
    return policies(folders(user_home(), sys.platform, os.environ))


def configure_server(settings: Settings) -> None:
    """Log as the settings of a server say."""
    configure(sys.stderr, form=settings.log, ours=LEVELS[settings.log_level])


def serve_stdio(settings: Settings, closed: Sequence[str]) -> int:
    """Serve until the client has gone; give the exit status.

    Raises:
        ConfigurationError: stdin or stdout was among what was closed at the start.
    """
    configure_server(settings)
    _look_at_stdio(closed)
    from atoms_campaigns_mcp.server.stdio import serve  # noqa: PLC0415

    serve(settings)
    return 0


def _look_at_stdio(closed: Sequence[str]) -> None:
    """Tell a person on a terminal what this is, since a server says nothing by itself.

    Raises:
        ConfigurationError: A stream that MCP needs was closed at the start.
    """
    if missing := [name for name in closed if name != "stderr"]:
        raise ConfigurationError(
            f"MCP over stdio needs stdin and stdout; closed: {', '.join(missing)}.",
            next_step="Let your client start this, or serve over HTTP (--http HOST:PORT).",
        )
    if sys.stdin.isatty():
        from atoms_campaigns_mcp.cli.invocation import command  # noqa: PLC0415 - for people

        name = command()
        print(
            f"This serves MCP on stdin and stdout: clients start it (see: {name} install CLIENT).\n"
            f"For people: {name} demo, {name} doctor, {name} --help. Ctrl-C ends it.",
            file=sys.stderr,
        )
