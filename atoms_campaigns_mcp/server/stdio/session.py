"""One session of the SDK on the pipes, from its begin to the end of the process."""

import gc
from functools import partial
from importlib import import_module
from threading import Thread
from typing import Any

import anyio
from mcp.server.lowlevel import Server

from atoms_campaigns_mcp.config.settings import Mode, Settings
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.server.shutdown_signals import shut_down_on_signal
from atoms_campaigns_mcp.server.stdio.pipes import Inbox, Outbox
from atoms_campaigns_mcp.server.stdio.streams import Answers, Messages
from atoms_campaigns_mcp.state.maintenance import maintain

_LAST_WORDS = 1.0  # seconds for the client to read what was answered at the end


def run(settings: Settings, inbox: Inbox, outbox: Outbox) -> int | None:
    """Serve to the end; give the exit status if the process must not wait for its threads.

    Raises:
        OSError: stdin cannot be read any more.
    """
    session = _Session(settings)
    status = anyio.run(session.serve, inbox, outbox)
    if inbox.error is not None:
        raise inbox.error
    # Compiled modules that are imported while the interpreter ends panic.
    return 0 if status is None and session.imports.is_alive() else status


class _Session:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runtime = RuntimePool(settings)
        self._status: int | None = None
        self.imports = Thread(target=prepare, args=[settings.mode], name="imports", daemon=True)

    async def serve(self, inbox: Inbox, outbox: Outbox) -> int | None:
        server = build(self._settings, self._runtime)
        # The SDK cancels what is in flight at the end of stdin, and does not say so beforehand.
        messages = Messages(inbox, outbox, self._runtime.shutdown.hurry)
        self.imports.start()
        with anyio.CancelScope() as over:
            await self._until_ended(server, messages, over)
        with anyio.CancelScope(shield=True):
            await self._runtime.close()
        # Without a status stdin has ended, and the client may take its time to read the rest.
        with anyio.move_on_after(None if self._status is None else _LAST_WORDS):
            await messages.answers.finish()
        return 1 if outbox.error else self._status

    async def _until_ended(
        self, server: Server[Any], messages: Messages, over: anyio.CancelScope
    ) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shut_down_on_signal, partial(self._end, over, 0))
            tasks.start_soon(self._watch, messages.answers, over)
            tasks.start_soon(maintain, self._settings)
            await server.run(messages, messages.answers, server.create_initialization_options())
            tasks.cancel_scope.cancel()

    async def _watch(self, answers: Answers, over: anyio.CancelScope) -> None:
        await answers.lost()
        self._end(over, 1)

    def _end(self, over: anyio.CancelScope, status: int) -> None:
        self._status = status
        self._runtime.shutdown.hurry()
        over.cancel()


def prepare(mode: Mode) -> None:
    """Import what the first call of a tool needs, so that its caller does not wait for it.

    From then on garbage is collected, but not looked for in what was imported.
    """
    try:
        for name in ("server.mcp.elicitation", "tool_calls.outcome"):
            import_module(f"atoms_campaigns_mcp.{name}")
        from atoms_campaigns_mcp import runtime  # noqa: PLC0415 - a first answer does without

        runtime.prepare(mode)
    finally:
        gc.freeze()
        gc.enable()
