"""A sandbox that is killed at any moment ends as one that never was."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.sandbox.harness import AGENT, CALLER_ID, Sandbox, csv_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KILLS = 50
CONTACTS = 4000
SEED = 7
WORKER = """
import sys
from datetime import UTC, datetime
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
world = World.open(sys.argv[1], now=lambda: datetime.now(UTC), options=Options(speed="max", seed=7))
print("ready", flush=True)
while True:
    world.advance()
"""


async def started(db: Path) -> tuple[Sandbox, str]:
    sandbox = Sandbox.open(db, options=Options(speed="max", seed=SEED))
    audience = await sandbox.upload(csv_of(CONTACTS))
    body = {
        "name": "Killed",
        "agentId": AGENT,
        "audienceId": audience["_id"],
        "phoneNumberIds": [CALLER_ID],
        "maxRetries": 3,
    }
    campaign = (await sandbox.call("POST", "/campaign", json=body))["_id"]
    await sandbox.call("POST", f"/campaign/{campaign}/start")
    return sandbox, campaign


async def ended(sandbox: Sandbox, campaign: str) -> dict[str, Any]:
    """Run to the end; give every count there is."""
    shown = await sandbox.get(f"/campaign/{campaign}")
    while shown["campaign"]["status"] != "completed":
        shown = await sandbox.get(f"/campaign/{campaign}")
    exported = await sandbox.call("GET", f"/campaign/{campaign}/export/by-audience-member")
    finals = [(row["phoneNumber"], row["finalStatus"], row["totalAttempts"]) for row in exported]
    return {
        "metrics": shown["metrics"],
        "retries": shown["campaign"]["retryAttempts"],
        "executions": len(shown["campaign"]["executions"]),
        "contacts": finals,
    }


async def test_fifty_kills_at_random_moments_change_no_count(tmp_path: Path) -> None:
    undisturbed, campaign = await started(tmp_path / "undisturbed.db")
    expected = await ended(undisturbed, campaign)
    await undisturbed.close()

    killed, campaign = await started(tmp_path / "killed.db")
    chance = random.Random(SEED)  # noqa: S311 - when to kill, nothing secret
    for _ in range(KILLS):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path / "killed.db")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(timeout=chance.uniform(0, 0.02))
        worker.kill()
        worker.communicate()
    halfway = await killed.get(f"/campaign/{campaign}")
    result = await ended(killed, campaign)
    await killed.close()

    assert halfway["metrics"]["contacts_called"] > 0
    assert result == expected
