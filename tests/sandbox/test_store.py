"""The file: created, refused, shared, reset."""

import sqlite3
import stat
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from httpx2 import ReadError

from atoms_campaigns_mcp.sandbox.engine.database import SCHEMA_VERSION, StoreError, reset
from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import Moment, World
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import Sandbox, client, faulty
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
    of_a_newer_release(path)
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


async def names(sandbox: Sandbox) -> list[str]:
    return [row["name"] for row in (await sandbox.get("/campaign"))["campaigns"]]


SEEDED = ["Spring renewals, first round"]


@pytest.mark.anyio
async def test_reset_forgets_everything_in_the_file_and_touches_nothing_else(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sandbox.db"
    journal = tmp_path / "journal.db"
    journal.write_text("kept", encoding="utf-8")
    sandbox = Sandbox.open(path)
    await sandbox.create(name="Forgotten")
    await sandbox.close()
    assert b"Forgotten" in path.read_bytes()
    reset(path)
    reset(path)
    assert b"Forgotten" not in path.read_bytes()
    assert journal.read_text(encoding="utf-8") == "kept"
    sandbox = Sandbox.open(path)
    assert await names(sandbox) == SEEDED
    await sandbox.close()


def test_reset_makes_no_file(tmp_path: Path) -> None:
    reset(tmp_path / "sandbox.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file/deep/sandbox.db", "file/sandbox.db", "circle", "x" * 300])
def test_reset_does_not_say_that_it_is_done_where_no_sandbox_can_be(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(StoreError) as refused:
        reset(tmp_path / place)
    assert "cannot be reset, and was left as it was: " in str(refused.value)
    assert "Errno" not in str(refused.value)


@pytest.mark.anyio
async def test_who_has_the_sandbox_open_sees_the_fresh_world_and_goes_on_sharing_it(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    path = tmp_path / "sandbox.db"
    before = open_sandbox(path, options=Options(speed=30))
    await before.started(name="Running")
    reset(path)
    assert await names(before) == SEEDED
    again = await before.started(name="Anew")  # under the id that the first one had
    assert await before.status(again) == "processing"
    after = open_sandbox(path, clock=before.clock, options=Options(speed=30))
    before.clock.advance(days=1)
    assert await after.status(again) == "completed"
    assert await names(after) == await names(before) == ["Anew", *SEEDED]


@pytest.mark.anyio
async def test_the_speed_outlives_a_reset(tmp_path: Path, open_sandbox: OpenSandbox) -> None:
    path = tmp_path / "sandbox.db"
    sandbox = open_sandbox(path, options=Options(speed="max"))
    reset(path)
    campaign = await sandbox.started()
    while await sandbox.status(campaign) != "completed":
        pass  # the clock stands still
    assert len(await names(sandbox)) == 2


@pytest.mark.anyio
async def test_a_request_that_a_reset_overtakes_finds_the_fresh_world(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"

    class Overtaken(World):
        """Is reset by somebody right after its first change, which makes the organization."""

        resets = 1

        @contextmanager
        def writing(self, *, wall: int | None = None) -> Generator[Moment]:
            with super().writing(wall=wall) as moment:
                yield moment
            if self.resets:
                self.resets -= 1
                reset(path)

    clock = FakeClock()
    world = Overtaken.open(path, now=clock.now, options=Options(speed=1))
    sandbox = Sandbox(clock, world, client(world, clock))
    await sandbox.create(name="Made")
    assert await names(sandbox) == ["Made", *SEEDED]
    await sandbox.close()


@pytest.mark.anyio
async def test_work_that_was_late_is_not_done_in_the_fresh_world(
    tmp_path: Path, open_sandbox: OpenSandbox
) -> None:
    path = tmp_path / "sandbox.db"
    late = Fault(kind="late_work", route="POST /campaign", times=1)
    sandbox = open_sandbox(path, options=faulty(late))
    with pytest.raises(ReadError):
        await sandbox.create(name="Late")
    reset(path)
    await sandbox.wait(seconds=10)
    assert await names(sandbox) == SEEDED


def of_a_newer_release(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(2 * 4096)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8 * 4096)


@pytest.mark.anyio
@pytest.mark.parametrize("spoil", [of_a_newer_release, cut_short, overwritten])
async def test_reset_deletes_a_file_that_cannot_be_emptied(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.db"
    sandbox = Sandbox.open(path)
    await sandbox.create(name="Forgotten")
    await sandbox.close()
    spoil(path)
    assert not reset(path)
    assert list(tmp_path.iterdir()) == []


def test_reset_leaves_a_file_of_a_newer_release_to_those_who_have_it_open(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    open_world(path).close()
    of_a_newer_release(path)
    with closing(sqlite3.connect(path)) as user:
        user.execute("PRAGMA user_version")
        with pytest.raises(StoreError, match=r"open in another program: quit it .* repeat"):
            reset(path)
    assert path.exists()
    assert not reset(path)


def test_reset_leaves_what_is_not_the_sandboxs_alone(tmp_path: Path) -> None:
    notes, other = tmp_path / "notes.txt", tmp_path / "other.db"
    notes.write_text("not a database " * 100, encoding="utf-8")
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE precious (x)")
    db.close()
    for path in (notes, other, tmp_path):
        kept = path.read_bytes() if path.is_file() else b""
        with pytest.raises(StoreError, match="left as it was"):
            reset(path)
        assert not path.is_file() or path.read_bytes() == kept


@pytest.mark.anyio
async def test_the_key_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    sandbox = Sandbox.open(path, key="sk_very_secret")
    await sandbox.get("/user")
    await sandbox.close()
    assert b"very_secret" not in path.read_bytes()
