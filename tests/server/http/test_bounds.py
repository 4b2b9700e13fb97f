"""What no request may be: from elsewhere, too large, too deep, not text, or to nowhere."""

import json
from collections.abc import AsyncGenerator

import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.journal import SqliteJournal
from tests.support.bench import Bench
from tests.support.team import ANNA, CSV, Team, bearer, request, routing, serving_team, told
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
PAGE = "https://app.example.com"
LIST = b"phone,name\n+12025550111,Maya"
PUBLIC = {"allowed_hosts": ("mcp.example.com",), "allowed_origins": (PAGE,)}


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/mcp", "/contacts", "/"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "mcp.example.com"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": PAGE}, 403),
        ({"Host": "127.0.0.1:80@evil.example"}, 421),
        ({"Host": "localhost:80.evil.example"}, 421),
        ({"Host": "localhost:"}, 421),
        ({"Origin": "http://localhost:3000.evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:3000@evil.example"}, 403),
        ({"Origin": "http://[::1]:3000/evil.example"}, 403),
    ],
)
async def test_a_foreign_host_or_page_is_refused_before_anything_is_read(
    team: Team, header: dict[str, str], status: int, path: str
) -> None:
    async with team.http(ANNA) as http:
        answer = await http.post(path, content=LIST, headers={**CSV, **header})
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert team.bench.wire.requests == []


@pytest.mark.slow
async def test_allowed_hosts_and_pages_are_served_and_no_others(bench: Bench) -> None:
    bench.configure(**PUBLIC)
    async with serving_team(bench) as team:
        for header, status in (
            ({"Host": "mcp.example.com"}, 200),
            ({"Host": "mcp.example.com:8443"}, 200),
            ({"Host": "other.example.com"}, 421),
            ({"Origin": PAGE}, 200),
            ({"Host": "[::1]:8080"}, 200),
            ({"Host": "mcp.example.com:8443.evil.example"}, 421),
            ({"Origin": "http://localhost:6274"}, 200),
            ({"Origin": "http://[::1]:6274"}, 200),
            ({"Origin": f"{PAGE}.evil.example"}, 403),
            ({"Origin": f"{PAGE}:444"}, 403),
            ({"Origin": "http://app.example.com"}, 403),
        ):
            answer = await team.post(ANNA, "tools/list", None, **header)
            assert answer.status_code == status, header
            origin = header.get("Origin")
            readable = answer.headers.get("access-control-allow-origin") == origin
            assert readable is (status == 200 or origin is None), header


async def test_health_is_told_by_any_name_and_without_a_key(team: Team) -> None:
    async with team.http(Host="10.0.0.7:8080") as http:
        live, ready = await http.get("/health/live"), await http.get("/health/ready")
    assert (live.json(), ready.json()) == (
        {"live": True},
        {"ready": True, "state": "ok"},
    )
    assert team.bench.wire.requests == []


