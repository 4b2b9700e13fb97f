"""Serving over Streamable HTTP, to one machine or to a team."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from socket import socket

import anyio
import anyio.lowlevel
import httpx2
import uvicorn
from starlette.middleware import Middleware

from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.config.identity import LOCAL
from atoms_campaigns_mcp.config.parsing import LOOPBACK
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.auth.api_keys import KeyVerifier, Verify, known
from atoms_campaigns_mcp.server.auth.oauth.resource_server import OAuth
from atoms_campaigns_mcp.server.auth.principal import Principal, principal_of
from atoms_campaigns_mcp.server.http.app import State, application, behind
from atoms_campaigns_mcp.server.http.guarding import Guarding, watch
from atoms_campaigns_mcp.server.http.middleware.access_log import AccessLog
from atoms_campaigns_mcp.server.http.middleware.authentication import Authentication
from atoms_campaigns_mcp.server.http.middleware.bodies import Bodies
from atoms_campaigns_mcp.server.http.middleware.header_checks import AllowedHosts, cors
from atoms_campaigns_mcp.server.http.middleware.normalization import Normalization
from atoms_campaigns_mcp.server.http.middleware.open_streams import OpenStreams, Streams
from atoms_campaigns_mcp.server.http.middleware.post_checks import InFlight, PostChecks
from atoms_campaigns_mcp.server.http.middleware.rate_limits import RateLimits
from atoms_campaigns_mcp.server.http.middleware.resource_metadata import ResourceMetadata
from atoms_campaigns_mcp.server.http.middleware.scope_challenge import ScopeChallenge
from atoms_campaigns_mcp.server.http.middleware.session_limits import SessionLimits
from atoms_campaigns_mcp.server.http.middleware.session_names import SessionNames
from atoms_campaigns_mcp.server.http.paths import MCP
from atoms_campaigns_mcp.server.http.replica_places import ReplicaPlaces
from atoms_campaigns_mcp.server.http.replica_rate_limit import ReplicaRateLimit
from atoms_campaigns_mcp.server.http.uploads import UploadEndpoint
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.mcp.subscriptions import Subscriptions
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.server.shutdown_signals import shut_down_on_signal
from atoms_campaigns_mcp.sockets import LAST, listening
from atoms_campaigns_mcp.state.folder import require_shared_secret
from atoms_campaigns_mcp.state.maintenance import maintain
from atoms_campaigns_mcp.state.open import require_client
from atoms_campaigns_mcp.telemetry import log

GRACE = 6  # whole seconds for requests in flight when asked to end; ten are allowed in all
CONNECTIONS = 2000  # at once; more get 503 at once
# Seconds that an idle connection stays: longer than clients and proxies keep theirs, or they would
# send into one that is being closed.
IDLE = 75


def serve(settings: Settings, address: str, *, guard: Guarding = "") -> None:
    """Serve at `address` (HOST:PORT; port 0 takes a free one), and watch over what dials.

    Raises:
        ConfigurationError: The address is malformed, or without authentication reachable from
            other machines; or the port is in use; or the state is shared, and a secret or a
            package for it is absent; or the guard has no rule.
    """
    host, port = bound_for(settings, address)
    required(settings)
    anyio.run(_serve, settings, host, port, guard)


def bound_for(settings: Settings, address: str) -> tuple[str, int]:
    """Return the host and port to listen on.

    Raises:
        ConfigurationError: The address is malformed, or reaches too far without authentication.
    """
    host, port = _split(address)
    if host not in LOOPBACK and settings.auth == "none":
        raise ConfigurationError(
            "Without authentication the server may listen on this machine only.",
            next_step="Use --auth key, or --http 127.0.0.1:8080.",
        )
    return host, port


def required(settings: Settings) -> None:
    """Refuse to serve without what a shared state needs.

    Raises:
        ConfigurationError: A secret or a package for it is absent.
    """
    require_client(settings)
    require_shared_secret(settings)


class Service:
    """Everything that answers requests, and what must be ended in order."""

    def __init__(
        self,
        settings: Settings,
        clocks: Clocks | None = None,
        network: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Serve with `settings`; `clocks` and `network` are replaced by tests."""
        # Files are on the server's machine, which is not the client's.
        self._settings = settings = replace(settings, files=())
        self._clocks = clocks = clocks or Clocks()
        self.runtimes = RuntimePool(settings, clocks=clocks, network=network)
        self._subscriptions = Subscriptions(
            lambda context: principal_of(context, settings).account,
            lambda: self.runtimes.store().shared_state,
        )
        self._places = ReplicaPlaces(self.runtimes.store)
        self._verifying = self._connection(network)
        self._oauth = OAuth(settings, clocks, network) if settings.auth == "oauth" else None
        server = build(settings, self.runtimes, over_http=True, subscriptions=self._subscriptions)
        self._in_flight, self._streams = InFlight(), OpenStreams()
        self._ending = False
        server.middleware.append(self._in_flight.during)
        self.inner = application(server, UploadEndpoint(self.runtimes), settings, self._state)
        self.app = behind(self._middleware(), self.inner)

    def _middleware(self) -> list[Middleware]:
        """Return what a request passes before it is served, in this order."""
        settings, clocks, oauth = self._settings, self._clocks, self._oauth
        return [
            *([Middleware(SessionNames, settings.replica)] if settings.replica else []),
            Middleware(Normalization, MCP),
            Middleware(AccessLog, clocks.monotonic),
            Middleware(cors, settings),
            Middleware(AllowedHosts, settings),
            *([Middleware(ResourceMetadata, oauth.challenges, MCP)] if oauth else []),
            Middleware(Authentication, self._verify()),
            Middleware(
                RateLimits,
                rate=settings.client_rate,
                in_flight=settings.client_calls,
                monotonic=clocks.monotonic,
                elsewhere=ReplicaRateLimit(self.runtimes.store, clocks.seconds),
                place=self._places.place,
            ),
            Middleware(SessionLimits, clocks.monotonic),
            Middleware(Streams, self._streams),
            Middleware(Bodies),
            *([Middleware(ScopeChallenge, oauth.challenges)] if oauth else []),
            Middleware(PostChecks, self._in_flight, MCP),
        ]

    def _verify(self) -> Verify:
        settings = self._settings
        if settings.auth == "none":
            return known(Principal(LOCAL, settings.api_key, settings.permitted))
        if self._oauth:
            return self._oauth.verify
        strangers = self._verifying
        tenants = replace(strangers, pacer=self._pacer("keys seen before"))
        return KeyVerifier(settings, strangers, tenants, self._clocks.monotonic)

    def _connection(self, network: httpx2.AsyncBaseTransport | None) -> Transport:
        """Connect to the API for verifying keys, at a pace of its own."""
        settings, clocks = self._settings, self._clocks
        return Transport.connect(
            settings.api_url,
            "",
            self._pacer("keys not seen before"),
            SingleFlight(clocks.monotonic),
            payment_url=settings.billing_url,
            now=clocks.now,
            monotonic=clocks.monotonic,
            network=network,
        )

    def _pacer(self, verified: str) -> Pacer:
        """Pace what verifies keys of a kind, together with the other replicas."""
        clocks = self._clocks

        async def book(slot: Slot) -> float:
            return await self.runtimes.store().pace.book(verified, slot)

        async def hold(now: float, until: float) -> None:
            await self.runtimes.store().pace.hold(verified, now, until)

        return Pacer(self._settings.rate, clocks.seconds, clocks.sleep, book=book, hold=hold)

    async def _state(self) -> State:
        """Return whether the state can be read; while it is away, reads and the stop work."""
        if self._ending:
            return "ending"
        try:
            await self.runtimes.store().journal.entries(1)
        except NotRecorded:
            return "away"
        return "ok"

    async def relay(self) -> None:
        """Pass on what other replicas say has changed, until cancelled."""
        await self._subscriptions.relay(self._clocks.sleep)

    async def keep_places(self) -> None:
        """Keep what this replica has of the tenants' requests at once, until cancelled."""
        await self._places.keep(self._clocks.sleep)

    async def guard(self, guarding: Guarding) -> None:
        """Watch over the server's own account until cancelled, if there is to be a guard."""
        if guarding:
            runtime = await self.runtimes(Principal(LOCAL, self._settings.api_key))
            await watch(runtime, self._subscriptions, resumes=guarding == "resume")

    def end(self) -> None:
        """Take no more, end what only listens, and hurry what changes something."""
        self._ending = True
        self.runtimes.end(GRACE - 1)  # and a second for the answer
        self._subscriptions.close()
        self._streams.close()

    async def close(self) -> None:
        """Close connections and files."""
        await self._verifying.close()
        if self._oauth:
            await self._oauth.close()
        await self.runtimes.close()


