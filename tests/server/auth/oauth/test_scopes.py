"""What a token may do: its scopes narrow tools, and a client is told how to get more."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from mcp.shared.exceptions import MCPError
from starlette.types import ASGIApp

from atoms_campaigns_mcp.effects import EVERYTHING, SCOPES, Effect, permitted, scope_of
from atoms_campaigns_mcp.server.auth.oauth.challenges import Challenges
from atoms_campaigns_mcp.server.auth.oauth.scopes import effects_of, needed
from atoms_campaigns_mcp.server.http import serve
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.bench import Bench
from tests.support.issuer import EVERY_SCOPE, RESOURCE, Issuer
from tests.support.serving import ERAS, text_of
from tests.support.team import ACCEPT, LEGACY, Team, serving_team
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
READ = {n for n, e in Catalog.read().entries.items() if e.effect == "reads"}
CHANGES = {"add_contacts", "create_audience", "create_campaign", "pause_campaign"}
TOOLS = {
    "campaigns:read": READ,
    "campaigns:write": CHANGES,
    "campaigns:dial": {"schedule_waves", "start_campaign", "pause_campaign"},
    "campaigns:delete": {"delete_audience", "delete_campaign"},
    EVERY_SCOPE: set(Catalog.read().entries),
}
EFFECTS = st.frozensets(st.sampled_from(list(Effect)))
METADATA = "https://calls.example.com/.well-known/oauth-protected-resource/mcp"


@given(EFFECTS, st.lists(st.text(max_size=10)))
def test_scopes_and_effects_are_the_same_in_other_words(
    effects: frozenset[Effect], others: list[str]
) -> None:
    named = scope_of(effects)
    foreign = [word for word in others if word not in SCOPES]
    assert effects_of({"scope": " ".join([named, *foreign])}) == effects
    assert effects_of({"scp": [*named.split(), *foreign]}) == effects
    assert effects_of({"scp": named}) == effects


@pytest.mark.parametrize(
    "claims", [{}, {"scope": 7}, {"scope": None, "scp": {"campaigns:dial": 1}}]
)
def test_a_malformed_scope_allows_nothing(claims: dict[str, Any]) -> None:
    assert effects_of(claims) == frozenset()


@given(EFFECTS, EFFECTS)
def test_more_effects_never_take_a_tool_away(
    few: frozenset[Effect], more: frozenset[Effect]
) -> None:
    assert set(Catalog.read(few).entries) <= set(Catalog.read(few | more).entries)


@given(EFFECTS)
def test_what_is_listed_is_what_may_be_called(allowed: frozenset[Effect]) -> None:
    listed = set(Catalog.read(allowed).entries)
    called = {
        n
        for n in Catalog.read().entries
        if not needed("tools/call", {"name": n}, allowed) - allowed
    }
    assert listed == called


@given(EFFECTS)
def test_a_schedule_takes_both_rights(allowed: frozenset[Effect]) -> None:
    call = {"name": "create_campaign", "arguments": {"scheduled_at": "2027-01-05T09:00:00Z"}}
    assert needed("tools/call", call, allowed) == {Effect.CHANGES, Effect.DIALS}


def test_modes_leave_what_their_names_say() -> None:
    assert permitted(read_only=False, no_dial=False) == EVERYTHING
    assert permitted(read_only=True, no_dial=True) == {Effect.READS}
    assert permitted(read_only=False, no_dial=True) == EVERYTHING - {Effect.DIALS}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("scope", TOOLS)
async def test_a_client_sees_the_tools_of_its_scopes(
    team: Team, issuer: Issuer, scope: str, era: str
) -> None:
    async with team.client(issuer.token(scope=scope), era) as client:
        listed = await client.client.list_tools()
    assert {tool.name for tool in listed.tools} == TOOLS[scope]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_without_its_scope_is_refused_and_the_scope_is_named(
    team: Team, issuer: Issuer, era: str
) -> None:
    token = issuer.token(scope="campaigns:read campaigns:write")
    async with team.client(token, era) as client:
        made = await client.call("create_campaign", **DRAFT)
        with pytest.raises(MCPError, match="campaigns:dial"):
            await client.raw("start_campaign", campaign_id=made["campaign_id"])
        with pytest.raises(MCPError, match="campaigns:dial"):
            await client.raw("create_campaign", **DRAFT, scheduled_at="2027-01-05T09:00:00Z")
    assert team.bench.wire.changes == ["campaign"]


@pytest.mark.parametrize(
    ("era", "wanted"),
    [("2026-07-28", "campaigns:dial"), ("legacy", "campaigns:read campaigns:dial")],
)
async def test_the_answer_says_to_a_client_how_to_sign_on_for_more(
    team: Team, issuer: Issuer, era: str, wanted: str
) -> None:
    token = issuer.token(scope="campaigns:read")
    call = {"name": "start_campaign", "arguments": {"campaign_id": "0" * 24}}
    if era == "legacy":
        session = await team.session(token)
        body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": call}
        async with team.http(token) as http:
            answer = await http.post(
                "/mcp", json=body, headers={**LEGACY, **ACCEPT, "Mcp-Session-Id": session}
            )
    else:
        answer = await team.post(token, "tools/call", call)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"].startswith(
        "The access token lacks the scope campaigns:dial"
    )
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="insufficient_scope"')
    assert f'scope="{wanted}"' in challenge
    assert f'resource_metadata="{METADATA}"' in challenge


async def test_a_mode_is_not_a_scope_that_one_could_sign_on_for(team: Team, issuer: Issuer) -> None:
    token = issuer.token(scope="campaigns:read")
    async with team.client(token, Atoms_Mcp_Modes="no-dial") as client:
        assert "no such tool" in await client.refused("start_campaign", campaign_id="0" * 24)


@pytest.mark.slow
async def test_who_may_dial_may_stop_but_not_create(team: Team, issuer: Issuer) -> None:
    async with team.client(issuer.token(scope="campaigns:dial")) as client:
        stopped = await client.raw("pause_campaign", campaign_id="all")
        assert not stopped.is_error, text_of(stopped)
        with pytest.raises(MCPError, match="campaigns:write"):
            await client.raw("create_campaign", **DRAFT)


@pytest.mark.parametrize("era", ERAS)
async def test_who_may_not_read_sees_no_campaign_in_other_ways_either(
    team: Team, issuer: Issuer, era: str
) -> None:
    async with team.client(issuer.token(scope="campaigns:write"), era) as client:
        with pytest.raises(MCPError, match="campaigns:read"):
            await client.client.read_resource(f"atoms://campaigns/{'0' * 24}")


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_what_a_token_may_do_is_decided_where_requests_are_carried_out_too(
    bench: Bench, issuer: Issuer, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unseen(app: ASGIApp, _: Challenges) -> ASGIApp:
        return app

    monkeypatch.setattr(serve, "ScopeChallenge", unseen)
    token = issuer.token(scope="campaigns:write")
    async with serving_team(bench) as team, team.client(token, era) as client:
        with pytest.raises(MCPError, match="campaigns:read"):
            await client.client.read_resource(f"atoms://campaigns/{'0' * 24}")
        assert "campaigns:read" in await client.refused("list_campaigns")
        scheduled = {**DRAFT, "scheduled_at": "2027-01-05T09:00:00Z"}
        assert "campaigns:dial" in await client.refused("create_campaign", **scheduled)
    assert bench.wire.requests == [r for r in bench.wire.requests if "atoms" not in r.url.path]


async def test_reading_a_resource_without_the_scope_says_how_to_get_it(
    team: Team, issuer: Issuer
) -> None:
    token = issuer.token(scope="campaigns:write")
    answer = await team.post(token, "resources/read", {"uri": f"atoms://campaigns/{'0' * 24}"})
    assert answer.status_code == 403
    assert 'scope="campaigns:read"' in answer.headers["WWW-Authenticate"]


async def test_contacts_are_taken_from_those_who_may_write(team: Team, issuer: Issuer) -> None:
    kind = {"Content-Type": "text/csv"}
    answers = dict[str, int]()
    for scope in ("campaigns:read", "campaigns:write"):
        async with team.http(issuer.token(scope=scope)) as http:
            answer = await http.put("/contacts", content=b"phone\n+12025550111", headers=kind)
        answers[scope] = answer.status_code
    assert answers == {"campaigns:read": 403, "campaigns:write": 201}


async def test_a_token_without_any_of_our_scopes_is_told_which_there_are(
    team: Team, issuer: Issuer
) -> None:
    answer = await team.post(issuer.token(scope="openid email"), "tools/list")
    assert answer.status_code == 403
    assert f'scope="{EVERY_SCOPE}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.slow
async def test_a_large_message_reaches_the_server_whole(team: Team, issuer: Issuer) -> None:
    rows = "".join(f"+1202555{number:04},{'x' * 90}\n" for number in range(9999))
    token = issuer.token(scope="campaigns:write")
    async with team.client(token) as client:
        made = await client.raw("create_audience", name="Many", csv=f"phone,note\n{rows}")
    assert "campaigns" not in text_of(made)
    assert len(rows) > 900_000


async def test_the_metadata_is_for_everybody_and_says_who_signs_on(
    team: Team, issuer: Issuer
) -> None:
    page = {"Origin": "http://localhost:3000"}
    async with team.http(**page) as http:
        found = [
            await http.get(f"/.well-known/oauth-protected-resource{path}") for path in ("", "/mcp")
        ]
        written = await http.post("/.well-known/oauth-protected-resource")
    assert {answer.status_code for answer in found} == {200}
    assert written.status_code == 405
    assert (
        found[0].json()
        == found[1].json()
        == {
            "resource": RESOURCE,
            "authorization_servers": [issuer.url],
            "scopes_supported": EVERY_SCOPE.split(),
            "bearer_methods_supported": ["header"],
            "resource_name": "Atoms campaigns",
        }
    )
    assert found[0].headers["Access-Control-Allow-Origin"] == page["Origin"]
    assert "sk_" not in json.dumps(found[0].json())
