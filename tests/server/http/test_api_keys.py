"""Who may call: only a request that brings an Atoms API key of its own."""

import io
import logging
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.auth import api_keys
from atoms_campaigns_mcp.telemetry import configure
from tests.support.bench import Bench
from tests.support.serving import ERAS, text_of
from tests.support.team import ACCEPT, ANNA, BERT, CSV, LEGACY, Team, bearer, serving_team, told
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


def asked_by(bench: Bench) -> set[str]:
    """The keys with which the API was asked."""
    return {str(r.headers["Authorization"]).removeprefix("Bearer ") for r in bench.wire.requests}


class Api:
    """The API in front of the sandbox: it knows which keys are good, and whether it is there."""

    def __init__(self, bench: Bench) -> None:
        self.revoked: set[str] = set()
        self.away = False
        self.asked: list[str] = []
        self._below = bench.wire.below
        bench.wire.below = httpx2.MockTransport(self._answer)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(key)
        if self.away:
            raise httpx2.ConnectError("no route")
        if key in self.revoked or key.startswith("sk_stranger"):
            return httpx2.Response(401, json={"status": False, "errors": ["Unauthorized"]})
        return await self._below.handle_async_request(request)


@pytest.fixture
def api(bench: Bench) -> Api:
    return Api(bench)


