"""Prefixes, keys, envelopes, pages of unknown routes, limits and faults."""

import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from tests.contract.driver import ORIGIN, UNKNOWN, Driver, behaviour, driving
from tests.contract.samples import AUDIENCE, LIMITED

pytestmark = pytest.mark.anyio


@behaviour("http.prefixes.all-serve-the-same")
@pytest.mark.parametrize("prefix", ["/atoms/v1", "/api/v1", ""])
async def test_every_prefix_that_a_client_may_use_is_served(api: Driver, prefix: str) -> None:
    response = await api.unjudged.get(f"{ORIGIN}{prefix}/product/phone-numbers")
    assert response.status_code == 200
    assert response.json()["data"] == await api.get("/product/phone-numbers")


@behaviour("http.prefixes.all-serve-the-same")
async def test_a_change_under_one_prefix_is_seen_under_another(api: Driver) -> None:
    campaign = await api.draft()
    response = await api.unjudged.post(f"{ORIGIN}/campaign/{campaign}/start")
    assert response.status_code == 202
    assert (await api.http.get(f"{ORIGIN}/api/v1/campaign/{campaign}")).status_code == 200
    assert await api.status(campaign) == "processing"


@behaviour("http.unknown-route.answers-an-html-page")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/atoms/v1/organization"),
        ("GET", "/api/v1/nothing/here"),
        ("GET", "/atoms/v2/campaign"),
        ("GET", "/"),
        ("PATCH", f"/atoms/v1/campaign/{UNKNOWN}"),
        ("PUT", "/atoms/v1/campaign"),
        ("POST", "/atoms/v1/product/phone-numbers"),
        ("POST", f"/atoms/v1/campaign/{UNKNOWN}"),
        ("DELETE", "/atoms/v1/campaign"),
        ("POST", f"/atoms/v1/campaign/{UNKNOWN}/stop"),
    ],
)
async def test_an_unknown_path_or_method_gets_the_page_that_express_gives(
    api: Driver, method: str, path: str
) -> None:
    response = await api.unjudged.request(method, ORIGIN + path)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")
    assert f"<pre>Cannot {method} {path}</pre>" in response.text


@behaviour("http.unknown-route.answers-an-html-page")
async def test_the_page_of_an_unknown_path_does_not_repeat_markup(api: Driver) -> None:
    response = await api.unjudged.get(f"{ORIGIN}/<script>alert(1)</script>")
    assert response.status_code == 404
    assert "<script>" not in response.text


@behaviour("http.unknown-route.answers-an-html-page")
async def test_an_unknown_path_is_answered_without_a_key(api: Driver) -> None:
    response = await api.unjudged.get("/organization", headers={"Authorization": ""})
    assert response.status_code == 404


@behaviour("http.trailing-slash.is-the-list")
@pytest.mark.parametrize("path", ["/campaign/", "/audience/", "/agent/"])
async def test_a_trailing_slash_leads_to_the_list(api: Driver, path: str) -> None:
    response = await api.unjudged.get(path)
    assert response.status_code == 200
    assert response.json()["data"] == await api.get(path.rstrip("/"))


@behaviour("http.request-id.on-every-answer")
@pytest.mark.parametrize("path", ["/campaign", f"/campaign/{UNKNOWN}", "/nowhere"])
async def test_every_answer_names_itself_for_the_support(api: Driver, path: str) -> None:
    names = [(await api.unjudged.get(path)).headers["x-request-id"] for _ in range(2)]
    assert names[0] != names[1]


@behaviour("auth.key.any-secret-key-is-let-in")
@pytest.mark.parametrize("header", ["Bearer sk_x", "Bearer sk_0123456789abcdef", "bearer sk_x"])
async def test_any_key_that_looks_like_one_is_let_in(api: Driver, header: str) -> None:
    response = await api.careless.get("/user", headers={"Authorization": header})
    assert response.status_code == 200


