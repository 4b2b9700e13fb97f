"""Composition root: from `Settings` to what a tool call needs, live or in the sandbox."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

import anyio
import httpx2

from atoms_campaigns_mcp.atoms.changes import Change
from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.caching.replica_polls import PollBoard
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.config.identity import LOCAL, account_of, tenant_of
from atoms_campaigns_mcp.config.settings import Mode, Settings
from atoms_campaigns_mcp.errors import ConfigurationError, said_of
from atoms_campaigns_mcp.shutdown import Shutdown
from atoms_campaigns_mcp.state.folder import secrets_of, state_folder
from atoms_campaigns_mcp.state.open import open_state
from atoms_campaigns_mcp.state.store import Store
from atoms_campaigns_mcp.state.unavailable import UnavailableStore
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.toolkit.context import Shared
from atoms_campaigns_mcp.workers import Workers

SANDBOX_URL = "http://sandbox/atoms/v1"
SANDBOX_PAYMENTS = "http://sandbox/payment/v1"
SANDBOX_KEY = "sk_sandbox"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the runtime sees it; tests pass their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    def seconds(self) -> float:
        """Return the time in seconds since 1970."""
        return self.now().timestamp()


@dataclass(frozen=True, slots=True)
class Runtime:
    """One account in one mode, with the server's state.

    `clocks` is the machine's time; `now` is the time of the API's world, which differs in a
    sandbox that runs faster. `shutdown` holds the changes in flight.
    """

    settings: Settings
    transport: Transport
    store: Store
    clocks: Clocks
    now: Callable[[], datetime]
    shared: Shared
    tenant: str = LOCAL
    shutdown: Shutdown = field(default_factory=Shutdown)
    close_world: Callable[[], None] = lambda: None

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        clocks: Clocks | None = None,
        network: httpx2.AsyncBaseTransport | None = None,
        shutdown: Shutdown | None = None,
        tenant: str = LOCAL,
        store: Store | None = None,
        workers: Workers | None = None,
    ) -> "Runtime":
        """Open connections and files; `network` replaces the network in tests.

        `store` is the state that runtimes of several tenants share, as they do `workers`.

        Raises:
            ConfigurationError: The sandbox's file cannot be used.
        """
        clocks, shutdown = clocks or Clocks(), shutdown or Shutdown()
        store = store or open_store(settings)
        world = _world(settings, store, clocks, network)
        return cls(
            settings,
            _connected(world, settings, clocks),
            store,
            clocks,
            world.now,
            Shared(clocks.monotonic, clocks.sleep, (workers or Workers()).worker(), world.board),
            tenant,
            shutdown=shutdown,
            close_world=world.close,
        )

    @property
    def account(self) -> str:
        """The account of the API key, which several tenants may share."""
        return account_of(self.settings.api_key)

    def own(self, subject: str) -> str:
        """Name something of this account, as every server that shares the state names it."""
        return f"{self.account} {subject}"

    def of(self, tenant: str) -> "Runtime":
        """Return the same account, used by `tenant`."""
        return self if tenant == self.tenant else replace(self, tenant=tenant)

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What seals confirmation tokens: the first one; the others still open theirs.

        Raises:
            ConfigurationError: It cannot be read or made.
        """
        return secrets_of(self.settings)

    async def close(self) -> None:
        """Close connections and files."""
        await self.rest()
        await self.store.close()

    async def rest(self) -> None:
        """Close all but the state."""
        await self.transport.close()
        self.shared.close()
        self.close_world()


async def refuse_changes(change: Change[Any]) -> NoReturn:  # noqa: ARG001
    """Be the guard of planning, which must only read."""
    raise TypeError("a plan sent a change")


def open_store(settings: Settings) -> Store:
    """Open the state; one that cannot be opened refuses whatever must be recorded."""
    try:
        return open_state(settings)
    except ConfigurationError as error:
        # Nothing can be recorded, so nothing is changed; but an emergency stop must still work.
        log.error("%s Only reading and pause_campaign work.", error)
        return UnavailableStore(error)


