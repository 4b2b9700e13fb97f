"""A disk that is full under the sandbox: named as such, in this process and over HTTP."""

import sqlite3
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.sandbox.engine import world
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from tests.sandbox.harness import csv_of, form
from tests.support.clock import FakeClock
from tests.support.serving import Caller

pytestmark = pytest.mark.anyio
CSV = "phone_number\n" + "\n".join(f"+120255{number:05d}" for number in range(50_000, 52_000))


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = world.connect

    def connected(db: str | Path) -> sqlite3.Connection:
        connection = connect(db)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 40}")
        return connection

    monkeypatch.setattr(world, "connect", connected)


@pytest.mark.slow
async def test_a_tool_says_that_the_disk_is_full_and_nothing_was_done(tmp_path: Path) -> None:
    runtimes = RuntimePool(Settings(state=tmp_path), clocks=FakeClock().clocks())
    try:
        async with Client(build(Settings(state=tmp_path), runtimes)) as connected:
            client = Caller(connected)
            before = (await client.call("list_audiences"))["total"]
            text = await client.refused("create_audience", name="Large", csv=CSV)
            after = (await client.call("list_audiences"))["total"]
    finally:
        await runtimes.close()
    assert "database or disk is full" in text
    assert "Nothing was done" in text
    assert "Make room on the disk" in text
    assert before == after


async def test_the_emulator_answers_over_http_that_its_disk_is_full(tmp_path: Path) -> None:
    opened = World.open(tmp_path / "sandbox.db", now=FakeClock().now)
    transport = httpx2.ASGITransport(app=create_app(opened), raise_app_exceptions=False)
    headers = {"Authorization": "Bearer sk_test"}
    async with httpx2.AsyncClient(transport=transport, headers=headers) as http:
        reply = await http.post("http://sandbox/atoms/v1/audience", **form(csv_of(2000)))
    opened.close()
    assert reply.status_code == 500
    assert "database or disk is full" in reply.json()["errors"][0]
