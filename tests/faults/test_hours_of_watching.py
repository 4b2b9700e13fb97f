"""Watching for hours leaves nothing behind: neither memory nor open files."""

import gc
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.caching.shared_polls import SLOWEST
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.do_not_call import list_strangers_only
from tests.support.serving import Caller, Wire
from tests.support.world import DRAFT

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
HOURS = 8
WARMING_UP = 5  # hours; every cache has been used, and two waves of calls are over
BLOCKS = 1000  # of some 614,000, after some 6,000 requests; waves of calls make them differ by 300
LONGEST = 480  # seconds of the machine, which may be busy
OPEN_FILES = Path("/proc/self/fd")
RARELY = Odds(connected=0.05, no_answer=0.95, voicemail=0, busy=0, failed=0)
WAVES = {  # nearly everybody is called again until the hours are over
    **DRAFT,
    "audience_id": "Spring renewals",
    "max_retries": 10,
    "retry_delay": 150,
}


@pytest.fixture
def unrefereed(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose exchanges are not held to the OpenAPI document: there are some 16,000."""
    clock = FakeClock()
    world = World.open(":memory:", now=clock.now, options=Options(speed=1, odds=RARELY))
    wire = Wire(httpx2.ASGITransport(app=create_app(world)))
    list_strangers_only(world)
    yield Bench(Settings(state=tmp_path), clock, world, wire)
    world.close()


async def watch_until(end: datetime, bench: Bench, client: Caller, campaign: str) -> str:
    """Watch again and again until `end`; give the last status."""
    since, status = None, ""
    while bench.clock.now() < end:
        following = {"since": since} if since else {}
        report = await client.call(
            "watch_campaign", campaign_id=campaign, wait_seconds=45, **following
        )
        since, status = report["since"], report["status"]
    return status


def open_files() -> int:
    return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.exists() else 0


async def test_eight_hours_of_watching_leave_memory_and_open_files_as_they_were(
    unrefereed: Bench,
) -> None:
    bench = unrefereed
    blocks: list[int] = []
    files: list[int] = []
    looks = 0
    with anyio.fail_after(LONGEST):
        async with bench.client() as client:
            made = await client.call("create_campaign", **WAVES)
            await client.call("start_campaign", campaign_id=made["campaign_id"])
            start, status = bench.clock.now(), ""
            for hour in range(HOURS):
                end = start + timedelta(hours=hour + 1)
                status = await watch_until(end, bench, client, made["campaign_id"])
                looks += len(bench.wire.requests)
                bench.wire.requests.clear()
                gc.collect()
                blocks.append(sys.getallocatedblocks())
                files.append(open_files())
    print(f"{looks} requests; blocks {blocks}; files {files}")  # noqa: T201
    assert status == "running"
    assert looks > HOURS * 3600 / SLOWEST / 2
    assert max(blocks[WARMING_UP:]) - blocks[WARMING_UP] < BLOCKS
    assert len(set(files[WARMING_UP:])) == 1
