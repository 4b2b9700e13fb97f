"""Bad input: the documented envelope with every problem, never a fault."""

import json
from typing import Any

import pytest

from tests.contract.driver import ORIGIN, PREFIX, UNKNOWN, Driver, behaviour
from tests.contract.samples import AGENT, AUDIENCE, PHONE

pytestmark = pytest.mark.anyio

WRITES = [
    ("POST", "/campaign"),
    ("POST", "/agent"),
    ("POST", f"/audience/{AUDIENCE}/members"),
    ("DELETE", f"/audience/{AUDIENCE}/members"),
    ("POST", "/conversation/cancel"),
]
JSON = {"Content-Type": "application/json"}


@behaviour("input.json.malformed-is-400")
@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 1}",
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b"\xff\xfe",
        b'"\xc3"',
        b"[" * 100_000,
        b"nope",
    ],
    ids=["cut", "quotes", "nan", "huge", "utf-16", "half a letter", "deep", "word"],
)
async def test_malformed_json_is_refused_in_the_envelope(
    api: Driver, method: str, path: str, body: bytes
) -> None:
    errors = await api.refused(method, path, content=body, headers=JSON)
    assert errors == ["Invalid JSON in request body"]


@behaviour("input.json.malformed-is-400")
@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    ("body", "kind"),
    [([], "array"), ("text", "string"), (7, "number"), (None, "null"), (True, "boolean")],
)
async def test_json_that_is_no_object_is_refused_in_the_envelope(
    api: Driver, method: str, path: str, body: object, kind: str
) -> None:
    errors = await api.refused(method, path, content=json.dumps(body), headers=JSON)
    assert errors == [f"Expected object, received {kind}"]


@behaviour("input.json.malformed-is-400")
@pytest.mark.parametrize("name", [r"\ud800", r"\u0000", "\N{PILE OF POO}", "\N{ZERO WIDTH JOINER}"])
async def test_odd_letters_in_a_name_are_no_fault(api: Driver, name: str) -> None:
    body = f'{{"name":"a{name}","agentId":"{AGENT}","audienceId":"{AUDIENCE}"}}'
    response = await api.careless.post("/campaign", content=body.encode(), headers=JSON)
    assert response.status_code in (201, 400)
    await api.get("/campaign")


@behaviour("input.json.wrong-content-type-is-400")
@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "///", "json"],
)
async def test_another_content_type_is_not_read_and_what_is_required_is_named(
    api: Driver, method: str, path: str, kind: str
) -> None:
    names = ("name", "agentId", "audienceId", "members", "memberIds", "callId")
    whole = json.dumps(dict.fromkeys(names, "x")).encode()
    errors = await api.refused(method, path, content=whole, headers={"Content-Type": kind})
    assert all("Required" in error for error in errors)
    if path == "/campaign":
        assert errors == ["name: Required", "agentId: Required", "audienceId: Required"]


@behaviour("input.json.empty-body-with-json-type")
@pytest.mark.parametrize(
    ("method", "part", "status"),
    [("POST", "/start", 202), ("POST", "/pause", 200), ("DELETE", "", 200)],
)
async def test_an_empty_body_with_a_json_content_type_is_welcome(
    api: Driver, method: str, part: str, status: int
) -> None:
    campaign = await api.started() if part == "/pause" else await api.draft()
    response = await api.careless.request(
        method, f"/campaign/{campaign}{part}", content=b"", headers=JSON
    )
    assert response.status_code == status


@behaviour("input.json.empty-body-with-json-type")
async def test_an_empty_json_body_lacks_what_is_required(api: Driver) -> None:
    errors = await api.refused("POST", "/campaign", content=b"", headers=JSON)
    assert sorted(errors) == ["agentId: Required", "audienceId: Required", "name: Required"]


@behaviour("input.json.empty-body-with-json-type")
@pytest.mark.parametrize("path", ["/user", "/campaign"])
async def test_a_get_with_a_json_content_type_and_no_body_is_welcome(
    api: Driver, path: str
) -> None:
    assert (await api.http.get(path, headers=JSON)).status_code == 200


