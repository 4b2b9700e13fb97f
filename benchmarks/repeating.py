"""A client that repeats what was refused or lost, when the answer says to."""

import re
from typing import Any

import anyio
import httpx2
from mcp import Client, MCPError

from benchmarks.team import One

LONGEST = 120  # seconds in which a call must have gone through; a dead replica's lock lasts 40
ANSWER = 60  # seconds for one answer
PAUSE = 2.0  # seconds, where the answer does not say how many
LOST = (MCPError, TimeoutError)
REPEATED = {
    "unavailable",
    "rate_limited",
    "outcome_unknown",
    "not_recorded",
    "not_confirmed",
    "wrong_state",
}
UNREAD = "dnc_unknown"  # nobody is called while the do-not-call list cannot be read


class Broken502(httpx2.AsyncHTTPTransport):
    """Answers for a replica that died, as an HTTP proxy would; the client would end otherwise."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except httpx2.TransportError:
            return httpx2.Response(502)


class Repeating(One):
    """Of the 2026 era; every request takes a connection of its own, and so its own replica."""

    @property
    def era(self) -> str:
        return "2026-07-28"

    def http(self) -> httpx2.AsyncClient:
        limits = httpx2.Limits(max_keepalive_connections=0)
        return httpx2.AsyncClient(
            headers=self.headers, timeout=ANSWER, transport=Broken502(limits=limits)
        )

    async def call(self, client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
        unsure = False
        with anyio.fail_after(LONGEST):
            while True:
                data, failed = await self._answer(client, tool, arguments)
                if not failed:
                    return data
                code = data.get("code")
                if code is None:
                    raise AssertionError(f"{self.name}: {tool} crashed: {data}")
                if tool == "delete_campaign" and unsure and code == "not_found":
                    return data
                self.figures.why[code] += 1
                if code not in REPEATED | {"lost"} and UNREAD not in data.get("message", ""):
                    raise AssertionError(f"{self.name}: {tool}: {data}")
                unsure |= code in {"lost", "outcome_unknown"}
                await anyio.sleep(_pause(data))

    async def _answer(
        self, client: Client, tool: str, arguments: dict[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        try:
            with anyio.fail_after(ANSWER):
                return await self.attempt(client, tool, arguments)
        except LOST:
            return {"code": "lost"}, True


def _pause(data: dict[str, Any]) -> float:
    told = re.search(r"Wait ([\d.]+) seconds", data.get("next_step", ""))
    return float(told[1]) if told else PAUSE
