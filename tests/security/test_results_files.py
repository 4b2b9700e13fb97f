"""Low: between the check of a results file and its making, its folder could become a link."""

import stat
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="no handles of folders there"),
]


async def write_results(bench: Bench, allowed: Path, outside: Path, *, swapped: str) -> str:
    """Ask for results in sub/folder, of which a part becomes a link while they are read."""
    (allowed / "sub" / "folder").mkdir(parents=True)
    (outside / "folder").mkdir(parents=True)
    bench.configure(files=(allowed.resolve(),))
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if "/export" in request.url.path and swapped:
            place = allowed / swapped
            place.rename(allowed / "away")
            place.symlink_to(outside if swapped == "sub" else outside / "folder")
        return await below.handle_async_request(request)

    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        bench.wire.below = httpx2.MockTransport(answer)
        result = await client.raw(
            "get_campaign_results", campaign_id=made["campaign_id"], file="sub/folder/out.csv"
        )
    return "" if not result.is_error else getattr(result.content[0], "text", "")


@pytest.mark.parametrize("swapped", ["sub", "sub/folder"])
async def test_a_folder_that_becomes_a_link_gets_no_file(
    bench: Bench, tmp_path: Path, swapped: str
) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    text = await write_results(bench, allowed, outside, swapped=swapped)
    assert "cannot be written there" in text
    assert [path for path in outside.rglob("*") if path.is_file()] == []


async def test_results_are_written_for_their_owner_alone(bench: Bench, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    assert await write_results(bench, allowed, tmp_path / "outside", swapped="") == ""
    file = allowed / "sub" / "folder" / "out.csv"
    assert b"+" in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
