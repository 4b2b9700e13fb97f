"""An account for the probe: the sandbox behind a real socket, on a fake clock."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import uvicorn

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from atoms_campaigns_mcp.sockets import listening
from tests.probe.preparing import LISTED, Wish
from tests.probe.run import Run, probe
from tests.support.clock import FakeClock

KEY = "sk_of_a_real_account"
PHONES = ("+12025550191", "+12025550192", "+12025550193")
CALLER = "+912268093560"
MARK = "probe-0a1b2c"


@dataclass
class Account(httpx2.AsyncBaseTransport):
    """The sandbox behind a socket, and what reaches it."""

    url: str
    clock: FakeClock
    folder: Path
    network: httpx2.AsyncBaseTransport
    sent: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])
    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    on_request: Callable[[list[str]], None] = lambda _: None
    on_answer: Callable[[str, bytes], bytes] = lambda _, content: content

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        self.on_request(self.sent)
        response = await self.network.handle_async_request(request)
        content = self.on_answer(self.sent[-1], await response.aread())
        await response.aclose()
        kind = {"Content-Type": response.headers["content-type"]}
        return httpx2.Response(response.status_code, content=content, headers=kind)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SMALLEST_API_KEY": KEY,
            "ATOMS_API_URL": f"{self.url}/atoms/v1",
            "ATOMS_MCP_STATE": str(self.folder),
            "ATOMS_MCP_RATE": "1000",
        }

    async def probed(self, count: int = 3, *, listed: str = "", **settings: str) -> Run:
        phones = {number: f"phone {place}" for place, number in enumerate(PHONES[:count], 1)}
        phones |= {listed: LISTED} if listed else {}
        result = Run()
        await probe(
            Wish(phones, "Outreach", CALLER),
            Settings.load(self.environment | settings),
            say=self.said.append,
            keep=self.reports.append,
            mark=MARK,
            result=result,
            clocks=self.clock.clocks(),
            network=self,
        )
        return result

    @property
    def answers(self) -> dict[str, str]:
        return {one["question"]: one["answer"] for one in self.reports[0]["answers"]}

    def seen(self, question: str) -> dict[str, Any]:
        found = (one for one in self.reports[0]["answers"] if one["question"] == question)
        return next(found)["seen"]

    async def get(self, path: str) -> Any:
        """Read the account beside the probe."""
        headers = {"Authorization": f"Bearer {KEY}"}
        request = httpx2.Request("GET", f"{self.url}/atoms/v1{path}", headers=headers)
        response = await self.network.handle_async_request(request)
        content = await response.aread()
        await response.aclose()
        return json.loads(content)["data"]

    async def there(self) -> list[str]:
        """The names of what a run left in the account."""
        rows = [*(await self.get("/campaign?offset=50"))["campaigns"], *await self.get("/audience")]
        return [row["name"] for row in rows if row["name"].startswith("probe-")]

    async def calls(self) -> list[dict[str, Any]]:
        """The calls to the phones of the probe."""
        rows = (await self.get("/conversation?limit=500&callAttemptFilter=all"))["logs"]
        return [row for row in rows if row["to"] in PHONES]


@asynccontextmanager
async def account(folder: Path, **options: Any) -> AsyncGenerator[Account]:
    """Serve a sandbox on loopback."""
    async with _world(**options) as (clock, app):
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        socket = listening("127.0.0.1", 0, flag="")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [socket])
            network = httpx2.AsyncHTTPTransport()
            try:
                url = f"http://127.0.0.1:{socket.getsockname()[1]}"
                yield Account(url, clock, folder, network)
            finally:
                await network.aclose()
                server.should_exit = True
        socket.close()


@asynccontextmanager
async def account_in_memory(folder: Path, **options: Any) -> AsyncGenerator[Account]:
    """Do the same without a socket, which is faster."""
    async with _world(**options) as (clock, app):
        yield Account("http://127.0.0.1", clock, folder, httpx2.ASGITransport(app=app))


@asynccontextmanager
async def _world(**options: Any) -> AsyncGenerator[tuple[FakeClock, Any]]:
    clock = FakeClock()
    world = World.open(":memory:", now=clock.now, options=Options(speed=1, **options))
    try:
        yield clock, create_app(world, sleep=clock.sleep)
    finally:
        world.close()
