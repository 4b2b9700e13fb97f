"""The sandbox at full speed: many contacts with retries to the end, and a status in between."""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from benchmarks.figures import Row, Scale

LONGEST = 5.0  # seconds


async def run(http: httpx2.AsyncClient, contacts: int) -> tuple[float, float, dict[str, Any]]:
    """Return seconds of the run, the slowest status in seconds, and the metrics."""
    rows = "\n".join(f"+1415{n:07d}" for n in range(2_000_000, 2_000_000 + contacts))
    form = {"name": "Everyone", "phoneNumberColumnName": "phoneNumber"}
    file = {"file": ("c.csv", f"phoneNumber\n{rows}\n", "text/csv")}
    audience = (await http.post("/audience", data=form, files=file)).json()["data"]["_id"]
    body = {
        "name": "Everyone",
        "agentId": "696ddd281ea16a73cb8aafbe",
        "audienceId": audience,
        "phoneNumberIds": ["6963d3a8862e1cb702da7244"],
        "maxRetries": 3,
    }
    campaign = (await http.post("/campaign", json=body)).json()["data"]["_id"]
    begun = time.perf_counter()
    await http.post(f"/campaign/{campaign}/start")
    slowest, status = 0.0, ""
    data: dict[str, Any] = {}
    while status != "completed":
        asked = time.perf_counter()
        data = (await http.get(f"/campaign/{campaign}")).json()["data"]
        status = data["campaign"]["status"]
        slowest = max(slowest, time.perf_counter() - asked)
    return time.perf_counter() - begun, slowest, data["metrics"]


async def simulated(contacts: int) -> tuple[float, float, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        options = Options(speed="max")
        path = Path(folder) / "world.sqlite3"
        world = World.open(path, now=lambda: datetime.now(UTC), options=options)
        transport = httpx2.ASGITransport(app=create_app(world))
        headers = {"Authorization": "Bearer sk_bench"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://sandbox/atoms/v1", headers=headers
        ) as http:
            figures = await run(http, contacts)
        world.close()
    return figures


def measure(scale: Scale) -> list[Row]:
    taken, slowest, metrics = asyncio.run(simulated(scale.contacts))
    assert metrics["contacts_called"] == scale.contacts, metrics
    return [
        Row(
            f"sandbox: {scale.contacts:,} contacts with 3 retries at full speed",
            f"{LONGEST:.0f} s",
            f"{taken:.2f} s (slowest status in between {slowest * 1000:.0f} ms)",
            taken < LONGEST,
        )
    ]
