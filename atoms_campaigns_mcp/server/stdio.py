"""Serving over stdin and stdout, and leaving in good order."""

import os
from functools import partial
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server import pipes
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.server.shutdown_signals import shut_down_on_signal
from atoms_campaigns_mcp.state.maintenance import maintain
from atoms_campaigns_mcp.state.open import require_client
from atoms_campaigns_mcp.telemetry import log

_LAST_WORDS = 1.0  # seconds for the client to read what was answered at the end


def serve(settings: Settings) -> None:
    """Serve until stdin ends, nobody reads stdout any more, or the process is asked to end."""
    require_client(settings)
    status = anyio.run(_Serving(settings, pipes.take()).serve)
    if status is not None:
        # The reader waits in a thread that only the end of stdin would free.
        os._exit(status)


class _Serving:
    """One connection, from its begin to the end of the process."""

    def __init__(self, settings: Settings, streams: pipes.Pipes) -> None:
        self._settings = settings
        self._streams = streams
        self._runtime = RuntimePool(settings)
        self._status: int | None = None

    async def serve(self) -> int | None:
        """Serve; give the exit status if the process must not wait for stdin to end."""
        server = build(self._settings, self._runtime)
        out, messages = anyio.create_memory_object_stream[SessionMessage]()
        async with anyio.create_task_group() as writing:
            over = anyio.CancelScope()
            writing.start_soon(self._say, messages, over)
            with over:
                await self._until_ended(server, out, over)
            with anyio.CancelScope(shield=True):
                await self._runtime.close()
            if self._status is not None:
                writing.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS
        return self._status

    async def _say(self, messages: Any, over: anyio.CancelScope) -> None:
        try:
            await pipes.write_messages(self._streams, messages)
        except OSError as error:
            log.error("ending: the client reads nothing any more (%s)", error.strerror)
            self._end(over, 1)

    def _end(self, over: anyio.CancelScope, status: int) -> None:
        self._status = status
        self._runtime.shutdown.hurry()
        over.cancel()

    async def _until_ended(self, server: Server[Any], out: Any, over: anyio.CancelScope) -> None:
        into, heard = anyio.create_memory_object_stream[SessionMessage | Exception]()
        # The SDK cancels what is in flight at the end of stdin, and does not say so beforehand.
        hurry = self._runtime.shutdown.hurry
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shut_down_on_signal, partial(self._end, over, 0))
            tasks.start_soon(maintain, self._settings)
            tasks.start_soon(pipes.read_messages, self._streams, into, out.clone(), hurry)
            await server.run(heard, out, server.create_initialization_options())
            tasks.cancel_scope.cancel()
