"""What a tool is: one effect, arguments, a result, and a plan if it dials or destroys."""

import importlib
import pkgutil
import secrets
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast, get_type_hints

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.atoms.polls import Polls
from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.ending import Waits
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.workers import Worker

if TYPE_CHECKING:
    from atoms_campaigns_mcp.atoms.looks import Board
    from atoms_campaigns_mcp.contacts.directory import Directory
    from atoms_campaigns_mcp.state.results import ResultsCache

A = TypeVar("A", bound=Args)
R = TypeVar("R", bound=Result)


class Shared:
    """What the calls of one server share; built when first used, since it loads a lot."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        work: Worker,
        board: "Board | None" = None,
    ) -> None:
        """Do by `work` what takes long; poll once for all servers of a `board`."""
        self.work = work
        self.polls: Polls[Any] = Polls(monotonic, sleep, board)
        self.waits = Waits()
        self.calls = 0

    @contextmanager
    def call(self) -> Generator[None]:
        """Count a call while it is carried out."""
        self.calls += 1
        try:
            yield
        finally:
            self.calls -= 1

    @cached_property
    def directory(self) -> "Directory":
        """Countries and time zones of numbers."""
        from atoms_campaigns_mcp.contacts.directory import Directory  # noqa: PLC0415 - 30 ms

        return Directory()

    @cached_property
    def results(self) -> "ResultsCache":
        """Results of the campaigns asked about last."""
        from atoms_campaigns_mcp.state.results import ResultsCache  # noqa: PLC0415

        return ResultsCache(self.directory, self.work)

    def close(self) -> None:
        """Delete what is at hand."""
        if "results" in self.__dict__:
            self.results.close()


@dataclass(frozen=True, slots=True)
class Earlier:
    """An equal creation whose outcome is unknown: its journal entry, and what was there before."""

    entry: int
    known: tuple[str, ...]


class Ledger(Protocol):
    """What this server remembers of creations, which the API would carry out twice."""

    def alone(self, key: str) -> AbstractAsyncContextManager[None]:
        """Keep equal creations out meanwhile; raises `WrongState` if one is under way."""
        ...

    async def keep_alone(self, key: str) -> None:
        """Keep them out for as long as a change takes; raises `WrongState` if looking took long."""
        ...

    async def unresolved(self, key: str) -> list[Earlier]:
        """Give the equal creations whose outcome is unknown."""
        ...

    async def resolve(self, earlier: Sequence[Earlier], *, found: str) -> None:
        """Record the id under which they have been found, or that it was looked for in vain."""
        ...

    async def begun(self, besides: str = "") -> list[str]:
        """Give the campaigns that were made to dial lately and have not been seen to since.

        One that was scheduled and whose id is not known has the id "". That campaign or creation
        key is left out.
        """
        ...

    async def saw(self, campaign_id: str) -> None:
        """Record that a campaign has been seen to dial, or to be over."""
        ...


Consent = Literal["asked", "token", "none", "impossible", "off"]
"""What a start needs from here: the client asks its user, the next call brings a token, nothing at
all, a client that can ask its user, or a principal that may dial."""


async def _unheard(*_: Any) -> None:
    """Be the listener that nobody gave."""


def _drawn() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may use during one call.

    `now` is the clock of the API's world: the sandbox's may run faster. `monotonic` and `sleep` are
    the machine's, in seconds. `plan` holds the facts that were agreed to, for tools that have a
    plan. `ledger` remembers creations. `files` are the folders in which a tool may read and write;
    `in_force` says the operator's limits and modes with where they are set; `consent` is what a
    start takes; `upload` gives a list that was sent over HTTP. `progress` takes
    a part, a whole and a sentence; `changed` the campaign that is not as it was, and a mark of how
    it is now. `remember` and `recall` keep the caller IDs of campaigns made here, which the API
    does not tell; `offer` gives a token with which a proposal may be agreed to, where one helps.
    `mark` draws what no text from outside can know.
    """

    atoms: AtomsClient
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    shared: Shared
    ledger: Ledger | None = None
    plan: Plan | None = None
    files: tuple[Path, ...] = ()
    show_numbers: bool = False
    policy: Policy = field(default_factory=Policy)
    in_force: tuple[str, ...] = ()
    consent: Consent = "asked"
    upload: Callable[[str], Awaitable[bytes | None]] = _unheard
    recall: Callable[[str], Awaitable[tuple[str, ...] | None]] = _unheard
    remember: Callable[[str, tuple[str, ...]], Awaitable[None]] = _unheard
    offer: Callable[[Proposal], Awaitable[str | None]] = _unheard
    progress: Callable[[float, float | None, str], Awaitable[None]] = _unheard
    changed: Callable[[str, str], Awaitable[None]] = _unheard
    mark: Callable[[], str] = _drawn

    def agreed(self) -> Plan:
        """Give the plan of a tool that cannot run without one."""
        if self.plan is None:
            raise TypeError("a tool that needs a plan ran without one")
        return self.plan


Run = Callable[[A, ToolContext], Awaitable[R]]
Planner = Callable[[A, ToolContext], Awaitable[Proposal | R]]
"""Reads and judges the facts; gives a result instead when there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A, R]):
    """A tool as the server sees it; `tool` makes it from a function."""

    name: str
    title: str
    description: str
    effect: Effect
    arguments: type[A]
    result: type[R]
    run: Run[A, R]
    plan: Planner[A, R] | None = None
    dials_when: str = ""
    emergency: bool = False
    app: bool = False

    def plans(self, args: Args) -> bool:
        """Say whether these arguments dial or destroy, and so need a plan and a yes."""
        if self.effect in {Effect.DIALS, Effect.DESTROYS}:
            return True
        return bool(self.dials_when) and getattr(args, self.dials_when) is not None


def tool(
    effect: Effect,
    *,
    title: str,
    plan: Planner[A, R] | None = None,
    dials_when: str = "",
    emergency: bool = False,
    app: bool = False,
) -> Callable[[Run[A, R]], Tool[A, R]]:
    """Make a tool of a function; its module names it, its docstring is what the agent reads.

    `dials_when` names the argument that makes a changing tool dial. An `emergency` tool goes
    ahead even if it cannot be recorded. The result of an `app` tool can be drawn by the campaign
    monitor.
    """
    dangerous = effect in {Effect.DIALS, Effect.DESTROYS} or bool(dials_when)
    if dangerous != (plan is not None):
        raise TypeError("a tool has a plan if, and only if, it can dial or destroy")

    def make(run: Run[A, R]) -> Tool[A, R]:
        hints = get_type_hints(run)
        return Tool(
            name=run.__module__.rpartition(".")[2],
            title=title,
            description=" ".join((run.__doc__ or "").split()),
            effect=effect,
            arguments=cast("type[A]", hints["args"]),
            result=cast("type[R]", hints["return"]),
            run=run,
            plan=plan,
            dials_when=dials_when,
            emergency=emergency,
            app=app,
        )

    return make


def names() -> list[str]:
    """Give the name of every tool, found on disk, in alphabetical order."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def load(name: str) -> Tool[Any, Any]:
    """Import the tool of that name."""
    return importlib.import_module(f"atoms_campaigns_mcp.tools.{name}").run
