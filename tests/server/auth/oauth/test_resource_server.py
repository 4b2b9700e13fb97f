"""A server that trusts an issuer, over real sockets: who is who, and what each trouble answers."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.server.auth.oauth.jwks import STALE
from tests.server.auth.oauth.conftest import ACCOUNTS
from tests.support.bench import Bench
from tests.support.clients import listening
from tests.support.emulated import emulated
from tests.support.issuer import EVERY_SCOPE, RESOURCE, Issuer
from tests.support.process import environment, spawned
from tests.support.serving import ERAS
from tests.support.team import ACCEPT, LEGACY, Team, serving_team, told
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WELL_KNOWN = "/.well-known/oauth-protected-resource"
YES = {"confirm": {"action": "accept", "content": {"confirm": True}}}


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_campaign_starts_with_the_key_of_the_subject(
    team: Team, issuer: Issuer, era: str
) -> None:
    async with team.client(issuer.token(), era) as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    sent = {r.headers["Authorization"] for r in team.bench.wire.requests if "atoms" in r.url.path}
    assert sent == {f"Bearer {ACCOUNTS['anna']}"}


async def test_without_a_token_a_client_is_told_where_to_get_one(team: Team) -> None:
    answer = await team.post("", "tools/list")
    metadata = f'resource_metadata="https://calls.example.com{WELL_KNOWN}/mcp"'
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer scope="{EVERY_SCOPE}", {metadata}'


@pytest.mark.parametrize(
    "changes",
    [{"exp": 0}, {"aud": "https://other.example.com/mcp"}, {"iss": "https://other.example"}],
)
async def test_a_token_that_is_not_good_is_refused_with_its_reason(
    team: Team, issuer: Issuer, changes: dict[str, Any]
) -> None:
    answer = await team.post(issuer.token(**changes), "tools/list")
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="The token ')
    assert "resource_metadata=" in challenge


async def test_an_api_key_of_atoms_is_no_access_token(team: Team) -> None:
    assert (await team.post(ACCOUNTS["anna"], "tools/list")).status_code == 401


async def test_the_scopes_asked_for_are_those_that_the_modes_leave(
    bench: Bench, issuer: Issuer
) -> None:
    bench.configure(no_dial=True)
    async with serving_team(bench) as team:
        answer = await team.post("", "tools/list")
        listed = told(await team.post(issuer.token(), "tools/list"))
    assert (
        'scope="campaigns:read campaigns:write campaigns:delete"'
        in answer.headers["WWW-Authenticate"]
    )
    assert "start_campaign" not in {tool["name"] for tool in listed["result"]["tools"]}


async def test_a_subject_without_an_account_is_refused_in_words_and_not_asked_to_sign_on_again(
    team: Team, issuer: Issuer
) -> None:
    answer = await team.post(issuer.token(sub="nobody"), "tools/list")
    assert answer.status_code == 403
    assert "no Atoms account is assigned" in answer.json()["error_description"]
    assert "WWW-Authenticate" not in answer.headers
    assert "nobody" not in answer.text


@pytest.mark.slow
async def test_a_subject_that_loses_its_account_is_out_at_once_and_another_key_is_used_at_once(
    team: Team, issuer: Issuer, accounts: Path
) -> None:
    token = issuer.token()
    async with team.client(token) as client:
        await client.call("get_account")
        accounts.write_text(json.dumps({"anna": "sk_renewed"}))
        await client.call("get_account")
    assert team.bench.wire.requests[-1].headers["Authorization"] == "Bearer sk_renewed"
    accounts.write_text("{}")
    assert (await team.post(token, "tools/list")).status_code == 403


async def test_an_accounts_file_that_breaks_answers_503(
    team: Team, issuer: Issuer, accounts: Path
) -> None:
    accounts.write_text("{")
    answer = await team.post(issuer.token(), "tools/list")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_without_its_issuer_the_server_goes_on_as_long_as_it_has_keys(
    team: Team, issuer: Issuer
) -> None:
    issuer.away = True
    away = await team.post(issuer.token(), "tools/list")
    issuer.away = False
    team.bench.clock.advance(seconds=60)
    await team.post(issuer.token(), "tools/list")
    issuer.away = True
    team.bench.clock.advance(seconds=STALE / 2)
    kept = await team.post(issuer.token(), "tools/list")
    assert (away.status_code, kept.status_code) == (503, 200)


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_session_answers_only_the_subject_who_began_it_whatever_key_both_use(
    team: Team, issuer: Issuer, method: str
) -> None:
    anna, bert = issuer.token(), issuer.token(sub="bert")
    session = {**LEGACY, **ACCEPT, "Mcp-Session-Id": await team.session(anna)}
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    async with (
        team.http(bert) as hers,
        team.http(issuer.token(exp=issuer.claims["exp"] + 9)) as his,
    ):
        stolen = await hers.request(method, "/mcp", json=body, headers=session)
        renewed = await his.post("/mcp", json=body, headers=session)
    assert ACCOUNTS["anna"] == ACCOUNTS["bert"]
    assert (stolen.status_code, renewed.status_code) == (404, 200)


@pytest.mark.slow
async def test_what_one_subject_was_asked_another_cannot_answer_though_both_use_one_key(
    team: Team, issuer: Issuer
) -> None:
    anna, bert = issuer.token(), issuer.token(sub="bert")
    async with team.client(anna) as client:
        made = await client.call("create_campaign", **DRAFT)
    call = {"name": "start_campaign", "arguments": {"campaign_id": made["campaign_id"]}}
    asked = told(await team.post(anna, "tools/call", call))["result"]
    answer = {**call, "requestState": asked["requestState"], "inputResponses": YES}
    stolen = await team.post(bert, "tools/call", answer)
    assert stolen.status_code == 400
    assert "start" not in team.bench.wire.changes
    token = told(await team.post(anna, "tools/call", answer))["result"]
    assert not token.get("isError"), token
    assert "start" in team.bench.wire.changes


@pytest.mark.slow
async def test_a_token_to_confirm_with_is_good_for_its_subject_only(
    team: Team, issuer: Issuer
) -> None:
    async with team.client(issuer.token(), answer=None) as anna:
        made = await anna.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        start = {**campaign, "confirm_token": await anna.token("start_campaign", **campaign)}
    async with team.client(issuer.token(sub="bert"), answer=None) as bert:
        assert "confirm" in await bert.refused("start_campaign", **start)
    assert "start" not in team.bench.wire.changes
    async with team.client(issuer.token(), answer=None) as anna:
        await anna.call("start_campaign", **start)


@pytest.mark.slow
async def test_colleagues_share_what_belongs_to_their_account(bench: Bench, issuer: Issuer) -> None:
    bench.configure(allowed_caller_ids=("+912268093560",))
    views = dict[str, Any]()
    async with serving_team(bench) as team:
        async with team.client(issuer.token()) as anna:
            made = await anna.call("create_campaign", **DRAFT)
        for sub in ("anna", "bert"):
            async with team.client(issuer.token(sub=sub)) as client:
                views[sub] = await client.call("preview_campaign", campaign_id=made["campaign_id"])
        async with team.client(issuer.token(sub="carl")) as carl:
            listed = await carl.call("list_campaigns")
    assert views["anna"] == views["bert"]
    assert views["bert"]["caller_ids"]
    assert DRAFT["name"] not in {campaign["name"] for campaign in listed["campaigns"]}


@pytest.mark.slow
async def test_equal_creations_of_colleagues_are_kept_apart(team: Team, issuer: Issuer) -> None:
    held = anyio.Event()
    answers = list[bool]()

    class Slow(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and request.url.path.endswith("/campaign"):
                await held.wait()
            return await below.handle_async_request(request)

    below, team.bench.wire.below = team.bench.wire.below, Slow()

    async def create(sub: str) -> None:
        async with team.client(issuer.token(sub=sub)) as client:
            answers.append((await client.raw("create_campaign", **DRAFT)).is_error)
            held.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(create, "anna")
        tasks.start_soon(create, "bert")
    assert answers == [True, False]
    assert team.bench.wire.changes == ["campaign"]


@pytest.mark.slow
async def test_the_journal_tells_subjects_apart_without_naming_them(
    team: Team, issuer: Issuer
) -> None:
    for sub in ("anna", "bert"):
        async with team.client(issuer.token(sub=sub)) as client:
            await client.call("create_campaign", **{**DRAFT, "name": f"Of {sub[:1]}"})
    entries = await team.service.runtimes.store().journal.entries(10)
    tenants = {tenant_of_subject(issuer.url, sub) for sub in ("anna", "bert")}
    assert {entry.intent.tenant for entry in entries} == tenants
    assert "anna" not in repr(entries)


@pytest.mark.slow
async def test_neither_token_nor_subject_nor_key_is_logged(
    team: Team, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "atoms_campaigns_mcp")
    token, subject = issuer.token(), "nobody-in-particular"
    await team.post(token, "tools/list")
    await team.post(issuer.token(sub=subject), "tools/list")
    await team.post(issuer.token(exp=1), "tools/list")
    assert tenant_of_subject(issuer.url, subject)[:8] in caplog.text
    assert not re.search(f"{subject}|sk_|eyJ", caplog.text)


@pytest.mark.parametrize("auth", ["key", "none"])
async def test_there_is_no_metadata_where_no_issuer_is_trusted(bench: Bench, auth: str) -> None:
    bench.configure(auth=auth)
    async with serving_team(bench) as team, team.http() as http:
        answers = [await http.get(f"{WELL_KNOWN}{path}") for path in ("", "/mcp")]
    assert {answer.status_code for answer in answers} <= {401, 404}


@pytest.mark.slow
async def test_the_real_command_serves_a_real_client_with_a_real_token(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps(ACCOUNTS))
    accounts.chmod(0o600)
    issuer = Issuer(lambda: 2_000_000_000.0)
    with emulated(tmp_path) as api:
        async with listening(issuer.app) as url:
            issuer.url = url
            env = environment(
                tmp_path,
                ATOMS_API_URL=f"{api}/atoms/v1",
                ATOMS_MCP_OAUTH_ISSUER=url,
                ATOMS_MCP_OAUTH_RESOURCE=RESOURCE,
                ATOMS_MCP_OAUTH_ACCOUNTS=str(accounts),
            )
            serve = ("serve", "--http", "127.0.0.1:0", "--auth", "oauth")
            with spawned(*serve, env=env) as child:
                assert child.process.stderr is not None
                lines = (json.loads(line)["message"] for line in child.process.stderr)
                address = next(
                    found[0] for m in lines if (found := re.search(r"http://\S+/mcp", m))
                )
                good = {"Authorization": f"Bearer {issuer.token(iat=0)}"}
                async with (
                    httpx2.AsyncClient(headers=good, timeout=30) as http,
                    Client(streamable_http_client(address, http_client=http)) as client,
                ):
                    made = await client.call_tool("create_campaign", DRAFT)
                    assert not made.is_error, made
                async with httpx2.AsyncClient() as http:
                    assert (await http.post(address, json={})).status_code == 401
