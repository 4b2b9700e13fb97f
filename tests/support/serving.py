"""Our server with a real MCP client in memory, over any network."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Clocks, Runtime
from atoms_campaigns_mcp.server.auth.principal import Principal
from atoms_campaigns_mcp.server.mcp.server import build

ERAS = ("legacy", "2026-07-28")
Answer = Callable[[str], ElicitResult]


@dataclass
class Wire(httpx2.AsyncBaseTransport):
    """Counts what reaches the API."""

    below: httpx2.AsyncBaseTransport
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return await self.below.handle_async_request(request)

    @property
    def changes(self) -> list[str]:
        """The last part of each path that was sent with another method than GET."""
        return [r.url.path.rpartition("/")[2] for r in self.requests if r.method != "GET"]


@dataclass
class Caller:
    """A client with short words for what a test does with it."""

    client: Client

    async def raw(self, tool: str, **arguments: Any) -> CallToolResult:
        return await self.client.call_tool(tool, arguments)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured result of a call that must succeed."""
        result = await self.raw(tool, **arguments)
        assert not result.is_error, text_of(result)
        assert result.structured_content is not None
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Return the text of a call that must fail."""
        result = await self.raw(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def token(self, tool: str, **arguments: Any) -> str:
        """Return the token that a refused call gives to a client which cannot be asked."""
        result = await self.raw(tool, **arguments)
        assert result.is_error, text_of(result)
        assert result.structured_content is not None
        return str(result.structured_content["confirm_token"])


def text_of(result: CallToolResult) -> str:
    return "\n".join(getattr(part, "text", "") for part in result.content)


def says_yes(_: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"confirm": True})


@asynccontextmanager
async def serving(
    settings: Settings,
    network: httpx2.AsyncBaseTransport,
    *,
    clocks: Clocks | None = None,
    era: str = "2026-07-28",
    answer: Answer | None = says_yes,
) -> AsyncGenerator[Caller]:
    """Connect a client; without `answer` it is one that cannot be asked."""
    runtime = Runtime.open(settings, clocks=clocks, network=network)

    async def opened(_: Principal) -> Runtime:
        return runtime

    async def elicit(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        assert answer is not None
        return answer(params.message)

    callback = elicit if answer else None
    try:
        async with Client(
            build(settings, opened), mode=era, elicitation_callback=callback
        ) as client:
            yield Caller(client)
    finally:
        await runtime.close()
