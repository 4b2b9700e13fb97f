"""A record that cannot be read is not said to be unwritable."""

import sqlite3
from pathlib import Path

import pytest

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


async def test_a_failed_read_and_a_failed_write_are_told_apart(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    (file,) = [path for path in tmp_path.glob("*.sqlite3") if "pace" not in path.name]
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE plans")
    with pytest.raises(NotRecorded, match=r"could not be read"):
        await store.plans.get("p")
    with pytest.raises(NotRecorded, match=r"could not be written"):
        await store.plans.use("p")
    await store.close()


async def test_a_read_that_fails_over_the_record_does_not_speak_of_sending(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object, **__: object) -> None:
        raise NotRecorded("The record is locked.", next_step="Free it.")

    async with bench.client() as client:
        monkeypatch.setattr(AtomsClient, "list_agents", locked)
        monkeypatch.setattr(AtomsClient, "list_phone_numbers", locked)
        read = await client.refused("list_agents")
        change = await client.refused("create_campaign", **DRAFT)
    assert read == "[sandbox] The record is locked. Free it."
    assert change == "[sandbox] The record is locked. Nothing was sent. Free it."
