"""What a tool may use during one call."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.caching.shared_polls import SharedPolls
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.shutdown import Waits
from atoms_campaigns_mcp.workers import Worker

if TYPE_CHECKING:
    from atoms_campaigns_mcp.caching.replica_polls import PollBoard
    from atoms_campaigns_mcp.contacts.numbers.directory import Directory
    from atoms_campaigns_mcp.results.store import ResultsCache
    from atoms_campaigns_mcp.state.guarding import Watch


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


class Memory(Protocol):
    """What this server remembers and the API does not tell: requests, caller IDs, uploads."""

    def alone(self, key: str, *, patience: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Keep equal creations out meanwhile, after waiting for one for `patience` seconds.

        Raises `WrongState` if one is still under way.
        """
        ...

    async def keep_alone(self, key: str) -> None:
        """Keep them out for as long as a change takes; raises `WrongState` if looking took long."""
        ...

    async def keep_held(self) -> None:
        """Hold all that this call holds for as long as one more change takes.

        Raises `WrongState` if something of it is held no longer.
        """
        ...

    async def begin_job(self, key: str, parts: Sequence[str]) -> Earlier:
        """Record a job of several creations before the first of them, one text for each part.

        Until it has ended it is found by `unresolved`, with its parts as what is known.
        """
        ...

    async def end_job(self, job: Earlier, *, done: bool) -> None:
        """Record that all of it is made, or that nothing of it is there."""
        ...

    async def unresolved(self, key: str) -> list[Earlier]:
        """Return the equal creations whose outcome is unknown."""
        ...

    async def resolve(self, earlier: Sequence[Earlier], *, found: object | None) -> None:
        """Record what they have been found to have made, or that it was looked for in vain."""
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

    async def stopped(self, campaign_ids: Sequence[str]) -> bool:
        """Record that a person wants these to stand still, so that no guard resumes them.

        It takes a second at most; false if it could not be recorded.
        """
        ...

    async def guarded(self) -> "Watch | None":
        """Return the guard that watches over the account now; None if there is none."""
        ...

    async def callers(self, campaign_id: str) -> tuple[str, ...] | None:
        """Return the caller IDs of a campaign made here; None if they are not known."""
        ...

    async def keep_callers(self, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """Remember the caller IDs of a campaign that was just made."""
        ...

    async def upload(self, upload_id: str) -> bytes | None:
        """Return a list that was sent over HTTP, unless it has expired."""
        ...


class News(Protocol):
    """Who is told of a call's progress, and of campaigns that changed."""

    async def progress(self, part: float, whole: float | None, text: str) -> None:
        """Tell how far it is: a part, the whole if it is known, and a sentence."""
        ...

    async def changed(self, campaign_id: str, mark: str) -> None:
        """Tell that a campaign is not as it was; `mark` says how it is now."""
        ...


Consent = Literal["asked", "token", "none", "impossible", "off"]
"""What a start needs from here: the client asks its user, the next call brings a token, nothing at
all, a client that can ask its user, or a principal that may dial."""


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator allows.

    `files` are the folders in which a tool may read and write; `in_force` says the limits and modes
    with where they are set.
    """

    policy: Policy
    in_force: Callable[[], tuple[str, ...]]
    files: tuple[Path, ...]
    show_numbers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a tool may use during one call; `tool_calls.session` makes it.

    `now` is the clock of the API's world: the sandbox's may run faster. `monotonic` and `sleep` are
    the machine's, in seconds. `consent` is what a start takes; `plan` holds the facts that were
    agreed to, for tools that have a plan, and `basis` what they were made of. `mark` draws what no
    text from outside can know. `sampling` gives the key by which samples are drawn: the same for
    every call on the account.
    """

    atoms: AtomsClient
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    mark: Callable[[], str]
    sampling: Callable[[], bytes]
    shared: Shared
    operator: Operator
    memory: Memory
    news: News
    consent: Consent
    plan: Plan | None = None
    basis: Any = None

    def agreed(self) -> Plan:
        """Return the plan of a tool that cannot run without one."""
        if self.plan is None:
            raise TypeError("a tool that needs a plan ran without one")
        return self.plan
