"""A real server for a team on loopback, between clients that attack it and an emulated API."""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2

from tests.support.emulated import Front, emulated, fronted
from tests.support.process import environment, serving_http, shutdown
from tests.support.team import bearer, request, routing
from tests.support.world import AGENT, AUDIENCE, CALLER_ID

ATTACKER, VICTIM = "sk_attacker", "sk_victim"
CAMPAIGN = {"agentId": AGENT, "audienceId": AUDIENCE, "phoneNumberIds": [CALLER_ID]}
ROWS, WIDTH = 9_000, 430  # some 4 MB, and fewer contacts than the bound


@dataclass
class Target:
    """The server under attack."""

    url: str
    pid: int
    api: Front

    @property
    def peak(self) -> float:
        """The most memory that it has had, in MB (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1000

    @asynccontextmanager
    async def http(self, key: str) -> AsyncGenerator[httpx2.AsyncClient]:
        """A client without bounds of its own."""
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(
            headers=bearer(key), timeout=120, limits=limits, trust_env=False
        ) as http:
            yield http

    async def call(self, http: httpx2.AsyncClient, tool: str, **arguments: Any) -> httpx2.Response:
        """Call a tool in the stateless era."""
        call = {"name": tool, "arguments": arguments}
        return await http.post(
            self.url, json=request("tools/call", call), headers=routing("tools/call", call)
        )

    async def dialling(self) -> str:
        """Start a campaign of the victim behind the server's back; give its id."""
        async with httpx2.AsyncClient(base_url=self.api.url, headers=bearer(VICTIM)) as http:
            wanted = {**CAMPAIGN, "name": "Long"}
            made = await http.post("/atoms/v1/campaign", json=wanted)
            campaign: str = made.raise_for_status().json()["data"]["_id"]
            started = await http.post(f"/atoms/v1/campaign/{campaign}/start")
            started.raise_for_status()
        return campaign

    async def stop(self, campaign: str) -> tuple[float, httpx2.Response]:
        """Have the victim stop a campaign; give the seconds until the API heard of it."""
        self.api.slow = f"POST /atoms/v1/campaign/{campaign}/pause"
        answers, left = list[httpx2.Response](), 0.0
        async with self.http(VICTIM) as http:

            async def ask() -> None:
                answers.append(await self.call(http, "pause_campaign", campaign_id=campaign))

            began = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                await anyio.to_thread.run_sync(self.api.reached.wait, 60)
                left = time.perf_counter() - began
        return left, answers[0]


@contextmanager
def target(folder: Path) -> Generator[Target]:
    with emulated(folder, speed="1") as origin, fronted(origin) as front:
        env = environment(
            folder,
            ATOMS_API_URL=f"{front.url}/atoms/v1",
            ATOMS_MCP_RATE="1000000",
            ATOMS_MCP_CLIENT_RATE="1000000",
            PYTHONDONTWRITEBYTECODE="",
        )
        with serving_http(env=env) as (child, url), shutdown(child):
            yield Target(url, child.process.pid, front)


def large_list() -> str:
    """A contact list of some 4 MB."""
    cell = "x" * (WIDTH - 14)
    rows = (f"+1202{number:07d},{cell}" for number in range(2_000_000, 2_000_000 + ROWS))
    return "\n".join(["phone,note", *rows])
