"""What is in force and from where, as `doctor` and `get_account` tell it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.doctor.check import Check
from atoms_campaigns_mcp.config.policy_file import NAME, SITE, USER, Folder, policies
from atoms_campaigns_mcp.config.settings import Settings
from tests.cli.doctor.examining import found, patient
from tests.support.bench import Bench

pytestmark = pytest.mark.anyio


def written(tmp_path: Path, text: str, kind: str = USER, *, fixed: bool = True) -> Folder:
    folder = tmp_path / f"{kind} {fixed}"
    folder.mkdir()
    (folder / NAME).write_text(text)
    return Folder(kind, folder, fixed)


async def limits(tmp_path: Path, bench: Bench, folders: Sequence[Folder], **environ: str) -> Check:
    examined = patient(tmp_path, bench, live=False, **environ)
    machine = replace(examined.machine, policy_folders=tuple(folders))
    return (await found(replace(examined, machine=machine)))["limits"]


async def test_doctor_says_what_holds_and_from_where(tmp_path: Path, bench: Bench) -> None:
    site = written(tmp_path, "read_only = true\nmax_contacts = 500", SITE)
    user = written(tmp_path, 'calling_hours = "09:00-18:00"\nmax_contacts = 400')
    check = await limits(
        tmp_path, bench, [site, user], ATOMS_MCP_MAX_CONTACTS="9999", ATOMS_MCP_MAX_RUNNING="2"
    )
    assert check.status == "ok"
    for words in (
        "read_only = on (site policy)",
        "max_contacts = 400 (user policy; the environment cannot widen it)",
        "calling_hours = 09:00-18:00 (user policy)",
        "max_running = 2 (environment)",
        "confirm = ask (default)",
        str(site.file),
        str(user.file),
        f"Clients may drop what the environment sets; they cannot drop {user.file}.",
    ):
        assert words in check.text


async def test_doctor_warns_of_a_policy_that_a_client_may_not_find(
    tmp_path: Path, bench: Bench
) -> None:
    fixed = Folder(USER, tmp_path / "none")
    moved = written(tmp_path, "no_dial = true", fixed=False)
    check = await limits(tmp_path, bench, [fixed, moved])
    assert check.status == "warning"
    assert str(moved.file) in check.text
    assert str(fixed.file) in check.fix


async def test_a_policy_that_cannot_be_used_is_a_failed_line(tmp_path: Path, bench: Bench) -> None:
    examined = patient(tmp_path, bench)
    folder = written(tmp_path, "read_onyl = true")
    machine = replace(examined.machine, policy_folders=(folder,))
    failed = (await found(replace(examined, machine=machine)))["settings"]
    assert failed.status == "failed"
    assert str(folder.file) in failed.text
    assert "read_only" in failed.fix


async def test_an_agent_is_told_what_holds_and_from_where_but_no_path_of_a_policy(
    tmp_path: Path, bench: Bench
) -> None:
    folder = written(tmp_path, 'confirm = "human"\nallowed_agents = ["Voice", "Sales"]')
    environ = {"ATOMS_MCP_NO_DIAL": "1", "ATOMS_MCP_ALLOWED_AGENTS": "Sales"}
    bench.settings = replace(
        Settings.load(environ, {"max_contacts": "7"}, policies=policies([folder])),
        state=bench.settings.state,
    )
    async with bench.client() as client:
        held: list[str] = (await client.call("get_account"))["in_force"]
        result = await client.raw("get_account")
    assert {
        "confirm = human (user policy)",
        "no_dial = on (environment)",
        "max_contacts = 7 (command line)",
        "allowed_agents = Sales (environment)",
    } <= set(held)
    text = "".join(getattr(part, "text", "") for part in result.content)
    assert "confirm = human (user policy)" in text
    assert str(tmp_path) not in text + str(held)
