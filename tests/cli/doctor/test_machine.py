"""What `doctor` says of the program, the settings and the state folder."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from atoms_campaigns_mcp.cli.doctor.command import examine
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from tests.cli.doctor.examining import found, patient
from tests.support.bench import Bench
from tests.support.redis import RedisServer

pytestmark = pytest.mark.anyio
INTENT = Intent("tenant", "start_campaign", '{"campaign_id": "x"}', "asked")


async def test_a_python_that_is_too_old_fails(tmp_path: Path, bench: Bench) -> None:
    old = replace(patient(tmp_path, bench), python=(3, 10, 12))
    checks = await found(old)
    assert checks["python"].status == "failed"
    assert "3.10.12" in checks["python"].text


async def test_the_versions_of_package_and_sdk_are_named(tmp_path: Path, bench: Bench) -> None:
    def version_of(distribution: str) -> str:
        return {"mcp": "2.9.1"}[distribution]

    checks = await found(replace(patient(tmp_path, bench), version_of=version_of))
    assert "mcp 2.9.1" in checks["package"].text


async def test_settings_that_contradict_each_other_fail_and_the_rest_is_checked(
    tmp_path: Path, bench: Bench
) -> None:
    checks = await found(patient(tmp_path, bench, SMALLEST_API_KEY="sk_a", ATOMS_API_KEY="sk_b"))
    assert checks["settings"].status == "failed"
    assert "sk_" not in checks["settings"].text
    assert checks["clients"].status == "ok"


async def test_a_flag_counts_as_in_the_other_commands(tmp_path: Path, bench: Bench) -> None:
    checks = await examine({"state": str(tmp_path / "flag")}, patient(tmp_path, bench))
    assert str(tmp_path / "flag") in next(c.text for c in checks if c.name == "state")


async def test_changes_without_an_outcome_are_counted_and_still_reported_by_the_next_start(
    tmp_path: Path, bench: Bench
) -> None:
    store = SqliteStore.open(tmp_path / "state")
    at = bench.clock.now().timestamp()
    await store.journal.begin(INTENT, at - 3600)
    await store.journal.begin(INTENT, at - 1)  # under way
    await store.journal.finish(await store.journal.begin(INTENT, at - 3600), "done")
    state = (await found(patient(tmp_path, bench)))["state"]
    assert state.status == "warning"
    assert "3 journal entries, 1 without outcome" in state.text
    assert "journal --unfinished" in state.fix
    assert len(await store.journal.unfinished(at)) == 1
    await store.close()


async def test_a_state_folder_that_cannot_be_used_fails(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "state").write_text("a file")
    checks = await found(patient(tmp_path, bench))
    assert (checks["state"].status, checks["key"].status) == ("failed", "failed")
    assert "ATOMS_MCP_STATE" in checks["state"].fix


async def test_a_store_that_cannot_be_written_fails(tmp_path: Path, bench: Bench) -> None:
    await found(patient(tmp_path, bench))
    store = SqliteStore.open(tmp_path / "state")
    await store.close()
    db = sqlite3.connect(tmp_path / "state" / "state.sqlite3")
    db.execute("DROP TABLE claims")
    db.close()
    state = (await found(patient(tmp_path, bench)))["state"]
    assert state.status == "failed"


async def test_permissions_that_are_too_wide_fail_with_the_command_that_corrects_them(
    tmp_path: Path, bench: Bench
) -> None:
    home = tmp_path / "a home"
    home.mkdir()
    await found(patient(home, bench))
    (home / "state").chmod(0o755)
    (home / "state" / "secret").chmod(0o644)
    wide = (await found(patient(home, bench)))["permissions"]
    assert wide.status == "failed"
    assert "0755" in wide.text
    assert "0644" in wide.text
    await anyio.run_process(wide.fix)
    assert (await found(patient(home, bench)))["permissions"].status == "ok"


async def test_windows_has_no_such_permissions(tmp_path: Path, bench: Bench) -> None:
    await found(patient(tmp_path, bench))
    (tmp_path / "state").chmod(0o755)
    checks = await found(patient(tmp_path, bench, platform="win32"))
    assert checks["permissions"].status == "ok"


async def test_a_shared_state_is_examined_too_and_its_password_stays_hidden(
    tmp_path: Path, bench: Bench, emptied_redis: RedisServer
) -> None:
    good = (await found(patient(tmp_path, bench, ATOMS_MCP_STATE=emptied_redis.url)))["state"]
    address = emptied_redis.url.replace("//", "//:hidden@")
    bad = (await found(patient(tmp_path, bench, ATOMS_MCP_STATE=address)))["state"]
    assert (good.status, bad.status) == ("ok", "failed")
    assert f"{emptied_redis.url} can be written" in good.text
    assert emptied_redis.url in bad.text
    assert "hidden" not in bad.text + bad.fix
