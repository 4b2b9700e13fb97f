"""The file: created, refused, shared, reset."""

import sqlite3
import stat
from pathlib import Path

import pytest

from atoms_campaigns_mcp.sandbox.store import SCHEMA_VERSION, StoreError, reset
from atoms_campaigns_mcp.sandbox.world import World
from tests.sandbox.harness import Sandbox
from tests.support.clock import FakeClock


def open_world(path: Path) -> World:
    return World.open(path, now=FakeClock().now)


def test_file_and_folder_are_made_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deep" / "sandbox.db"
    open_world(path).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_a_newer_release_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    open_world(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match=r"newer release .* upgrade atoms-campaigns-mcp"):
        open_world(path)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE precious (x)")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="not one of the sandbox"):
        open_world(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used"):
        open_world(path)
    with pytest.raises(StoreError, match="cannot be used"):
        open_world(tmp_path)


@pytest.mark.anyio
async def test_reset_starts_afresh_and_touches_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    journal = tmp_path / "journal.db"
    journal.write_text("kept", encoding="utf-8")
    sandbox = Sandbox.open(path)
    await sandbox.create(name="Forgotten")
    await sandbox.close()
    reset(path)
    reset(path)  # nothing left to delete
    assert list(tmp_path.iterdir()) == [journal]
    sandbox = Sandbox.open(path)
    assert [row["name"] for row in (await sandbox.get("/campaign"))["campaigns"]] == [
        "Spring renewals, first round"
    ]
    await sandbox.close()


@pytest.mark.anyio
async def test_the_key_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    sandbox = Sandbox.open(path, key="sk_very_secret")
    await sandbox.get("/user")
    await sandbox.close()
    assert b"very_secret" not in path.read_bytes()
