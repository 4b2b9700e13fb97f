"""The command `call`: one tool call, of which the person at the terminal is asked."""

import json
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from rich.text import Text

from atoms_campaigns_mcp.cli.console import Terminal
from atoms_campaigns_mcp.cli.invocation import command
from atoms_campaigns_mcp.cli.parser import did_you_mean
from atoms_campaigns_mcp.cli.start import BAD_USAGE
from atoms_campaigns_mcp.cli.tables import draw
from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import (
    ConfigurationError,
    InvalidArguments,
    NotConfirmed,
    NotFound,
    WrongState,
)
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.tool_calls.asker import Asker, Nobody, PendingQuestion, Reply
from atoms_campaigns_mcp.tool_calls.catalog import Catalog, emergencies
from atoms_campaigns_mcp.tool_calls.outcome import Outcome, outcome_of
from atoms_campaigns_mcp.tool_calls.session import Caller

Call = Callable[[str, Mapping[str, Any]], Awaitable[Outcome]]
"""Calls a tool by its name, with its arguments."""

_FOR_AGENTS = {NotConfirmed.code, NotFound.code, WrongState.code}


@dataclass(frozen=True, slots=True)
class Typed:
    """The `Asker` of a person at a terminal, who types the answer."""

    monotonic: Callable[[], float]
    can_ask = True
    reply = None

    async def ask(self, text: str, plan_id: str) -> Reply:
        """Print the question and wait for a line; only the word yes is one."""
        # Stdout may be a pipe, into which only the result belongs.
        screen = Terminal(stderr=True)
        with _interruptible():
            await anyio.lowlevel.checkpoint()  # a Ctrl-C before this one has cancelled the task
            screen.print(Text(text), soft_wrap=not screen.is_terminal)
            print("Type yes to go ahead: ", end="", file=sys.stderr, flush=True)
            began = self.monotonic()
            try:
                line = input()  # noqa: ASYNC250 - nothing else goes on here
            except EOFError:
                print(file=sys.stderr)
                line = ""
        agreed = line.strip().lower() == "yes"
        return Reply(plan_id, "yes" if agreed else "declined", self.monotonic() - began)


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C end the program at once: the event loop, which would, stands still."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def given(settings: Settings, name: str, words: Sequence[str]) -> dict[str, str]:
    """Return the arguments of a call from words such as `limit=5`.

    Raises:
        ConfigurationError: There is no such tool, or a word is written otherwise.
    """
    if name not in Catalog.read().entries:
        raise unknown_tool(name, settings)
    pairs = [word.partition("=") for word in words]
    for place, (argument, separator, _) in enumerate(pairs, 1):
        if not separator or not argument:
            raise ConfigurationError(
                f"Arguments are written key=value; number {place} is not.",
                next_step=f"`{command()} tools {name}` explains those of this tool.",
            )
    return {argument: value for argument, _, value in pairs}


def unknown_tool(name: str, settings: Settings) -> ConfigurationError:
    """Return the refusal of a name that no tool has which the settings allow."""
    near = did_you_mean(name, Catalog.read(settings.permitted).entries)
    return ConfigurationError(
        f"There is no such tool, or the settings do not allow it.{near}",
        next_step=f"`{command()} tools` lists those there are.",
    )


def show(name: str, outcome: Outcome, *, as_json: bool) -> int:
    """Print an outcome: for a person on a terminal, else as JSON; give the exit status.

    A failure goes to stderr.
    """
    stream = sys.stderr if outcome.is_error else sys.stdout
    if as_json or not stream.isatty():
        print(json.dumps(outcome.data, indent=2, ensure_ascii=False), file=stream)
    else:
        terminal = Terminal(file=stream)
        draw(outcome, terminal)
        if advice := _way_on(name, outcome):
            terminal.print(Text(advice, "yellow"))
    if not outcome.is_error:
        return 0
    return BAD_USAGE if outcome.data["code"] == InvalidArguments.code else 1


def _way_on(name: str, outcome: Outcome) -> str:
    """Return what helps a person: agents have tools to call, and a user whom they ask."""
    code, told = outcome.data.get("code"), str(outcome.data.get("next_step", ""))
    if code == InvalidArguments.code:
        return f"`{command()} tools {name}` explains the arguments."
    if code in _FOR_AGENTS or not outcome.is_error:
        # A stop that is not complete says so there.
        return told if name in emergencies() and not outcome.is_error else ""
    return told


async def call_tool(settings: Settings, name: str, arguments: dict[str, Any]) -> Outcome:
    """Call one tool; without a terminal there is nobody who could be asked."""
    interactive = sys.stdin.isatty()

    def asker(clocks: Clocks) -> Asker:
        return Typed(clocks.monotonic) if interactive else Nobody()

    async with calling(settings, asker) as call:
        return await call(name, arguments)


def _nobody(_: Clocks) -> Asker:
    return Nobody()


@asynccontextmanager
async def calling(
    settings: Settings, asker: Callable[[Clocks], Asker] = _nobody
) -> AsyncGenerator[Call]:
    """Open the account of these settings, in this process, for calls one after the other."""
    principal = Principal(LOCAL, settings.api_key, settings.permitted)
    runtimes = RuntimePool(settings)
    caller = Caller(principal, Catalog.read(settings.permitted), runtimes, asker)

    async def call(name: str, arguments: Mapping[str, Any]) -> Outcome:
        outcome = await outcome_of(caller, name, arguments, settings.mode)
        if isinstance(outcome, PendingQuestion):
            raise TypeError("a question was left open, although its answer is typed")
        return outcome

    try:
        yield call
    finally:
        await runtimes.close()
