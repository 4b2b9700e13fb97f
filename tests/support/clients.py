"""Real clients of every kind, on every transport, in both eras of the protocol."""

import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from socket import socket
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest
import uvicorn
from mcp import Client
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import (
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequestParams,
    ElicitResult,
    UrlElicitationCapability,
)

from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.auth.principal import Principal
from atoms_campaigns_mcp.server.mcp.server import build
from tests.support.bench import Bench
from tests.support.serving import Caller

Where = Literal["memory", "http", "http json", "http stateless"]
Ability = Literal["form", "none", "url only"]
Reply = Callable[[str], Awaitable[ElicitResult]]


TURNS = 10  # of the loop, in which a closed connection is known to be closed


class _Uvicorn(uvicorn.Server):
    """Leaves signals to pytest, and ends when told instead of at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.told.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End at once when nothing is under way any more; uvicorn waits a while for nothing."""
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        for _ in range(TURNS):
            if not state.connections and not state.tasks:
                await self.lifespan.shutdown()
                return
            await anyio.lowlevel.checkpoint()
        await super().shutdown(sockets)


@asynccontextmanager
async def listening(app: Any) -> AsyncGenerator[str]:
    """Serve an ASGI application on a free port of this machine; give its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, ws="none", timeout_graceful_shutdown=1
    )
    server = _Uvicorn(config)
    with config.bind_socket() as socket:
        socket.listen()  # clients may connect from here on; uvicorn takes them when it is ready
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(server.serve, sockets=[socket]))
            try:
                yield f"http://127.0.0.1:{socket.getsockname()[1]}"
            finally:
                server.told.set()


def declare(monkeypatch: pytest.MonkeyPatch, ability: Ability) -> None:
    """Have every client say that it can be sent to an address, but shows no form."""
    if ability != "url only":
        return
    only_url = ElicitationCapability(url=UrlElicitationCapability())

    def capabilities(*_: object) -> ClientCapabilities:
        return ClientCapabilities(elicitation=only_url)

    monkeypatch.setattr(ClientSession, "_build_capabilities", capabilities)


@asynccontextmanager
async def connected(
    bench: Bench, where: Where, era: str, reply: Reply | None
) -> AsyncGenerator[Caller]:
    """Connect to our server on the bench's clock and API; questions are kept on the bench."""
    runtime = Runtime.open(bench.settings, clocks=bench.clock.clocks(), network=bench.wire)

    async def opened(_: Principal) -> Runtime:
        return runtime

    async def elicit(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        bench.questions.append(params.message)
        assert reply is not None
        return await reply(params.message)

    server = build(bench.settings, opened)
    callback = elicit if reply else None
    try:
        if where == "memory":
            async with Client(server, mode=era, elicitation_callback=callback) as client:
                yield Caller(client)
        else:
            app = server.streamable_http_app(
                json_response=where == "http json", stateless_http=where == "http stateless"
            )
            async with (
                listening(app) as url,
                Client(f"{url}/mcp", mode=era, elicitation_callback=callback) as client,
            ):
                yield Caller(client)
    finally:
        await runtime.close()


@asynccontextmanager
async def over_stdio(env: dict[str, str], era: str, reply: Reply | None) -> AsyncGenerator[Caller]:
    """Connect to our server as a child process."""

    async def elicit(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        assert reply is not None
        return await reply(params.message)

    words = StdioServerParameters(
        command=sys.executable, args=["-m", "atoms_campaigns_mcp"], env=env
    )
    with open(os.devnull, "w", encoding="utf-8") as errors:  # noqa: ASYNC230, PTH123
        async with Client(
            stdio_client(words, errlog=errors),
            mode=era,
            elicitation_callback=elicit if reply else None,
        ) as client:
            yield Caller(client)