@behaviour("input.problems.all-in-one-array")
async def test_a_campaign_with_many_mistakes_hears_of_all_of_them_at_once(api: Driver) -> None:
    body = {
        "name": " ",
        "description": "d" * 251,
        "agentId": UNKNOWN,
        "audienceId": UNKNOWN,
        "phoneNumberIds": [UNKNOWN],
        "scheduledAt": "2026-01-01T00:00:00.000Z",
        "maxRetries": 11,
        "retryDelay": 0,
    }
    errors = await api.refused("POST", "/campaign", json=body)
    for start in ("name: ", "description: ", "maxRetries: ", "retryDelay: ", "scheduledAt"):
        assert [error.startswith(start) for error in errors].count(True) == 1, start
    assert {"Agent not found", "Audience not found", "Invalid phone number id"} < set(errors)
    assert len(errors) == 8


@behaviour("input.problems.all-in-one-array")
@pytest.mark.parametrize(
    ("method", "path", "more", "count"),
    [
        ("GET", "/campaign?page=0&offset=x&status=y&sortField=z&sortOrder=up", {}, 5),
        ("GET", "/agent?page=0&offset=0&type=x&sortField=y&archived=z", {}, 5),
        ("GET", f"/audience/{AUDIENCE}/members?page=0&offset=-1", {}, 2),
        ("GET", "/conversation?page=0&limit=0&sortBy=x&dateFrom=y&callAttemptFilter=z", {}, 5),
        ("GET", "/analytics/call-counts-log?page=0&limit=0&dateFrom=x&dateTo=y", {}, 4),
        ("GET", "/dnc?sortField=x&sortOrder=y", {}, 2),
        (
            "POST",
            "/agent",
            {"json": {"name": 1, "workflowType": "x", "firstMessage": "y" * 501}},
            3,
        ),
        ("POST", "/conversation/cancel", {"json": {"callId": 1, "reason": 2}}, 2),
        (
            "POST",
            f"/audience/{AUDIENCE}/members",
            {"json": {"members": [{"phoneNumber": "abc"}, 7, {"name": "Ada"}]}},
            3,
        ),
        ("DELETE", f"/audience/{AUDIENCE}/members", {"json": {"memberIds": [1, None]}}, 2),
        ("POST", "/audience", {"data": {}, "files": {"other": ("x", b"x", "text/csv")}}, 3),
    ],
)
async def test_every_problem_of_a_request_is_in_one_array(
    api: Driver, method: str, path: str, more: dict[str, Any], count: int
) -> None:
    errors = await api.refused(method, path, **more)
    assert len(errors) == count, errors


@behaviour("input.problems.all-in-one-array")
async def test_a_bad_form_and_a_bad_file_are_one_answer(api: Driver) -> None:
    response = await api.upload("phoneNumber\n+12025550101\nabc\n", name=" ")
    assert response.status_code == 400
    errors = response.json()["errors"]
    assert any(error.startswith("name: ") for error in errors)
    assert any("phone number" in error for error in errors)


@behaviour("input.problems.all-in-one-array")
async def test_a_malformed_agent_and_a_bad_order_of_the_dnc_list_are_one_answer(
    api: Driver,
) -> None:
    errors = await api.refused("GET", "/dnc?agentId=nope&sortField=size")
    assert len(errors) == 2


@behaviour("input.problems.worded-field-first")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": None}, "name: "),
        ({"name": 7}, "name: Expected string, received number"),
        ({"name": True}, "name: Expected string, received boolean"),
        ({"agentId": {}}, "agentId: Expected string, received object"),
        ({"phoneNumberIds": "x"}, "phoneNumberIds: Expected array, received string"),
        ({"phoneNumberIds": [1]}, "phoneNumberIds.0: Expected string, received number"),
        ({"maxRetries": "3"}, "maxRetries: Expected number, received string"),
        ({"maxRetries": 1.5}, "maxRetries: Expected integer, received float"),
        ({"maxRetries": 11}, "maxRetries: Number must be less than or equal to 10"),
        ({"maxRetries": -1}, "maxRetries: Number must be greater than or equal to 0"),
        ({"retryDelay": 0}, "retryDelay: Number must be greater than or equal to 1"),
        ({"retryDelay": 1441}, "retryDelay: Number must be less than or equal to 1440"),
        ({"retryDelay": 10**400}, "retryDelay: "),
        ({"scheduledAt": 7}, "scheduledAt: Expected string, received number"),
        ({"scheduledAt": "tomorrow"}, "scheduledAt: Invalid datetime"),
        ({"scheduledAt": "2027-02-30T10:00:00Z"}, "scheduledAt: Invalid datetime"),
    ],
)
async def test_a_problem_is_worded_as_the_field_and_what_is_wrong_with_it(
    api: Driver, change: dict[str, Any], error: str
) -> None:
    body = {"name": "Spring", "agentId": AGENT, "audienceId": AUDIENCE, **change}
    (told,) = await api.refused("POST", "/campaign", json=body)
    assert told.startswith(error)
    assert (await api.get("/campaign"))["totalCampaignCount"] == 1


