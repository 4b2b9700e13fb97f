"""Serving over stdin and stdout, and leaving in good order.

stdout carries the protocol and nothing else: the SDK diverts the descriptor, logs go to stderr.
"""

import os
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from atoms_campaigns_mcp.server.build import build
from atoms_campaigns_mcp.server.history import report_unfinished
from atoms_campaigns_mcp.server.runtimes import Runtimes
from atoms_campaigns_mcp.server.signals import end_on_signal
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.state.opening import require_client


def serve(settings: Settings) -> None:
    """Serve until stdin ends or the process is asked to end."""
    require_client(settings)
    anyio.run(_serve, settings)


async def _serve(settings: Settings) -> None:
    runtime = Runtimes(settings)
    server = build(settings, runtime)
    async with stdio_server() as (read, write):
        told = await _until_ended(server, runtime, settings, read, write)
        await runtime.close()
        if told:
            # The SDK's reader blocks in a thread that only the end of stdin would free.
            os._exit(0)


async def _until_ended(
    server: Server[Any], runtime: Runtimes, settings: Settings, read: Any, write: Any
) -> bool:
    """Serve until the end of stdin, or until SIGTERM or SIGINT; say whether it was a signal."""
    told: list[bool] = []
    into, out = anyio.create_memory_object_stream[Any](0)
    async with anyio.create_task_group() as tasks:

        def end() -> None:
            told.append(True)
            runtime.ending.hurry()
            tasks.cancel_scope.cancel()

        async def until_end_of_stdin() -> None:
            async with into:
                async for message in read:
                    await into.send(message)
                # The SDK cancels what is in flight, and does not say so beforehand.
                runtime.ending.hurry()

        tasks.start_soon(end_on_signal, end)
        tasks.start_soon(report_unfinished, settings)
        tasks.start_soon(until_end_of_stdin)
        await server.run(out, write, server.create_initialization_options())
        tasks.cancel_scope.cancel()
    return bool(told)