class _Uvicorn(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again at its end, before we could close files."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def end(self) -> None:
        """Take no more requests, and finish those in flight."""
        self.should_exit = True


async def _serve(settings: Settings, host: str, port: int, guard: Guarding) -> None:
    flag = f"--http {_named(host)}:"
    with listening(host, port, flag=flag) as bound:
        service = Service(settings)
        try:
            await _until_ended(service, settings, host, bound, guard)
        finally:
            await service.close()
    log.info("ended")


async def _until_ended(
    service: Service, settings: Settings, host: str, bound: socket, guard: Guarding
) -> None:
    config = uvicorn.Config(
        service.app,
        # By name: with "auto", what else is installed would decide what is refused and logged how.
        http="h11",
        loop="none",  # it runs on ours
        log_config=None,
        access_log=False,
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )
    server = _Uvicorn(config)

    def end() -> None:
        log.info("ending: no new requests are taken, those in flight have %s s", GRACE)
        service.end()
        server.end()

    port = bound.getsockname()[1]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shut_down_on_signal, end)
        tasks.start_soon(service.relay)
        tasks.start_soon(service.keep_places)
        tasks.start_soon(maintain, settings)
        tasks.start_soon(service.guard, guard)
        await anyio.lowlevel.checkpoint()  # whoever reads the next line may send a signal
        log.info("listening on http://%s:%s%s (%s)", _named(host), port, MCP, settings.mode)
        await server.serve(sockets=[bound])
        tasks.cancel_scope.cancel()


def _named(host: str) -> str:
    """Write a host as addresses have it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST:
        raise ConfigurationError(
            f"--http wants HOST:PORT, with a port from 0 to {LAST}.",
            next_step="For example --http 127.0.0.1:8080.",
        )
    return host.strip("[]"), int(port)
