"""A preview of 10,000 contacts: CPU, the longest the event loop stood still, and memory.

The API is canned in process, so that only our own work is measured.
"""

import asyncio
import gc
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client

from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.build import build
from atoms_campaigns_mcp.server.principal import Principal
from atoms_campaigns_mcp.settings import Settings

CONTACTS = 10_000
PAGE = 500
CAMPAIGN, AGENT, AUDIENCE = "a" * 24, "b" * 24, "c" * 24
PREFIXES = ("+9198765", "+1415555", "+4479460", "+6141234", "+4915123", "+5511987")


def number(n: int) -> str:
    """Spread the contacts over six countries."""
    return f"{PREFIXES[n % len(PREFIXES)]}{n:05d}"


PAGES = {
    page: {
        "members": [
            {"_id": f"{n:024x}", "data": {"phoneNumber": number(n), "name": f"Contact {n}"}}
            for n in range((page - 1) * PAGE, page * PAGE)
        ],
        "totalCount": CONTACTS,
        "hasMore": page * PAGE < CONTACTS,
    }
    for page in range(1, CONTACTS // PAGE + 1)
}
AUDIENCES = [{"_id": AUDIENCE, "name": "Everyone", "memberCount": CONTACTS}]
CANNED: dict[str, Any] = {
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
    "/atoms/v1/audience": AUDIENCES,
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


async def answer(request: httpx2.Request) -> httpx2.Response:
    """Answer as the API would, after a moment in which others have their turn."""
    await asyncio.sleep(0.005)
    data = CANNED.get(request.url.path)
    if request.url.path.endswith("/members"):
        data = PAGES[int(request.url.params["page"])]
    return httpx2.Response(200, content=json.dumps({"status": True, "data": data}))


async def measured(client: Client) -> tuple[float, float, dict[str, Any]]:
    """Give CPU seconds, the longest gap in seconds between two turns of the loop, and the reply."""
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


async def main() -> None:
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state=Path(state), rate=1000)
        runtime = Runtime.open(settings, network=httpx2.MockTransport(answer))
        gc.freeze()  # as the server does

        async def opened(_: Principal) -> Runtime:
            return runtime

        async with Client(build(settings, opened)) as client:
            for name in ("first, with imports", "again"):
                used, gap, reply = await measured(client)
                assert reply["contacts"] == CONTACTS
                print(f"{name}: {used:.2f} s of CPU (budget 2), loop still for {gap * 1000:.0f} ms")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory of the process {peak:.0f} MiB")
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(main())
