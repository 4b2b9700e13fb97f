"""A preview of many contacts: CPU, the longest the event loop stood still, and memory.

The API is canned in process, so that only our own work is measured, and the process is another, so
that its memory is: `python -m benchmarks.preview CONTACTS`.
"""

import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.auth.principal import Principal
from atoms_campaigns_mcp.server.mcp.server import build
from benchmarks.figures import Row, Scale
from benchmarks.stdio import environment

MOST_CPU = 2.0  # seconds
LONGEST_STILL = 0.1  # seconds; longer, and another caller would notice
MOST_GROWTH = 1.05  # of the peak memory of the first preview, after as many again
PREVIEWS = 4
PAGE = 500
CAMPAIGN, AGENT, AUDIENCE = "a" * 24, "b" * 24, "c" * 24
PREFIXES = ("+9198765", "+1415555", "+4479460", "+6141234", "+4915123", "+5511987")


def number(n: int) -> str:
    """Spread the contacts over six countries."""
    return f"{PREFIXES[n % len(PREFIXES)]}{n:05d}"


def page(which: int, contacts: int) -> dict[str, Any]:
    """Return one page of the audience."""
    return {
        "members": [
            {"_id": f"{n:024x}", "data": {"phoneNumber": number(n), "name": f"Contact {n}"}}
            for n in range((which - 1) * PAGE, which * PAGE)
        ],
        "totalCount": contacts,
        "hasMore": which * PAGE < contacts,
    }


def canned(contacts: int) -> dict[str, Any]:
    """Return the answers of the API, by path, with the pages of members by number."""
    return {
        f"/atoms/v1/campaign/{CAMPAIGN}": {
            "campaign": {
                "_id": CAMPAIGN,
                "name": "Big",
                "status": "draft",
                "agent": {"_id": AGENT, "name": "Voice"},
                "audience": {"_id": AUDIENCE, "name": "Everyone"},
                "maxRetries": 3,
                "retryDelay": 15,
            }
        },
        "/atoms/v1/campaign": {"campaigns": [], "pagination": {"total": 0}},
        "/atoms/v1/audience": [{"_id": AUDIENCE, "name": "Everyone", "memberCount": contacts}],
        f"/atoms/v1/agent/{AGENT}": {"_id": AGENT, "name": "Voice"},
        "/atoms/v1/product/phone-numbers": [],
        "/atoms/v1/dnc": {
            "entries": [{"phoneNumber": number(n)} for n in range(PAGE)],
            "pagination": {"hasMore": False},
        },
        "/atoms/v1/concurrency": {"orgLimit": 20},
        "/atoms/v1/conversation": {"logs": [], "pagination": {"total": 0}},
        "/payment/v1/credits/balance": {"creditBalance": 15},
    }


def api(contacts: int) -> httpx2.MockTransport:
    """Return an API that answers after a moment in which others have their turn."""
    bodies = {path: _body(data) for path, data in canned(contacts).items()}
    # Made before anything is measured: this is not our work.
    pages = [_body(page(n, contacts)) for n in range(1, contacts // PAGE + 1)]

    async def answer(request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(0.005)
        if request.url.path.endswith("/members"):
            return httpx2.Response(200, content=pages[int(request.url.params["page"]) - 1])
        return httpx2.Response(200, content=bodies[request.url.path])

    return httpx2.MockTransport(answer)


def _body(data: Any) -> bytes:
    return json.dumps({"status": True, "data": data}).encode()


async def measured(client: Client) -> tuple[float, float, dict[str, Any]]:
    """Return CPU seconds, the longest gap in seconds between turns of the loop, and the reply."""
    gaps = [0.0]

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - before - 0.001)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    begun = time.process_time()
    result = await client.call_tool("preview_campaign", {"campaign_id": CAMPAIGN})
    used = time.process_time() - begun
    ticking.cancel()
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return used, max(gaps), result.structured_content


async def main(contacts: int) -> None:
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state=Path(state), rate=1000)
        runtime = Runtime.open(settings, network=api(contacts))
        gc.freeze()  # as the server does

        async def opened(_: Principal) -> Runtime:
            return runtime

        figures: list[tuple[float, float, int]] = []
        async with Client(build(settings, opened)) as client:
            for _ in range(PREVIEWS):
                used, still, reply = await measured(client)
                assert reply["contacts"] == contacts
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                figures.append((used, still, peak))
        await runtime.close()
    print(json.dumps(figures))


def measure(scale: Scale) -> list[Row]:
    command = [sys.executable, "-m", "benchmarks.preview", str(scale.contacts)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True)
    figures = json.loads(done.stdout)
    used, still, peaks = zip(*figures, strict=True)
    growth = peaks[-1] / peaks[0]
    what = f"preview of {scale.contacts:,} contacts"
    return [
        Row(
            f"{what}: CPU of the first, with imports, and of the next",
            f"{MOST_CPU} s",
            f"{used[0]:.2f} s, {used[1]:.2f} s",
            max(used) <= MOST_CPU,
        ),
        Row(
            f"{what}: longest standstill of the event loop",
            f"{LONGEST_STILL * 1000:.0f} ms",
            f"{max(still) * 1000:.0f} ms",
            max(still) <= LONGEST_STILL,
        ),
        Row(
            f"{what}: peak memory after {PREVIEWS}, against after one",
            f"{MOST_GROWTH} x",
            f"{growth:.2f} x ({peaks[0] / 1024:.0f} MiB after one)",
            growth <= MOST_GROWTH,
        ),
    ]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