def _pacer(settings: Settings, store: Store, clocks: Clocks) -> Pacer:
    key = tenant_of(settings.api_key)
    return Pacer(
        settings.rate,
        clocks.seconds,
        clocks.sleep,
        book=partial(store.pace.book, key),
        hold=partial(store.pace.hold, key),
    )


def _board(settings: Settings, store: Store, clocks: Clocks) -> PollBoard | None:
    # By account: servers with keys of their own may share a store, and all call their tenant LOCAL.
    account = tenant_of(settings.api_key)
    return (
        PollBoard(account, store.shared_state, clocks.seconds, clocks.sleep)
        if store.shared_state
        else None
    )


@dataclass(frozen=True, slots=True)
class _World:
    """Where the API is, how fast it may be asked, and what time it is there."""

    url: str
    payment_url: str
    pacer: Pacer
    now: Callable[[], datetime]
    network: httpx2.AsyncBaseTransport | None = None
    board: PollBoard | None = None
    close: Callable[[], None] = lambda: None


def _world(
    settings: Settings, store: Store, clocks: Clocks, network: httpx2.AsyncBaseTransport | None
) -> _World:
    if settings.mode == "sandbox" and network is None:
        return _sandbox(settings, clocks)
    return _World(
        settings.api_url,
        settings.billing_url,
        _pacer(settings, store, clocks),
        clocks.now,
        network,
        _board(settings, store, clocks),
    )


def _connected(world: _World, settings: Settings, clocks: Clocks) -> Transport:
    return Transport.connect(
        world.url,
        settings.api_key or SANDBOX_KEY,
        world.pacer,
        SingleFlight(clocks.monotonic),
        payment_url=world.payment_url,
        now=clocks.now,
        monotonic=clocks.monotonic,
        network=world.network,
    )


def _sandbox(settings: Settings, clocks: Clocks) -> _World:
    from atoms_campaigns_mcp.sandbox.engine.world import Options, StoreError, World  # noqa: PLC0415
    from atoms_campaigns_mcp.sandbox.http.app import create_app  # noqa: PLC0415 - heavy, sandbox only

    options = Options(speed=settings.sandbox_speed, seed=settings.sandbox_seed)
    database = settings.sandbox_db or state_folder(settings) / "sandbox.sqlite3"
    try:
        world = World.open(database, now=clocks.now, options=options)
    except StoreError as error:
        raise _unusable(said_of(error.__cause__ or error)) from error

    def now() -> datetime:
        try:
            return world.now()
        except sqlite3.OperationalError as error:
            raise _unusable(said_of(error)) from error

    return _World(
        SANDBOX_URL,
        SANDBOX_PAYMENTS,
        Pacer(1e6, clocks.seconds, clocks.sleep),  # it is in this process: nothing to pace
        now,
        _Embedded(httpx2.ASGITransport(app=create_app(world))),
        close=world.close,
    )


class _Embedded(httpx2.AsyncBaseTransport):
    """The sandbox in this process, whose disk is ours: trouble with it is no fault of an API."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on.

        Raises:
            ConfigurationError: The database cannot be used, so nothing was done.
        """
        try:
            return await self._inner.handle_async_request(request)
        except sqlite3.OperationalError as error:  # a full disk, a file that is locked
            raise _unusable(said_of(error)) from error


def _unusable(said: str) -> ConfigurationError:
    return ConfigurationError(
        f"The sandbox's database cannot be used ({said}). Nothing was done.",
        next_step="Make room on the disk if it is full, make the file this user's and writable, "
        "give another one in ATOMS_MCP_SANDBOX_DB, or run: sandbox reset.",
    )


def prepare(mode: Mode) -> None:
    """Import what a runtime of this mode would import when it is opened."""
    import_module("atoms_campaigns_mcp.state.sqlite.store")
    if mode == "sandbox":
        import_module("atoms_campaigns_mcp.sandbox.http.app")
