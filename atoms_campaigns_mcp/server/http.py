"""Serving over Streamable HTTP at `/mcp`."""

from collections.abc import Generator
from contextlib import contextmanager
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any

import anyio
import uvicorn

from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.server.build import LazyRuntime, build
from atoms_campaigns_mcp.server.history import report_unfinished
from atoms_campaigns_mcp.server.signals import end_on_signal
from atoms_campaigns_mcp.settings import LOOPBACK, Settings
from atoms_campaigns_mcp.telemetry import log

GRACE = 2  # whole seconds for requests in flight when asked to end
PATH = "/mcp"


def serve(settings: Settings, address: str) -> None:
    """Serve at `address` (HOST:PORT; port 0 takes a free one) without authentication.

    Raises:
        ConfigurationError: The address is malformed, or reachable from other machines.
    """
    host, port = _split(address)
    if host not in LOOPBACK:
        raise ConfigurationError(
            "Without authentication the server may listen on this machine only.",
            next_step="Use --http 127.0.0.1:8080, or put an authenticating server in front.",
        )
    anyio.run(_serve, settings, host, port)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to us: uvicorn raises them again at its end, before we could close files."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    def end(self) -> None:
        """Take no more requests, and finish those in flight."""
        self.should_exit = True


async def _serve(settings: Settings, host: str, port: int) -> None:
    await report_unfinished(settings)
    runtime = LazyRuntime(settings)
    app: Any = build(settings, runtime).streamable_http_app(streamable_http_path=PATH, host=host)
    server = _Uvicorn(
        uvicorn.Config(app, host=host, port=port, log_config=None, timeout_graceful_shutdown=GRACE)
    )
    try:
        with listening(server.config) as bound:
            port = bound.getsockname()[1]
            log.info("listening on http://%s:%s%s (%s)", host, port, PATH, settings.mode)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(end_on_signal, server.end)
                await server.serve(sockets=[bound])
                tasks.cancel_scope.cancel()
    finally:
        await runtime.close()


def listening(config: uvicorn.Config) -> socket:
    """Give a socket to which clients may connect from now on."""
    bound = config.bind_socket()
    # asyncio leaves Nagle's algorithm on for sockets that it did not make itself, and it holds
    # back a reply's body until the client has acknowledged its headers: 40 ms a call.
    bound.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    bound.listen()
    return bound


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the last port
        raise ConfigurationError(
            "--http wants HOST:PORT.", next_step="For example --http 127.0.0.1:8080."
        )
    return host.strip("[]"), int(port)
