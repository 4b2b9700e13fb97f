"""Our server for a team: real sockets, a fake clock, and an organization for each key."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import SocketStream
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams

from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.http.serve import Service
from tests.support.bench import Bench
from tests.support.clients import listening
from tests.support.process import ENVELOPE, INITIALIZE
from tests.support.serving import Answer, Caller, says_yes

ANNA = "sk_tenant_anna"
BERT = "sk_tenant_bert"
ACCEPT = {"Accept": "application/json, text/event-stream"}
CSV = {"Content-Type": "text/csv"}
LEGACY = {"Mcp-Protocol-Version": "2025-11-25"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def request(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """A message of the stateless era, from a client that can be asked."""
    meta: dict[str, Any] = {
        **ENVELOPE["_meta"],
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    }
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": meta},
    }


def routing(method: str, params: dict[str, Any] | None = None) -> dict[str, str]:
    """The headers that repeat what a message of the stateless era is about."""
    name = (params or {}).get("name") or (params or {}).get("uri")
    named = {"Mcp-Name": name} if name else {}
    return {**ACCEPT, "Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": method, **named}


def told(response: httpx2.Response) -> dict[str, Any]:
    """The last JSON-RPC message of an answer, in whichever form it came."""
    if response.headers["content-type"].startswith("text/event-stream"):
        lines = response.text.splitlines()
        return json.loads([line for line in lines if line.startswith("data: {")][-1][6:])
    return response.json()


@dataclass
class Team:
    """A running server, and clients of it."""

    bench: Bench
    service: Service
    url: str

    def http(self, key: str = "", **headers: str) -> httpx2.AsyncClient:
        """A client that knows nothing of MCP."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.AsyncClient(base_url=self.url, headers={**bearer(key), **named}, timeout=30)

    async def connection(self) -> SocketStream:
        """A connection on which a test sends what it likes."""
        return await anyio.connect_tcp("127.0.0.1", int(self.url.rpartition(":")[2]))

    def head(self, method: str, path: str, key: str, **headers: str) -> bytes:
        """The first lines of a request, and the empty one after them."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = {"Host": self.url.removeprefix("http://"), **bearer(key), **named}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode()

    async def post(
        self, key: str, method: str, params: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """Send one message of the stateless era."""
        async with self.http(key, **headers) as http:
            return await http.post(
                "/mcp", json=request(method, params), headers=routing(method, params)
            )

    async def session(self, key: str) -> str:
        """Begin a session of the legacy era; give its id."""
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}
        async with self.http(key) as http:
            answer = await http.post("/mcp", json=body, headers=ACCEPT)
        return answer.raise_for_status().headers["mcp-session-id"]

    @asynccontextmanager
    async def client(
        self,
        key: str,
        era: str = "2026-07-28",
        answer: Answer | None = says_yes,
        **headers: str,
    ) -> AsyncGenerator[Caller]:
        """Connect a real MCP client; without `answer` it is one that cannot be asked."""

        async def elicit(context: object, params: ElicitRequestParams) -> Any:  # noqa: ARG001
            assert answer is not None
            return answer(params.message)

        async with (
            self.http(key, **headers) as http,
            Client(
                streamable_http_client(f"{self.url}/mcp", http_client=http),
                mode=era,
                elicitation_callback=elicit if answer else None,
            ) as client,
        ):
            yield Caller(client)


@contextmanager
def prepared(folder: Path) -> Generator[Bench]:
    """A bench whose server asks for keys and limits nobody, until a test says otherwise."""
    with Bench.open(folder) as bench:
        bench.configure(auth="key", rate=1e6, client_rate=1e6, client_calls=1000)
        yield bench


@asynccontextmanager
async def serving_team(bench: Bench, clocks: Clocks | None = None) -> AsyncGenerator[Team]:
    service = Service(bench.settings, clocks or bench.clock.clocks(), bench.wire)
    try:
        async with listening(service.app) as url:
            try:
                yield Team(bench, service, url)
            finally:
                service.end()
    finally:
        await service.close()