@pytest.fixture
def logged() -> Generator[io.StringIO]:
    """Everything that every logger says, as the operator sees it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure(stream, logging.DEBUG)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.slow
@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {ANNA}"},
        {"Authorization": ANNA},
        {"Authorization": "Bearer not-a-key"},
        {"Authorization": f"Bearer {ANNA} {BERT}"},
        {"Authorization": f"Bearer {ANNA}\u00e9"},
        {"Authorization": "Bearer sk_" + "a" * 201},
        {"Authorization": "Bearer sk_../../user"},
        {"X-Api-Key": ANNA},
        {"Cookie": f"Authorization=Bearer {ANNA}"},
    ],
)
async def test_a_request_without_a_well_formed_key_is_refused_and_the_api_is_not_asked(
    team: Team, header: dict[str, str]
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in header.items()]
    async with team.http() as http:
        for where in ("POST /mcp", "GET /mcp", "DELETE /mcp", "PUT /contacts", "GET /else"):
            method, path = where.split()
            answer = await http.request(method, path, headers=raw, content=b"{}")
            assert answer.status_code == 401, where
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
            assert ANNA not in answer.text
    assert team.bench.wire.requests == []


async def test_a_key_in_the_query_counts_for_nothing(team: Team) -> None:
    async with team.http() as http:
        answer = await http.post(f"/mcp?access_token={ANNA}&key={ANNA}", json={})
    assert answer.status_code == 401


async def test_two_keys_in_one_request_are_refused_whoever_they_belong_to(team: Team) -> None:
    async with team.http() as http:
        twice = [("Authorization", f"Bearer {ANNA}"), ("Authorization", f"Bearer {BERT}")]
        answer = await http.post("/mcp", json={}, headers=twice)
    assert answer.status_code == 401
    assert team.bench.wire.requests == []


async def test_a_key_that_the_api_does_not_know_is_refused(team: Team, api: Api) -> None:
    answer = await team.post("sk_stranger", "tools/list")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert api.asked == ["sk_stranger"]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_the_servers_own_key_stands_in_for_nobody(bench: Bench, era: str) -> None:
    environ = {
        "SMALLEST_API_KEY": "sk_the_servers_own",
        "ATOMS_API_KEY": "sk_the_servers_own",
        "ATOMS_MCP_STATE": str(bench.settings.state),
        "ATOMS_MCP_RATE": "1000",
    }
    bench.settings = Settings.load(environ, auth="key")
    async with serving_team(bench) as team:
        assert (await team.post("", "tools/list")).status_code == 401
        async with team.http() as http:
            assert (await http.put("/contacts", content=b"phone", headers=CSV)).status_code == 401
        async with team.client(ANNA, era) as client:
            await client.call("get_account")
            await client.call("create_campaign", **DRAFT)
    assert asked_by(bench) == {ANNA}


@pytest.mark.slow
async def test_a_key_is_verified_once_a_minute_however_often_it_is_used(
    team: Team, api: Api
) -> None:
    for _ in range(5):
        assert (await team.post(ANNA, "tools/list")).status_code == 200
    assert api.asked == [ANNA]
    team.bench.clock.advance(seconds=api_keys.TRUSTED + 1)
    assert (await team.post(ANNA, "tools/list")).status_code == 200
    assert api.asked == [ANNA, ANNA]


@pytest.mark.slow
async def test_a_revoked_key_is_refused_after_a_minute_and_from_then_on(
    team: Team, api: Api
) -> None:
    assert (await team.post(ANNA, "tools/list")).status_code == 200
    api.revoked.add(ANNA)
    team.bench.clock.advance(seconds=api_keys.TRUSTED + 1)
    for _ in range(2):
        assert (await team.post(ANNA, "tools/list")).status_code == 401
    assert (await team.post(BERT, "tools/list")).status_code == 200


async def test_while_the_api_is_away_new_keys_wait_and_are_let_in_when_it_is_back(
    team: Team, api: Api
) -> None:
    api.away = True
    away = await team.post(ANNA, "tools/list")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    api.away = False
    assert (await team.post(ANNA, "tools/list")).status_code == 200


async def test_a_key_verified_a_moment_ago_outlasts_an_api_that_is_away(
    team: Team, api: Api
) -> None:
    assert (await team.post(ANNA, "tools/list")).status_code == 200
    api.away = True
    assert (await team.post(ANNA, "tools/list")).status_code == 200


@pytest.mark.slow
async def test_a_wrong_key_that_is_repeated_costs_the_api_a_question_in_ten_seconds(
    team: Team, api: Api
) -> None:
    for _ in range(20):
        assert (await team.post("sk_stranger", "tools/list")).status_code == 401
    assert api.asked == ["sk_stranger"]
    team.bench.clock.advance(seconds=api_keys.REFUSED + 1)
    assert (await team.post("sk_stranger", "tools/list")).status_code == 401
    assert api.asked == ["sk_stranger"] * 2


@pytest.mark.slow
async def test_a_flood_of_made_up_keys_keeps_no_tenant_out(bench: Bench, api: Api) -> None:
    bench.configure(rate=10)
    # The queue to the API stands still: nobody who waits in it is served.
    still = Clocks(bench.clock.now, bench.clock.monotonic, sleep=lambda _: anyio.sleep_forever())
    async with serving_team(bench, still) as team:
        assert (await team.post(ANNA, "tools/list")).status_code == 200
        bench.clock.advance(seconds=api_keys.TRUSTED + 1)
        statuses, many = Counter[int](), anyio.Event()

        async def stranger(number: int) -> None:
            below = httpx2.ASGITransport(app=team.service.app)
            async with httpx2.AsyncClient(transport=below, base_url="http://localhost") as http:
                answer = await http.post("/mcp", headers=bearer(f"sk_stranger_{number}"))
            statuses[answer.status_code] += 1
            if statuses[429] >= 200:
                many.set()

        async with anyio.create_task_group() as tasks:
            for number in range(300):
                tasks.start_soon(stranger, number)
            await many.wait()
            assert (await team.post(ANNA, "tools/list")).status_code == 200
            tasks.cancel_scope.cancel()
    assert statuses.keys() <= {401, 429}
    assert len(api.asked) <= 12  # a second's worth of strangers, and Anna twice


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_may_give_up_rights(team: Team, era: str) -> None:
    async with team.client(ANNA, era) as client:
        campaign = {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}
    async with team.client(ANNA, era, Atoms_Mcp_Modes="read-only") as client:
        names = {tool.name for tool in (await client.client.list_tools()).tools}
        assert {"list_campaigns", "get_campaign_status"} <= names
        assert not {"create_campaign", "start_campaign", "pause_campaign"} & names
        assert "read-only" in await client.refused("start_campaign", **campaign)
        assert "read-only" in await client.refused("pause_campaign", **campaign)
    async with team.client(ANNA, era, Atoms_Mcp_Modes="no-dial") as client:
        names = {tool.name for tool in (await client.client.list_tools()).tools}
        assert "pause_campaign" in names
        assert "start_campaign" not in names
        assert "no-dial" in await client.refused("start_campaign", **campaign)
        scheduled = {**DRAFT, "name": "Later", "scheduled_at": "2027-02-01T10:00:00Z"}
        assert "switched off" in await client.refused("create_campaign", **scheduled)
    assert "start" not in team.bench.wire.changes
    assert "pause" not in team.bench.wire.changes


async def test_rights_that_a_session_began_with_can_be_given_up_in_it(team: Team) -> None:
    session = {**LEGACY, **ACCEPT, "Mcp-Session-Id": await team.session(ANNA)}
    call = {"name": "create_campaign", "arguments": DRAFT}
    body = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
    async with team.http(ANNA) as http:
        narrower = {**session, "Atoms-Mcp-Modes": "read-only"}
        narrowed = await http.post("/mcp", json=body, headers=narrower)
        whole = await http.post("/mcp", json=body, headers=session)
    assert told(narrowed)["result"]["isError"] is True
    assert not told(whole)["result"].get("isError")


@pytest.mark.parametrize(
    "words",
    ["", "live", "read-write", "no-dial, admin", "read_only", "confirm=never", "-read-only", "*"],
)
async def test_no_header_gives_back_what_the_operator_took(bench: Bench, words: str) -> None:
    bench.configure(read_only=True, no_dial=True)
    async with serving_team(bench) as team:
        call = {"name": "create_campaign", "arguments": DRAFT}
        answer = await team.post(ANNA, "tools/call", call, Atoms_Mcp_Modes=words)
        upload = team.http(ANNA, Atoms_Mcp_Modes=words)
        async with upload as http:
            kept = await http.put("/contacts", content=b"phone\n+12025550111", headers=CSV)
    if words:
        assert (answer.status_code, kept.status_code) == (400, 400)
        assert "read-only, no-dial or both" in answer.text
    else:
        assert told(answer)["result"]["isError"] is True
        assert kept.status_code == 403
    assert bench.wire.changes == []


async def test_each_of_several_headers_takes_rights_away(team: Team) -> None:
    modes = [("Atoms-Mcp-Modes", "no-dial"), ("Atoms-Mcp-Modes", "read-only")]
    async with team.http(ANNA) as http:
        refused = await http.put(
            "/contacts", content=b"phone\n+12025550111", headers=[*CSV.items(), *modes]
        )
    assert refused.status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_keys_appear_in_no_answer_log_or_file(
    team: Team, api: Api, logged: io.StringIO, tmp_path: Path, era: str
) -> None:
    secret = "sk_live_7f3Qz9LkT2mXw8RbYc4Nd6Vh"
    texts = list[str]()
    async with team.client(secret, era) as client:
        for tool, arguments in (
            ("get_account", {}),
            ("create_campaign", {**DRAFT, "name": f"Call with {secret}"}),
            ("create_campaign", {**DRAFT, "agent_id": secret}),
            ("get_call", {"call_id": secret}),
        ):
            texts.append(text_of(await client.raw(tool, **arguments)))
        api.revoked.add(secret)
        texts.append(text_of(await client.raw("list_campaigns", status="paused")))
    api.revoked.add("sk_live_revoked")
    for key in ("sk_live_revoked", f"{secret} {secret}"):
        answer = await team.post(key, "tools/list")
        texts.append(f"{answer.text} {answer.headers}")
    async with team.http(secret) as http:
        texts.append((await http.get(f"/{secret}?key={secret}")).text)
    files = (path.read_bytes() for path in tmp_path.iterdir())
    assert '"path": "/mcp"' in logged.getvalue()
    for where in (*texts, logged.getvalue(), *(file.decode("latin-1") for file in files)):
        assert "7f3Qz9LkT2" not in where
        assert "sk_live_revoked" not in where
