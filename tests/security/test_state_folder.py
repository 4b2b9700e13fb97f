"""Low: a state folder that anybody may change, and a state file that is moved away."""

import os
import stat
import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.state import folder as folders
from atoms_campaigns_mcp.state.folder import secrets_of
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="no modes, and open files cannot be moved"),
]


def with_mode(folder: Path, mode: int) -> Path:
    folder.mkdir()
    folder.chmod(mode)
    return folder


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o722])
@pytest.mark.parametrize("first", ["store", "secret"])
async def test_a_folder_of_ours_that_others_may_change_is_tightened(
    tmp_path: Path, mode: int, first: str
) -> None:
    state = with_mode(tmp_path / "state", mode)
    if first == "secret":
        secrets_of(Settings(state=state))
    else:
        await SqliteStore.open(state).close()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


async def test_a_folder_that_others_may_only_read_is_left_as_it_is(tmp_path: Path) -> None:
    state = with_mode(tmp_path / "state", 0o755)
    await SqliteStore.open(state).close()
    assert stat.S_IMODE(state.stat().st_mode) == 0o755


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o1777, True), (0o2770, False)])
async def test_a_folder_of_somebody_else_that_anybody_may_change_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, *, refused: bool
) -> None:
    state = with_mode(tmp_path / "state", mode)
    before = stat.S_IMODE(state.stat().st_mode)
    stranger = os.geteuid() + 1
    monkeypatch.setattr(folders.os, "geteuid", lambda: stranger)
    if refused:
        with pytest.raises(ConfigurationError, match="anybody may change"):
            SqliteStore.open(state)
        with pytest.raises(ConfigurationError, match="anybody may change"):
            secrets_of(Settings(state=state))
        assert list(state.iterdir()) == []
    else:
        await SqliteStore.open(state).close()
    assert stat.S_IMODE(state.stat().st_mode) == before


@pytest.mark.slow
@pytest.mark.parametrize("how", ["moved", "replaced", "deleted"])
async def test_once_the_state_file_is_away_nothing_is_sent_but_a_pause(
    bench: Bench, tmp_path: Path, how: str
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        file = tmp_path / "state.sqlite3"
        if how == "deleted":
            file.unlink()
        else:
            file.rename(tmp_path / "elsewhere")
        if how == "replaced":
            await SqliteStore.open(tmp_path).close()
        text = await client.refused("create_campaign", **{**DRAFT, "name": "Another"})
        paused = await client.call("pause_campaign", **campaign)
    assert "state file was moved or replaced" in text
    assert "restart this server" in text
    assert (paused["status"], "is not recorded" in paused["next_step"]) == ("paused", True)
    assert bench.wire.changes == ["campaign", "start", "pause"]


async def test_a_file_that_is_put_back_is_used_again(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    file = tmp_path / "state.sqlite3"
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(NotRecorded):
        await store.journal.entries(1)
    (tmp_path / "elsewhere").rename(file)
    assert await store.journal.entries(1) == []
    await store.close()