async def test_a_server_that_ends_is_not_ready_and_one_without_its_state_is(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise NotRecorded("The state is away.", next_step="Wait.")

    async with team.http() as http:
        with monkeypatch.context() as patch:
            patch.setattr(SqliteJournal, "entries", away)
            without = await http.get("/health/ready")
        team.service.end()
        ending = await http.get("/health/ready")
    assert (without.status_code, without.json()) == (200, {"ready": True, "state": "away"})
    assert (ending.status_code, ending.json()) == (503, {"ready": False, "state": "ending"})


@pytest.mark.parametrize("path", ["/health/live/", "/health/", "/health/live/x"])
async def test_no_other_path_beside_health_is_answered_or_leads_elsewhere(
    team: Team, path: str
) -> None:
    async with team.http(Host="evil.example") as http:
        answer = await http.get(path)
    assert answer.status_code == 404
    assert "evil" not in f"{answer.headers}{answer.text}"


@pytest.mark.parametrize("path", ["/mcp", "/contacts"])
async def test_browsers_learn_what_an_allowed_page_may_send(bench: Bench, path: str) -> None:
    bench.configure(**PUBLIC)
    asked = {
        "Access-Control-Request-Method": "PUT" if path == "/contacts" else "POST",
        "Access-Control-Request-Headers": "authorization, atoms-mcp-modes, content-type, "
        "mcp-method, mcp-name, mcp-protocol-version, mcp-session-id, last-event-id",
    }
    async with serving_team(bench) as team, team.http() as http:
        allowed = await http.options(path, headers={**asked, "Origin": PAGE})
        foreign = await http.options(path, headers={**asked, "Origin": "https://evil.example"})
        odd = {**asked, "Origin": PAGE, "Access-Control-Request-Headers": "x-other"}
        odd_header = await http.options(path, headers=odd)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "access-control-allow-credentials" not in allowed.headers
    assert foreign.status_code == 400
    assert "access-control-allow-origin" not in foreign.headers
    assert odd_header.status_code == 400


async def test_pages_can_read_the_headers_that_a_client_needs(team: Team) -> None:
    async with team.http(Origin="http://localhost:6274") as http:
        answer = await http.post("/mcp", json={})
    exposed = answer.headers["access-control-expose-headers"].lower()
    assert answer.status_code == 401
    assert {"mcp-session-id", "www-authenticate", "retry-after"} <= set(exposed.split(", "))


async def pieces(total: int) -> AsyncGenerator[bytes]:
    """A body without a length: HTTP sends it chunked."""
    for _ in range(total // 100_000):
        yield b"x" * 100_000


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(("path", "most"), [("/mcp", 6_000_000), ("/contacts", 5_000_000)])
async def test_a_body_beyond_the_limit_is_refused(
    team: Team, path: str, most: int, *, chunked: bool
) -> None:
    method = "PUT" if path == "/contacts" else "POST"
    headers = CSV if path == "/contacts" else {**routing("tools/list")}
    async with team.http(ANNA) as http:
        too_large = pieces(most + 200_000) if chunked else b"x" * (most + 1)
        answer = await http.request(method, path, content=too_large, headers=headers)
        assert answer.status_code == 413
        assert (await team.post(ANNA, "tools/list")).status_code == 200


@pytest.mark.parametrize("length", ["-1", "many", "9" * 30, "1\r\nContent-Length: 2"])
async def test_a_length_that_is_none_is_refused(team: Team, length: str) -> None:
    async with await team.connection() as stream:
        await stream.send(team.head("POST", "/mcp", ANNA, Content_Length=length))
        assert (await stream.receive()).split()[1] in {b"400", b"413"}
    assert team.bench.wire.requests == [] or len(length) == 30


async def test_dots_in_a_path_lead_nowhere(team: Team) -> None:
    for path in ("/health/../mcp", "/health/%2e%2e/mcp", "//mcp", "/health/..%2fmcp"):
        async with await team.connection() as stream:
            await stream.send(team.head("GET", path, ""))
            assert (await stream.receive()).split()[1] in {b"404", b"401"}, path


@pytest.mark.slow
@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("depth", [150, 5_000, 500_000])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
async def test_a_deeply_nested_message_is_refused_and_others_are_served(
    team: Team, era: str, depth: int, left: str, right: str
) -> None:
    call = {"name": "list_campaigns", "arguments": {"search": "@"}}
    headers = routing("tools/call", call)
    if era == "legacy":
        headers = {"Accept": headers["Accept"], "Mcp-Session-Id": await team.session(ANNA)}
    nested = left * depth + "1" + right * depth
    body = json.dumps(request("tools/call", call)).replace('"@"', nested)
    async with team.http(ANNA, **headers) as http:
        answer = await http.post(
            "/mcp", content=body.encode(), headers={"Content-Type": "application/json"}
        )
    if answer.status_code == 200:
        assert told(answer)["result"]["isError"] is True
    else:
        assert answer.status_code in {400, 413}
    assert len(answer.text) < 2_000
    assert (await team.post(ANNA, "tools/list")).status_code == 200


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("GET /", 404),
        ("POST /mcp/other", 404),
        ("GET /health/other", 404),
        ("GET /.well-known/oauth-protected-resource", 404),
        ("POST /health/live", 405),
        ("GET /contacts", 405),
        ("POST /contacts", 405),
        ("PATCH /mcp", 405),
        ("PUT /mcp", 405),
        ("TRACE /mcp", 405),
    ],
)
async def test_unknown_paths_and_methods_are_refused(team: Team, where: str, status: int) -> None:
    method, path = where.split()
    async with team.http(ANNA) as http:
        answer = await http.request(method, path)
    assert answer.status_code == status


@pytest.mark.slow
async def test_without_authentication_one_machine_is_served_with_its_own_account(
    bench: Bench,
) -> None:
    bench.configure(auth="none")
    async with serving_team(bench) as team:
        async with team.client("") as client:
            assert (await client.call("create_campaign", **DRAFT))["mode"] == "sandbox"
        async with team.http(**bearer(ANNA)) as http:
            foreign = await http.post("/mcp", headers={"Host": "evil.example"})
    assert foreign.status_code == 421
    assert {r.headers["Authorization"] for r in bench.wire.requests} == {"Bearer sk_sandbox"}
