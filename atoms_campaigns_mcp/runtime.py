"""Composition root: from `Settings` to what a tool call needs, live or in the sandbox."""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2

from atoms_campaigns_mcp.atoms.client import AtomsClient, Guard
from atoms_campaigns_mcp.atoms.pacing import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport, request_id
from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    ConfigurationError,
    NotRecorded,
    OutcomeUnknown,
)
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.state.folder import secret_of, state_folder
from atoms_campaigns_mcp.state.sqlite import SqliteStore
from atoms_campaigns_mcp.state.store import Confirmed, Intent, Store
from atoms_campaigns_mcp.telemetry import log, redact
from atoms_campaigns_mcp.tools._tool import Effect, Shared, Tool, ToolContext

T = TypeVar("T")
GRACE = 1.5  # seconds in which a change already sent may finish after its caller has gone
SANDBOX_URL = "http://sandbox/atoms/v1"
SANDBOX_PAYMENTS = "http://sandbox/payment/v1"
SANDBOX_KEY = "sk_sandbox"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the runtime sees it; tests pass their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


@dataclass(frozen=True, slots=True)
class Runtime:
    """One account in one mode, with the server's state.

    `clocks` is the machine's time; `now` is the time of the API's world, which differs in a
    sandbox that runs faster.
    """

    settings: Settings
    transport: Transport
    store: Store
    secret: bytes
    clocks: Clocks
    now: Callable[[], datetime]
    shared: Shared
    close_world: Callable[[], None] = lambda: None

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        clocks: Clocks | None = None,
        network: httpx2.AsyncBaseTransport | None = None,
    ) -> "Runtime":
        """Open state and connections; `network` replaces the real one.

        Raises:
            ConfigurationError: The state folder or the sandbox's file cannot be used.
        """
        clocks = clocks or Clocks()
        folder = state_folder(settings)
        store = SqliteStore.open(folder)
        secret = secret_of(settings)
        pacer = Pacer(settings.rate, clocks.monotonic, clocks.sleep)
        if settings.mode == "sandbox" and network is None:
            return _sandboxed(settings, store, secret, clocks, folder)
        key = settings.api_key or SANDBOX_KEY
        transport = Transport.connect(
            settings.api_url, key, pacer, payment_url=settings.billing_url, transport=network
        )
        shared = Shared(clocks.monotonic, clocks.sleep)
        return cls(settings, transport, store, secret, clocks, clocks.now, shared)

    async def close(self) -> None:
        """Close connections and files."""
        await self.transport.close()
        await self.store.close()
        self.shared.close()
        self.close_world()

    def context(self, guard: Guard, plan: Plan | None = None, **listeners: Any) -> ToolContext:
        """Give what a tool may use; changes go through `guard`."""
        return ToolContext(
            atoms=AtomsClient(self.transport, guard),
            now=self.now,
            monotonic=self.clocks.monotonic,
            sleep=self.clocks.sleep,
            shared=self.shared,
            policy=Policy.of(self.settings),
            plan=plan,
            files=self.settings.files,
            show_numbers=self.settings.show_numbers,
            **listeners,
        )

    def recorder(self, tool: Tool[Any, Any], intent: Intent) -> Guard:
        """Give the guard of a tool: journal before and after, and a grace once it is sent."""

        async def record(send: Callable[[], Awaitable[Any]]) -> Any:
            if tool.effect is Effect.READS:
                raise TypeError(f"{tool.name} reads, but sent a change")
            entry = await self._begin(tool, intent)
            return await despite_cancellation(lambda: self._carry_out(entry, send))

        return record

    async def _begin(self, tool: Tool[Any, Any], intent: Intent) -> int | None:
        try:
            return await self.store.begin(intent, self.clocks.now().timestamp())
        except NotRecorded:
            if not tool.emergency:
                raise
            log.error("%s goes ahead without a journal entry", tool.name)
            return None

    async def _carry_out(self, entry: int | None, send: Callable[[], Awaitable[T]]) -> T:
        outcome, detail = "failed", ""
        try:
            answer = await send()
            outcome = "done"
        except OutcomeUnknown:
            outcome = "unknown"
            raise
        except AtomsCampaignsError as error:
            outcome, detail = "refused", redact(error.message)
            raise
        finally:
            if entry is not None:
                await self._finish(entry, outcome, detail)
        return answer

    async def _finish(self, entry: int, outcome: str, detail: str) -> None:
        # The change is made: an intent without an outcome is the honest record of this trouble.
        try:
            await self.store.finish(entry, outcome, detail, request_id.get())
        except NotRecorded:
            log.exception("the outcome of journal entry %s is not recorded", entry)


def refuse_changes(_: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
    """Be the guard of planning, which must only read."""
    raise TypeError("a plan sent a change")


def masked(arguments: dict[str, Any]) -> str:
    """Write arguments for the journal: no phone numbers, keys or tokens."""
    kept = {name: value for name, value in arguments.items() if name != "confirm_token"}
    return redact(json.dumps(kept, sort_keys=True, ensure_ascii=False))


def intent_of(
    tool: Tool[Any, Any],
    arguments: dict[str, Any],
    *,
    tenant: str,
    confirmed: Confirmed,
    digest: str = "",
) -> Intent:
    """Describe a call for the journal."""
    return Intent(tenant, tool.name, masked(arguments), confirmed, digest)


async def despite_cancellation(work: Callable[[], Awaitable[T]], grace: float = GRACE) -> T:
    """Run `work`; if the caller is cancelled meanwhile, give it `grace` seconds to finish.

    A client that goes away in the middle of a POST must not leave it half sent and unrecorded.
    """
    done = anyio.Event()
    scope = anyio.CancelScope(shield=True)
    answers: list[T] = []
    failures: list[Exception] = []

    async def shielded() -> None:
        with scope:
            try:
                answers.append(await work())
            except Exception as error:  # noqa: BLE001 - raised below, outside the task group
                failures.append(error)
        done.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shielded)
        try:
            await done.wait()
        except anyio.get_cancelled_exc_class():
            scope.deadline = anyio.current_time() + grace
            raise
    if failures:
        raise failures[0]
    return answers[0]


def _sandboxed(
    settings: Settings, store: Store, secret: bytes, clocks: Clocks, folder: Path
) -> Runtime:
    from atoms_campaigns_mcp.sandbox.app import create_app  # noqa: PLC0415 - heavy, sandbox only
    from atoms_campaigns_mcp.sandbox.world import Options, World  # noqa: PLC0415

    options = Options(speed=settings.sandbox_speed, seed=settings.sandbox_seed)
    database = settings.sandbox_db or folder / "sandbox.sqlite3"
    try:
        world = World.open(database, now=clocks.now, options=options)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The sandbox's database cannot be used ({type(error).__name__}).",
            next_step="Give another file in ATOMS_MCP_SANDBOX_DB, or run: sandbox reset.",
        ) from error
    # The sandbox is in this process: there is nothing to pace.
    pacer = Pacer(1e6, clocks.monotonic, clocks.sleep)
    network = httpx2.ASGITransport(app=create_app(world))
    transport = Transport.connect(
        SANDBOX_URL, SANDBOX_KEY, pacer, payment_url=SANDBOX_PAYMENTS, transport=network
    )
    shared = Shared(clocks.monotonic, clocks.sleep)
    return Runtime(settings, transport, store, secret, clocks, world.now, shared, world.close)