@behaviour("input.fields.unknown-ones-are-ignored")
async def test_unknown_fields_of_a_body_are_ignored(api: Driver) -> None:
    body = {"name": "Spring", "agentId": AGENT, "audienceId": AUDIENCE, "timezone": "Asia/Kolkata"}
    response = await api.careless.post("/campaign", json=body)
    assert response.status_code == 201
    assert "timezone" not in response.json()["data"]


@behaviour("input.fields.unknown-ones-are-ignored")
async def test_limit_is_no_page_size_of_campaigns_and_members(api: Driver) -> None:
    page = await api.careless.get(f"/audience/{AUDIENCE}/members?limit=1")
    assert len(page.json()["data"]["members"]) == 2
    page = await api.careless.get("/campaign?limit=50")
    assert page.json()["data"]["pagination"]["offset"] == 5


@behaviour("input.order.key-then-id-then-existence")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/campaign/{id}"),
        ("DELETE", "/campaign/{id}"),
        ("POST", "/campaign/{id}/start"),
        ("POST", "/campaign/{id}/pause"),
    ],
)
async def test_the_key_is_judged_first_then_the_form_of_the_id_then_whether_it_exists(
    api: Driver, method: str, path: str
) -> None:
    await api.refused(method, path.format(id="nope"), 401, headers={"Authorization": ""})
    for malformed in ("nope", UNKNOWN[:-1], UNKNOWN + "0", "g" * 24, UNKNOWN.upper()):
        assert await api.refused(method, path.format(id=malformed)) == ["Invalid campaign id"]
    assert await api.refused(method, path.format(id=UNKNOWN), 404) == ["Campaign not found"]


@behaviour("input.order.key-then-id-then-existence")
@pytest.mark.parametrize("bad", ["..", "%00", "%F0%9F%92%A9", "a" * 5000, "%FF", "' OR 1=1 --"])
@pytest.mark.parametrize("path", ["/campaign/{id}", "/audience/{id}", "/agent/{id}"])
async def test_no_id_however_odd_is_a_fault(api: Driver, path: str, bad: str) -> None:
    url = ORIGIN + PREFIX + path.format(id=bad)
    response = await api.unjudged.get(url)
    assert response.status_code in (200, 400, 404)


@behaviour("input.form.unreadable-or-huge-is-400")
async def test_a_body_of_many_megabytes_is_refused_with_a_documented_status(api: Driver) -> None:
    response = await api.upload(b"phoneNumber\n" + b"x" * (13 * 1024 * 1024))
    assert response.status_code == 400
    assert response.json()["errors"]


@behaviour("input.form.unreadable-or-huge-is-400")
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1"),
        ("multipart/form-data; boundary=x", b"garbage"),
        ("application/json", b'{"name":"x"}'),
        ("text/csv", b"phoneNumber\n+12025550101\n"),
        ("application/x-www-form-urlencoded", b"name=x"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_in_the_envelope(
    api: Driver, kind: str, body: bytes
) -> None:
    errors = await api.refused("POST", "/audience", content=body, headers={"Content-Type": kind})
    assert errors


@behaviour("campaign.create.references-are-checked")
async def test_a_caller_id_given_twice_counts_once_and_is_no_fault(api: Driver) -> None:
    assert await api.draft(phoneNumberIds=[PHONE, PHONE])
