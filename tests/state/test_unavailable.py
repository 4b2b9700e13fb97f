"""A state folder that cannot be used: nothing is changed, but an emergency stop works."""

from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


BLOCKED = {  # folders that even root cannot use
    "a file": ("file", "Not a directory"),
    "below a file": ("file/state", "Not a directory"),
    "too long": ("n" * 300, "File name too long"),
    "of the system": ("/proc/self/state", "No such file or directory"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BLOCKED)
async def test_without_any_state_calls_can_be_read_and_stopped_and_nothing_else(
    bench: Bench, tmp_path: Path, kind: str
) -> None:
    name, said = BLOCKED[kind]
    (tmp_path / "file").write_text("no folder")
    blocked = tmp_path / name
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.configure(state=blocked)
    async with bench.client() as client:
        report = await client.call("get_campaign_status", campaign_id=made["campaign_id"])
        create = await client.refused("create_campaign", **{**DRAFT, "name": "Another"})
        stopped = await client.call("pause_campaign", campaign_id=made["campaign_id"])
        start = await client.refused("start_campaign", campaign_id=made["campaign_id"])
    assert report["status"] == "running"
    assert stopped["status"] == "paused"
    assert "not recorded" in stopped["next_step"]
    for text in (create, start):
        assert "Nothing was sent" in text
        assert "ATOMS_MCP_STATE" in text
        assert said in text
    assert bench.wire.changes == ["campaign", "start", "pause"]
