"""What every operation shares: prefixes, keys, content types, unknown routes."""

import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.api.routes import OPERATIONS
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.sandbox.conftest import OpenSandbox
from tests.sandbox.harness import UNKNOWN, Sandbox, client, draft

pytestmark = pytest.mark.anyio

CALL = "CALL-1778226705739-7e4c17"


def unjudged(sandbox: Sandbox, prefix: str = "") -> httpx2.AsyncClient:
    """A client for what our OpenAPI document leaves out."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=create_app(sandbox.world)),
        base_url=f"http://sandbox{prefix}",
        headers={"Authorization": "Bearer sk_test"},
    )


@pytest.mark.parametrize("prefix", ["/atoms/v1", "/api/v1", ""])
async def test_every_prefix_the_clients_use_reaches_the_same_routes(
    sandbox: Sandbox, prefix: str
) -> None:
    async with unjudged(sandbox, prefix) as http:
        created = await http.post("/campaign", json=draft())
        assert created.status_code == 201
        shown = await http.get(f"/campaign/{created.json()['data']['_id']}")
        assert shown.json()["data"]["campaign"]["status"] == "draft"
        balance = await http.get("http://sandbox/payment/v1/credits/balance")
        assert balance.json()["success"] is True


async def test_a_trailing_slash_means_nothing(sandbox: Sandbox) -> None:
    async with unjudged(sandbox) as http:
        for path in ("/campaign", "/audience", "/agent"):
            assert (await http.get(f"{path}/")).json() == (await http.get(path)).json()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/atoms/v1/organization"),
        ("PUT", "/atoms/v1/campaign/123"),
        ("PATCH", "/atoms/v1/campaign"),
        ("GET", "//campaign"),
        ("GET", "/atoms/v1/atoms/v1/campaign"),
        ("OPTIONS", "/campaign"),
        ("GET", "/"),
    ],
)
async def test_an_unknown_route_answers_the_page_of_express(
    sandbox: Sandbox, method: str, path: str
) -> None:
    async with unjudged(sandbox) as http:
        response = await http.request(method, f"http://sandbox{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text == (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<title>Error</title>\n</head>\n<body>\n"
        f"<pre>Cannot {method} {path}</pre>\n</body>\n</html>\n"
    )


async def test_the_path_of_an_unknown_route_is_escaped(sandbox: Sandbox) -> None:
    async with unjudged(sandbox) as http:
        response = await http.get("http://sandbox/a<b>&'x")
    assert "<b>" not in response.text


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic sk_test", "Bearer pk_test", "sk_test"]
)
async def test_a_missing_or_malformed_key_is_unauthorized(sandbox: Sandbox, header: str) -> None:
    headers = {"Authorization": header}
    assert await sandbox.refused("GET", "/campaign", 401, headers=headers) == [
        "Unauthorized: User not found"
    ]
    account = await sandbox.send("GET", "/account/get-account-details", headers=headers)
    assert (account.status_code, account.json()) == (401, {"message": "User not authenticated"})
    url = "http://sandbox/payment/v1/credits/balance"
    balance = await sandbox.send("GET", url, headers=headers)
    assert balance.json() == {
        "success": False,
        "error": {"code": "UNAUTHORIZED", "message": "Unauthorized: User not found"},
    }


async def test_only_allowed_keys_are_let_in_when_there_is_a_list(
    open_sandbox: OpenSandbox,
) -> None:
    options = Options(allowed_keys=frozenset({"sk_mine", "other"}))
    sandbox = open_sandbox(options=options, key="sk_mine")
    assert await sandbox.get("/user")
    assert await sandbox.as_key("other").get("/user")
    await sandbox.as_key("sk_yours").refused("GET", "/user", 401)


def requests_of_everything() -> list[tuple[str, str]]:
    routes = [operation.route.split(" ") for operation in OPERATIONS]
    paths = [(m, p.replace("{id}", CALL if "conversation" in p else UNKNOWN)) for m, p in routes]
    return [(method, path) for method, path in paths if not path.startswith("/payment")]


BODIES: list[tuple[str, bytes]] = [
    ("application/json", b""),
    ("application/json", b"{"),
    ("application/json; charset=utf-8", b"[1]"),
    ("application/json", b'"\\ud800"'),
    ("application/json", b'{"name":"\\ud800\\u0000"}'),
    ("application/json", b'{"name":1e999,"x":NaN}'),
    ("application/json", b"\xff\xfe"),
    ("application/json", b"[" * 100_000),
    ("text/plain", b"name=x"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=y", b"x"),
    ("multipart/form-data; boundary=y", b"--y\r\n"),
    ("multipart/form-data; boundary=\xfc", b"--y--"),
    ("", b"x"),
]


@pytest.mark.parametrize(("method", "path"), requests_of_everything())
async def test_no_body_whatever_is_answered_with_an_internal_error(
    sandbox: Sandbox, method: str, path: str
) -> None:
    for kind, content in BODIES:
        headers = {b"Content-Type": kind.encode("latin-1")}
        response = await sandbox.send(method, path, content=content, headers=headers)
        assert response.status_code < 500
        is_json = response.headers["content-type"].startswith("application/json")
        assert response.is_success or not is_json or response.json()["errors"]


async def test_a_body_beyond_every_limit_is_refused_unread(sandbox: Sandbox) -> None:
    content = b"x" * (12 * 1024 * 1024 + 1)
    refused = await sandbox.refused("POST", "/audience", content=content)
    assert refused == ["Request body too large"]


async def test_every_answer_has_a_request_id_of_its_own(sandbox: Sandbox) -> None:
    names = {
        (await sandbox.send("GET", path)).headers["x-request-id"]
        for path in ("/campaign", "/campaign", "/agent")
    }
    assert len(names) == 3


async def test_two_applications_can_serve_one_world(sandbox: Sandbox) -> None:
    async with client(sandbox.world, sandbox.clock) as http:
        campaign = await sandbox.create()
        assert (await http.get(f"/campaign/{campaign}")).status_code == 200
