"""Spreads connections over the replicas in turn and skips dead ones; knows nothing of HTTP."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import anyio
from anyio.abc import SocketAttribute, SocketStream

BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@asynccontextmanager
async def round_robin(ports: Sequence[int]) -> AsyncGenerator[int]:
    """Listen on a free port of this machine, and give it."""
    turns = count()

    async def handle(client: SocketStream) -> None:
        async with client:
            server = await _reached(ports, next(turns))
            if server is None:
                return
            async with server, anyio.create_task_group() as both:
                both.start_soon(_pass_on, client, server, both.cancel_scope)
                both.start_soon(_pass_on, server, client, both.cancel_scope)

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", backlog=4096) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handle)
        yield listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's
        tasks.cancel_scope.cancel()


async def _reached(ports: Sequence[int], turn: int) -> SocketStream | None:
    for step in range(len(ports)):
        try:
            return await anyio.connect_tcp("127.0.0.1", ports[(turn + step) % len(ports)])
        except OSError:
            continue
    return None


async def _pass_on(source: SocketStream, to: SocketStream, scope: anyio.CancelScope) -> None:
    try:
        async for data in source:
            await to.send(data)
    except BROKEN:
        pass
    # Each answer ends before its connection does, so nobody waits for the other direction.
    scope.cancel()
