"""Upstream requests of many watchers of one campaign, against those of one."""

import asyncio
import json
import tempfile
from pathlib import Path

import httpx2
from mcp import Client

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.auth.principal import Principal
from atoms_campaigns_mcp.server.mcp.server import build
from benchmarks.figures import Row, Scale

CAMPAIGN = "a" * 24
RUNNING = {
    "status": True,
    "data": {
        "campaign": {"_id": CAMPAIGN, "name": "Watched", "status": "running"},
        "metrics": {"total_participants": 10},
    },
}


async def requests_of(watchers: int, seconds: int) -> int:
    """Count what reaches the API while so many watch a campaign in which nothing happens."""
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        return httpx2.Response(200, content=json.dumps(RUNNING))

    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state=Path(state))
        runtime = Runtime.open(settings, network=httpx2.MockTransport(answer))

        async def opened(_: Principal) -> Runtime:
            return runtime

        async with Client(build(settings, opened)) as client:
            arguments = {"campaign_id": CAMPAIGN, "until": "finished", "wait_seconds": seconds}
            watching = [client.call_tool("watch_campaign", arguments) for _ in range(watchers)]
            results = await asyncio.gather(*watching)
        await runtime.close()
    assert not any(result.is_error for result in results)
    return len(seen)


def measure(scale: Scale) -> list[Row]:
    many = asyncio.run(requests_of(scale.watchers, scale.watched))
    one = asyncio.run(requests_of(1, scale.watched))
    return [
        Row(
            f"upstream requests of {scale.watchers:,} watchers of one campaign in "
            f"{scale.watched} s, against one",
            "1 x",
            f"{many / one:.2f} x ({many}, {one})",
            many <= one,
        )
    ]
