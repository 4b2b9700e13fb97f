"""What `doctor --http` says of a team's server: it fails where `serve` would refuse."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from atoms_campaigns_mcp.cli.doctor.check import Check
from atoms_campaigns_mcp.cli.doctor.team import Serving
from atoms_campaigns_mcp.state.sqlite.migrations import LATEST
from tests.cli.doctor.examining import found, patient
from tests.support.bench import Bench
from tests.support.clients import listening
from tests.support.issuer import RESOURCE, Hosts, Issuer
from tests.support.redis import RedisServer
from tests.support.serving import Wire

pytestmark = pytest.mark.anyio
OAUTH = {
    "ATOMS_MCP_OAUTH_ISSUER": "https://issuer.example.com/realm",
    "ATOMS_MCP_OAUTH_RESOURCE": RESOURCE,
    "ATOMS_MCP_OAUTH_ACCOUNTS": "/nowhere/accounts.json",
}
HOST = {"ATOMS_MCP_ALLOWED_HOSTS": "calls.example.com"}


async def examined(
    tmp_path: Path, bench: Bench, address: str = "127.0.0.1:0", auth: Any = "key", **environ: str
) -> dict[str, Check]:
    team = replace(patient(tmp_path, bench, live=False, **environ), network=bench.wire)
    return await found(replace(team, serving=Serving(address, auth)))


async def test_a_server_for_one_machine_has_nothing_to_mend(tmp_path: Path, bench: Bench) -> None:
    checks = await examined(tmp_path, bench, **HOST)
    assert {checks[name].status for name in ("http", "hosts", "secret", "api")} == {"ok"}
    assert not {"key", "balance", "issuer", "redis"} & checks.keys()


@pytest.mark.parametrize(
    ("address", "auth", "part"),
    [
        ("8080", "key", "HOST:PORT"),
        ("0.0.0.0:8080", "none", "this machine only"),
        ("203.0.113.7:8080", "key", "cannot listen"),
    ],
)
async def test_an_address_that_serve_refuses_fails(
    tmp_path: Path, bench: Bench, address: str, auth: str, part: str
) -> None:
    check = (await examined(tmp_path, bench, address, auth))["http"]
    assert check.status == "failed"
    assert part in check.text


async def test_a_port_in_use_fails_unless_a_server_of_ours_has_it(
    tmp_path: Path, bench: Bench
) -> None:
    async def answering(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": told[0]})

    told = [b"hello"]
    async with listening(answering) as url:
        address = url.removeprefix("http://")
        foreign = (await examined(tmp_path, bench, address))["http"]
        told[0] = b'{"live": true}'
        ours = (await examined(tmp_path, bench, address))["http"]
    assert (foreign.status, ours.status) == ("failed", "ok")
    assert "in use" in foreign.text


@pytest.mark.parametrize("serving", [Serving("127.0.0.1:0"), None])
async def test_a_state_of_a_newer_version_fails(
    tmp_path: Path, bench: Bench, serving: Serving | None
) -> None:
    machine = replace(patient(tmp_path, bench), network=bench.wire)
    assert (await found(machine))["state"].status == "ok"
    with closing(sqlite3.connect(tmp_path / "state" / "state.sqlite3")) as db:
        db.execute(f"PRAGMA user_version = {LATEST + 1}")
    check = (await found(replace(machine, serving=serving)))["state"]
    assert check.status == "failed"
    assert "newer version" in check.text
    assert "Update this server" in check.fix


async def test_replicas_without_a_shared_secret_fail(
    tmp_path: Path, bench: Bench, running_redis: RedisServer
) -> None:
    checks = await examined(tmp_path, bench, ATOMS_MCP_STATE=running_redis.url)
    assert checks["secret"].status == "failed"
    assert "ATOMS_MCP_SECRET" in checks["secret"].text


async def test_a_redis_is_judged_by_how_it_keeps_data(
    tmp_path: Path, bench: Bench, running_redis: RedisServer
) -> None:
    environ = {"ATOMS_MCP_STATE": running_redis.url, "ATOMS_MCP_SECRET": "s" * 32}
    good = (await examined(tmp_path, bench, **environ))["redis"]
    assert good.status == "ok"
    assert "appendfsync always" in good.text
    seen: dict[str, str] = {}
    with Redis(port=running_redis.port) as client:
        redis: Any = client
        for name, wrong, right in (
            ("appendfsync", "everysec", "always"),
            ("maxmemory-policy", "allkeys-lru", "noeviction"),
            ("appendonly", "no", "yes"),
        ):
            redis.config_set(name, wrong)
            seen[name] = (await examined(tmp_path, bench, **environ))["redis"].status
            redis.config_set(name, right)
    assert seen == {"appendfsync": "warning", "maxmemory-policy": "failed", "appendonly": "failed"}


async def test_a_redis_that_is_away_fails(tmp_path: Path, bench: Bench) -> None:
    environ = {"ATOMS_MCP_STATE": "redis://:hidden@127.0.0.1:1/0", "ATOMS_MCP_SECRET": "s" * 32}
    check = (await examined(tmp_path, bench, **environ))["redis"]
    assert check.status == "failed"
    assert "hidden" not in check.text + check.fix


async def test_sign_on_is_checked_with_its_issuer_accounts_and_hosts(
    tmp_path: Path, bench: Bench
) -> None:
    accounts = tmp_path / "accounts.json"
    environ = {**OAUTH, "ATOMS_MCP_OAUTH_ACCOUNTS": str(accounts)}
    issuer = Issuer(lambda: bench.clock.now().timestamp())
    bench.wire = Wire(Hosts(issuer, bench.wire.below))
    wrong = await examined(tmp_path, bench, auth="oauth", **environ)
    assert (wrong["issuer"].status, wrong["accounts"].status) == ("ok", "failed")
    assert wrong["hosts"].status == "failed"
    assert "calls.example.com" in wrong["hosts"].fix
    accounts.write_text(json.dumps({"anna": "sk_acme"}))
    accounts.chmod(0o600)
    right = await examined(tmp_path, bench, auth="oauth", **environ, **HOST)
    assert {right[name].status for name in ("issuer", "accounts", "hosts")} == {"ok"}
    issuer.away = True
    away = await examined(tmp_path, bench, auth="oauth", **environ, **HOST)
    assert away["issuer"].status == "failed"