@behaviour("auth.key.missing-or-wrong-is-401")
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer token", "sk_sandbox", "Basic sk_sandbox"]
)
async def test_no_key_or_another_kind_of_key_is_unauthorized(api: Driver, header: str) -> None:
    response = await api.careless.get("/campaign", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json() == {"status": False, "errors": ["Unauthorized: User not found"]}


@behaviour("auth.key.any-secret-key-is-let-in")
async def test_an_allow_list_shuts_other_keys_out() -> None:
    async with driving(allowed_keys=frozenset({"sk_sandbox"})) as api:
        await api.get("/user")
        other = {"Authorization": "Bearer sk_other"}
        await api.refused("GET", "/user", 401, headers=other)


@behaviour("auth.key.account-and-billing-word-it-their-way")
async def test_the_account_route_words_a_missing_key_in_its_own_way(api: Driver) -> None:
    response = await api.careless.get("/account/get-account-details", headers={"Authorization": ""})
    assert response.status_code == 401
    assert response.json() == {"message": "User not authenticated"}


@behaviour("auth.key.account-and-billing-word-it-their-way")
async def test_billing_answers_a_missing_key_with_an_error_object(api: Driver) -> None:
    url = f"{ORIGIN}/payment/v1/credits/balance"
    response = await api.careless.get(url, headers={"Authorization": ""})
    assert response.status_code == 401
    assert response.json()["success"] is False
    assert response.json()["error"].keys() == {"code", "message"}


@behaviour("auth.organization.one-per-key")
async def test_every_key_is_an_organization_of_its_own_seeded_on_first_use(api: Driver) -> None:
    await api.draft(name="Mine")
    headers = {"Authorization": "Bearer sk_other"}
    mine = (await api.get("/user"))["organizationId"]
    assert (await api.ok("GET", "/user", headers=headers))["organizationId"] != mine
    theirs = await api.ok("GET", "/campaign", headers=headers)
    assert [campaign["status"] for campaign in theirs["campaigns"]] == ["completed"]
    audiences = await api.ok("GET", "/audience", headers=headers)
    assert AUDIENCE in [audience["_id"] for audience in audiences]


@behaviour("auth.organization.one-per-key")
async def test_a_key_finds_its_organization_again(api: Driver) -> None:
    first = await api.get("/user")
    api.later(days=40)
    assert await api.get("/user") == first


@behaviour("input.order.key-then-id-then-existence")
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_campaign_of_another_organization_is_not_found(api: Driver, method: str) -> None:
    await api.draft()
    campaign = await api.draft(name="Second, so its id is no sample")
    headers = {"Authorization": "Bearer sk_other"}
    errors = await api.refused(method, f"/campaign/{campaign}", 404, headers=headers)
    assert errors == ["Campaign not found"]
    assert await api.status(campaign) == "draft"


@behaviour("limits.rate.answers-429-when-set")
async def test_more_requests_than_the_limit_are_answered_429(api: Driver) -> None:
    for _ in range(50):
        await api.get("/user")
    async with driving(rate_limit=2) as limited:
        statuses = [(await limited.http.get("/user")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        response = await limited.http.get("/user")
        seconds = int(response.headers["retry-after"])
        assert response.json() == {**LIMITED, "retry_after": seconds}
        limited.later(seconds=seconds)
        assert (await limited.http.get("/user")).status_code == 200


@behaviour("limits.rate.answers-429-when-set")
async def test_one_organization_does_not_use_up_the_limit_of_another() -> None:
    async with driving(rate_limit=1) as api:
        assert (await api.http.get("/user")).status_code == 200
        assert (await api.http.get("/user")).status_code == 429
        other = {"Authorization": "Bearer sk_other"}
        assert (await api.http.get("/user", headers=other)).status_code == 200


@behaviour("faults.injected.as-asked-for")
@pytest.mark.parametrize(
    ("fault", "status", "media"),
    [
        (Fault(kind="rate_limit", times=1), 429, "application/json"),
        (Fault(kind="error_500", times=1), 500, "application/json"),
        (Fault(kind="error_504", times=1), 504, "text/html"),
        (Fault(kind="html_error", times=1), 502, "text/html"),
    ],
    ids=lambda value: getattr(value, "kind", str(value)),
)
async def test_a_fault_answers_as_the_service_would_and_does_nothing(
    api: Driver, fault: Fault, status: int, media: str
) -> None:
    api.world.inject(fault)
    body = {"name": "Spring"}
    response = await api.careless.post("/campaign", json=body)
    assert response.status_code == status
    assert response.headers["content-type"].startswith(media)
    assert (await api.get("/campaign"))["totalCampaignCount"] == 1
    assert await api.draft()


@behaviour("faults.injected.as-asked-for")
async def test_a_slow_answer_is_right_but_late(api: Driver) -> None:
    api.world.inject(Fault(kind="slow", delay=30))
    before = api.clock.now()
    await api.get("/campaign")
    assert (api.clock.now() - before).total_seconds() == 30


@behaviour("faults.injected.as-asked-for")
async def test_an_answer_can_get_lost_after_the_work_was_done(api: Driver) -> None:
    api.world.inject(Fault(kind="lost_answer", route="POST /campaign", times=1))
    with pytest.raises((httpx2.TransportError, ConnectionError)):
        await api.draft(name="Lost")
    api.world.inject()
    names = [campaign["name"] for campaign in (await api.get("/campaign"))["campaigns"]]
    assert "Lost" in names
