"""One call: on which account, by whom, who can be asked and told, and what it holds."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from atoms_campaigns_mcp.atoms.client import AtomsClient, Guard
from atoms_campaigns_mcp.config.identity import Principal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.runtime import Clocks, Runtime, refuse_changes
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.tool_calls.asker import Asker, Nobody
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from atoms_campaigns_mcp.tool_calls.duplicates import CallMemory
from atoms_campaigns_mcp.tool_calls.locks import Locks
from atoms_campaigns_mcp.tool_calls.plans import Plans
from atoms_campaigns_mcp.toolkit.context import Consent, News, Operator, ToolContext


def _drawn() -> str:
    return secrets.token_hex(4)


class Unheard:
    """News of a call whose caller listens to none."""

    async def progress(self, part: float, whole: float | None, text: str) -> None:
        """Tell nobody how far it is."""

    async def changed(self, campaign_id: str, mark: str) -> None:
        """Tell nobody that a campaign is not as it was."""


def _unasked(_: Clocks) -> Asker:
    return Nobody()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and which tools it may use; whom it can ask and tell.

    `runtime` opens the account, once a call turns out to be right. `asker` is told the clocks by
    which answers are timed. Without one, the caller has nobody to ask.
    """

    principal: Principal
    catalog: Catalog
    runtime: Callable[[Principal], Awaitable[Runtime]]
    asker: Callable[[Clocks], Asker] = _unasked
    news: News = field(default_factory=Unheard)

    async def session(self) -> "Session":
        """Open the session of a call that is right.

        Raises:
            AtomsCampaignsError: The account cannot be opened now.
        """
        runtime = await self.runtime(self.principal)
        return Session(runtime, self.principal, self.asker(runtime.clocks), self.news)


@dataclass(slots=True)
class Session:
    """One call of a principal; `mark` draws what no text from outside can know."""

    runtime: Runtime
    principal: Principal
    asker: Asker
    news: News
    mark: Callable[[], str] = _drawn
    plans: Plans = field(init=False)
    locks: Locks = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no plan and no lock."""
        self.plans, self.locks = Plans(self.runtime), Locks(self.runtime)

    @property
    def consent(self) -> Consent:
        """What a start takes here."""
        if Effect.DIALS not in self.principal.allowed:
            return "off"
        policy = self.runtime.settings.confirm
        if policy in {"never", "token"}:
            return "none" if policy == "never" else "token"
        if self.asker.can_ask:
            return "asked"
        return "impossible" if policy == "human" else "token"

    def reading(self, *, recent: float = 0.0) -> ToolContext:
        """Return what planning may use: it must only read.

        What hardly changes may be as old as `recent` seconds.
        """
        return self.context(refuse_changes, None, recent=recent)

    def context(
        self,
        guard: Guard,
        plan: Plan | None,
        intent: Intent | None = None,
        *,
        basis: object = None,
        urgent: bool = False,
        recent: float = 0.0,
    ) -> ToolContext:
        """Return what a tool may use; changes go through `guard`, `urgent` ones do not queue."""
        runtime, settings = self.runtime, self.runtime.settings
        transport = runtime.transport.urgently() if urgent else runtime.transport
        return ToolContext(
            atoms=AtomsClient(transport, guard, recent=recent),
            now=runtime.now,
            monotonic=runtime.clocks.monotonic,
            sleep=runtime.clocks.sleep,
            mark=self.mark,
            sampling=self._sampling,
            shared=runtime.shared,
            operator=Operator(
                policy=Policy.of(settings),
                in_force=partial(_in_force, settings),
                files=() if settings.read_only else settings.files,
                show_numbers=settings.show_numbers,
            ),
            memory=CallMemory(self.locks, intent),
            news=self.news,
            consent=self.consent,
            plan=plan,
            basis=basis,
        )

    def _sampling(self) -> bytes:
        account = f"samples of {self.runtime.account}"
        return hmac.digest(self.runtime.secrets[0], account.encode(), "sha256")


def _in_force(settings: Settings) -> tuple[str, ...]:
    return settings.in_force


def reading(runtime: Runtime) -> ToolContext:
    """Return what reading an account outside of tool calls may use."""
    principal = Principal(runtime.tenant, allowed=frozenset({Effect.READS}))
    return Session(runtime, principal, Nobody(), Unheard()).reading()
