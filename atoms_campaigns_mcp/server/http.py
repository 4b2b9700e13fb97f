"""Serving over Streamable HTTP at `/mcp`."""

from collections.abc import Generator
from contextlib import contextmanager
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
        with server.config.bind_socket() as socket:
            bound = socket.getsockname()[1]
            socket.listen()  # from here on clients may connect, as the next line tells them
            log.info("listening on http://%s:%s%s (%s)", host, bound, PATH, settings.mode)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(end_on_signal, server.end)
                await server.serve(sockets=[socket])
                tasks.cancel_scope.cancel()
    finally:
        await runtime.close()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the last port
        raise ConfigurationError(
            "--http wants HOST:PORT.", next_step="For example --http 127.0.0.1:8080."
        )
    return host.strip("[]"), int(port)
