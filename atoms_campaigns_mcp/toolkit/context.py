"""What a tool may use during one call."""

import secrets
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.caching.shared_polls import SharedPolls
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.shutdown import Waits
from atoms_campaigns_mcp.workers import Worker

if TYPE_CHECKING:
    from atoms_campaigns_mcp.caching.replica_polls import PollBoard
    from atoms_campaigns_mcp.contacts.numbers.directory import Directory
    from atoms_campaigns_mcp.results.store import ResultsCache


class Shared:
    """What the calls of one server share; built when first used, since it loads a lot."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        work: Worker,
        board: "PollBoard | None" = None,
    ) -> None:
        """Do by `work` what takes long; poll once for all servers of a `board`."""
        self.work = work
        self.polls: SharedPolls[Any] = SharedPolls(monotonic, sleep, board)
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
        from atoms_campaigns_mcp.contacts.numbers.directory import Directory  # noqa: PLC0415 - 30 ms

        return Directory()

    @cached_property
    def results(self) -> "ResultsCache":
        """Results of the campaigns asked about last."""
        from atoms_campaigns_mcp.results.store import ResultsCache  # noqa: PLC0415

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
        """Return the equal creations whose outcome is unknown."""
        ...

    async def resolve(self, earlier: Sequence[Earlier], *, found: str) -> None:
        """Record the id under which they have been found, or that it was looked for in vain."""
        ...

    async def begun(self, besides: str = "") -> list[str]:
        """Return the campaigns that were made to dial lately and have not been seen to since.

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
        """Return the plan of a tool that cannot run without one."""
        if self.plan is None:
            raise TypeError("a tool that needs a plan ran without one")
        return self.plan
