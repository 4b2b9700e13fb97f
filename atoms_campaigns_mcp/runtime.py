"""Composition root: from `Settings` to what a tool call needs, live or in the sandbox."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2

from atoms_campaigns_mcp.atoms.client import AtomsClient, Guard
from atoms_campaigns_mcp.atoms.pacing import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.state.folder import secret_of, state_folder
from atoms_campaigns_mcp.state.sqlite import SqliteStore
from atoms_campaigns_mcp.state.store import Store
from atoms_campaigns_mcp.tools._tool import Shared, ToolContext

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


def refuse_changes(_: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
    """Be the guard of planning, which must only read."""
    raise TypeError("a plan sent a change")


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
