"""Which API key a subject uses, as the operator says, and nobody else."""

import json
import os
import stat
from pathlib import Path

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.server.auth.oauth.subject_keys import (
    KEPT,
    SubjectKeysCommand,
    SubjectKeysFile,
    subject_keys_of,
)
from atoms_campaigns_mcp.server.auth.principal import Unverifiable
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio
ISSUER = "https://issuer.example.com"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "accounts.json", json.dumps({"anna": "sk_one"}))


async def test_a_subject_is_looked_up_alone_or_with_its_issuer(tmp_path: Path) -> None:
    keys = {"anna": "sk_any", f"{ISSUER}|anna": "sk_exact", "https://b.example|bert": "sk_b"}
    accounts = SubjectKeysFile(written(tmp_path / "a.json", json.dumps(keys)), ISSUER)
    assert await accounts.key("anna") == "sk_exact"
    assert [await accounts.key(name) for name in ("bert", "ANNA", "")] == ["", "", ""]


async def test_a_subject_that_reads_like_another_with_its_issuer_is_not_that_one(
    tmp_path: Path,
) -> None:
    keys = {f"{ISSUER}|maya": "sk_maya", "https://b.example|bert": "sk_b", "auth0|1": "sk_one"}
    accounts = SubjectKeysFile(written(tmp_path / "a.json", json.dumps(keys)), ISSUER)
    subjects = [f"{ISSUER}|maya", "https://b.example|bert", "maya", "auth0|1"]
    assert [await accounts.key(name) for name in subjects] == ["", "", "sk_maya", "sk_one"]


async def test_a_changed_file_is_read_again(path: Path) -> None:
    accounts = SubjectKeysFile(path, ISSUER)
    assert await accounts.key("anna") == "sk_one"
    new = written(path.with_name("new"), json.dumps({"bert": "sk_two"}))
    os.replace(new, path)  # noqa: PTH105
    assert (await accounts.key("anna"), await accounts.key("bert")) == ("", "sk_two")


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("{", 0o600),
        ("[]", 0o600),
        ('{"anna": "secret"}', 0o600),
        ('{"anna": null}', 0o600),
        ('{"anna": "sk_a", "anna": "sk_b"}', 0o600),
        ('{"anna": "sk_a"}', 0o604),
        ('{"anna": "sk_a"}', 0o620),
    ],
)
async def test_a_file_that_cannot_be_trusted_lets_nobody_in_until_it_is_corrected(
    path: Path, text: str, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = SubjectKeysFile(path, ISSUER)
    written(path, text, mode)
    for _ in range(3):
        with pytest.raises(Unverifiable):
            await accounts.key("anna")
    told = [r.message for r in caplog.records if "ATOMS_MCP_OAUTH_ACCOUNTS" in r.getMessage()]
    assert len(told) == 1
    assert "sk_" not in told[0].replace("(sk_…)", "")
    with pytest.raises(ConfigurationError, match="ATOMS_MCP_OAUTH_ACCOUNTS"):
        SubjectKeysFile(path, ISSUER)
    written(path, json.dumps({"anna": "sk_three"}))
    assert await accounts.key("anna") == "sk_three"


def test_a_file_that_is_not_there_keeps_the_server_from_starting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        SubjectKeysFile(tmp_path / "absent.json", ISSUER)


def program(tmp_path: Path, body: str) -> Path:
    path = written(tmp_path / "accounts", f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_a_program_is_given_the_subject_and_nothing_of_it_runs(tmp_path: Path) -> None:
    path = program(tmp_path, f'printf "%s\\n" "$#" "$1" >> {tmp_path}/seen; echo sk_found')
    accounts = SubjectKeysCommand(path, FakeClock().monotonic)
    assert await accounts.key("anna; $(touch owned) 'x'") == "sk_found"
    assert (tmp_path / "seen").read_text() == "1\nanna; $(touch owned) 'x'\n"


async def test_its_answer_holds_for_a_minute_for_each_subject(tmp_path: Path) -> None:
    clock = FakeClock()
    path = program(tmp_path, f'echo "$1" >> {tmp_path}/seen; [ "$1" != anna ] || echo sk_anna')
    accounts = SubjectKeysCommand(path, clock.monotonic)
    found = [await accounts.key(name) for name in ("anna", "anna", "bert", "bert")]
    clock.advance(seconds=KEPT)
    await accounts.key("anna")
    assert found == ["sk_anna", "sk_anna", "", ""]
    assert (tmp_path / "seen").read_text().split() == ["anna", "bert", "anna"]


@pytest.mark.parametrize("body", ["exit 1", "echo not-a-key", "echo sk_a sk_b", "printf '\\377'"])
async def test_a_program_that_fails_lets_nobody_in(tmp_path: Path, body: str) -> None:
    accounts = SubjectKeysCommand(program(tmp_path, body), FakeClock().monotonic)
    with pytest.raises(Unverifiable):
        await accounts.key("anna")


async def test_a_program_that_is_not_there_lets_nobody_in(tmp_path: Path) -> None:
    accounts = SubjectKeysCommand(tmp_path / "absent", FakeClock().monotonic)
    with pytest.raises(Unverifiable):
        await accounts.key("anna")


async def test_a_program_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atoms_campaigns_mcp.server.auth.oauth.subject_keys.LOOKUP", 0.05)
    path = program(tmp_path, "exec sleep 60")
    accounts = SubjectKeysCommand(path, FakeClock().monotonic)
    with pytest.raises(Unverifiable):
        await accounts.key("anna")


async def test_a_subject_that_looks_like_an_option_has_no_account(tmp_path: Path) -> None:
    path = program(tmp_path, "echo sk_everybody")
    assert await SubjectKeysCommand(path, FakeClock().monotonic).key("--all") == ""


def test_whoever_names_no_accounts_is_told_which_settings_do() -> None:
    with pytest.raises(ConfigurationError, match="No accounts") as caught:
        subject_keys_of(Settings(auth="oauth"), FakeClock().monotonic)
    assert "ATOMS_MCP_OAUTH_ACCOUNTS" in caught.value.next_step
