"""The referee tells documented exchanges from others."""

import httpx2
import pytest

from tests.contract.referee import Referee
from tests.contract.samples import (
    ADDED,
    AGENT,
    ARCHIVED,
    AUDIENCE,
    BALANCE,
    CALLS,
    CAMPAIGN,
    CAMPAIGNS,
    CREATE,
    CREATED,
    EXPORT,
    FOUND,
    LIMITED,
    MEMBERS,
    NOON,
    NUMBERS,
    ONE,
    REFUSED,
    RUNNING_EXCERPT,
    STARTED,
    Json,
    ask,
    campaign,
    detail,
    download,
    page,
    page_of,
    say,
)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (ask("POST", CAMPAIGNS, json=CREATE), say(201, CREATED)),
        (ask("POST", CAMPAIGNS, json=CREATE), say(400, REFUSED)),
        (ask("POST", f"{ONE}/start"), say(202, STARTED)),
        (ask("POST", f"{ONE}/pause"), say(200, {"status": True})),
        (ask("POST", f"{ONE}/stop"), page(404)),
        (ask("GET", ONE), page(502)),
        (ask("DELETE", ONE), say(200, {"status": True})),
        (ask("GET", ONE), say(200, detail(__v=0))),
        (ask("GET", ONE), say(404, {"status": False, "errors": ["Campaign not found"]})),
        (ask("GET", ONE), say(429, LIMITED)),
        (ask("GET", ONE), say(500, {"status": False, "errors": ["Internal server error"]})),
        (ask("GET", ONE), page(504)),
        (ask("GET", f"{CAMPAIGNS}?page=2&offset=20&status=paused"), say(200, page_of(campaign()))),
        (ask("GET", f"{EXPORT}?format=csv"), download('phoneNumber,name\r\n+15550100,"A, B"\r\n')),
        (ask("GET", f"{ONE}/logs/export"), download("[]", "application/json")),
        (ask("GET", "/atoms/v1/product/phone-numbers"), say(200, NUMBERS)),
        (ask("GET", "/api/v1/product/phone-numbers"), say(200, NUMBERS)),
        (ask("GET", MEMBERS), say(400, {"status": "error", "errors": ["Audience ID is required"]})),
        (ask("POST", MEMBERS, json={"members": [{"phoneNumber": "1", "x": 1}]}), say(200, ADDED)),
        (
            ask("GET", f"/atoms/v1/conversation?campaignIds={CAMPAIGN},{AGENT}&limit=500"),
            say(200, CALLS),
        ),
        (ask("GET", f"{MEMBERS}/search?firstName=john&city=Pune"), say(200, FOUND)),
        (ask("DELETE", f"/atoms/v1/agent/{AGENT}/archive?on=false"), say(200, ARCHIVED)),
        (ask("GET", "/payment/v1/credits/balance"), say(200, BALANCE)),
        (
            ask("GET", "/atoms/v1/account/get-account-details"),
            say(401, {"message": "User not authenticated"}),
        ),
    ],
)
def test_documented_exchanges_pass(
    referee: Referee, request_: httpx2.Request, response: httpx2.Response
) -> None:
    assert referee.check(request_, response) == []


def test_an_abridged_sample_lacks_members_and_has_no_other_problem(referee: Referee) -> None:
    problems = referee.check(ask("GET", ONE), say(200, RUNNING_EXCERPT))
    assert problems
    assert all(problem.endswith("is a required property") for problem in problems)


def test_a_csv_upload_passes(referee: Referee) -> None:
    fields = {"name": "January", "phoneNumberColumnName": "phoneNumber"}
    file = ("contacts.csv", b"phoneNumber\n+15550100\n", "text/csv; charset=utf-8")
    audience = {
        "_id": AUDIENCE,
        "name": "January",
        "phoneNumberColumnName": "phoneNumber",
        "createdAt": NOON,
        "updatedAt": NOON,
    }
    request = ask("POST", "/atoms/v1/audience", data=fields, files={"file": file})
    assert referee.check(request, say(200, {"status": True, "data": audience})) == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ask("POST", CAMPAIGNS, json={**CREATE, "retries": 3}), "'retries' was unexpected"),
        (ask("POST", CAMPAIGNS, json={**CREATE, "maxRetries": 11}), "request.maxRetries: 11"),
        (ask("POST", CAMPAIGNS, json={**CREATE, "retryDelay": 0}), "request.retryDelay: 0"),
        (ask("POST", CAMPAIGNS, json={**CREATE, "retryDelay": 1441}), "request.retryDelay: 1441"),
        (ask("POST", CAMPAIGNS, json={**CREATE, "maxRetries": "3"}), 'request.maxRetries: "3"'),
        (ask("POST", CAMPAIGNS, json={**CREATE, "scheduledAt": "10:00"}), "request.scheduledAt"),
        (ask("POST", CAMPAIGNS, json={"name": "x"}), '"agentId" is a required property'),
        (ask("POST", CAMPAIGNS), "request is untyped, not application/json"),
        (ask("POST", CAMPAIGNS, data=CREATE), "request is application/x-www-form-urlencoded"),
        (
            ask("POST", CAMPAIGNS, content=b"{", headers={"Content-Type": "application/json"}),
            "request is not JSON",
        ),
    ],
)
def test_a_request_body_that_the_document_does_not_allow_is_a_problem(
    referee: Referee, request_: httpx2.Request, expected: str
) -> None:
    problem = referee.check(request_, say(201, CREATED))[0]
    assert problem.startswith("create_campaign: request")
    assert expected in problem


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=50", "query parameter limit is unknown"),
        ("page=0", "query page: 0 is less than the minimum of 1"),
        ("page=two", 'query page: "two" is not of type "integer"'),
        ("status=active", "query status"),
        ("sortOrder=up", "query sortOrder"),
        ("page=1&page=2", "query parameter page is repeated"),
    ],
)
def test_a_query_that_the_document_does_not_allow_is_a_problem(
    referee: Referee, query: str, expected: str
) -> None:
    response = say(200, page_of())
    (problem,) = referee.check(ask("GET", f"{CAMPAIGNS}?{query}"), response)
    assert expected in problem


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ask("GET", "/atoms/v1/organization"), "not in the document"),
        (ask("GET", "/atoms/v1/campaign/"), "not in the document"),
        (ask("PATCH", ONE), "not in the document"),
        (ask("GET", "/campaign"), "not in the document"),
        (ask("GET", f"{CAMPAIGNS}/None"), "path id"),
        (ask("GET", f"{CAMPAIGNS}/a%2Fb"), "path id"),
        (httpx2.Request("GET", f"http://sandbox{ONE}"), "no bearer key"),
        (ask("POST", f"{ONE}/start", json={}), "request carries a body"),
    ],
)
def test_a_request_that_no_operation_takes_is_a_problem(
    referee: Referee, request_: httpx2.Request, expected: str
) -> None:
    response = say(400, {"status": False, "errors": ["Invalid campaign id"]})
    (problem,) = referee.check(request_, response)
    assert expected in problem


@pytest.mark.parametrize(
    ("fields", "files", "expected"),
    [
        ({"title": "x"}, {}, "'title' was unexpected"),
        ({"name": ""}, {}, "request.name"),
        ({"name": ["one", "two"]}, {}, "request part name is repeated"),
        ({}, {"file": ("x", b"a", "application/pdf")}, "part file is application/pdf"),
        ({}, {"description": ("x", b"a", "text/csv")}, "part description is text/csv, not a field"),
    ],
)
def test_a_form_with_other_parts_is_a_problem(
    referee: Referee, fields: Json, files: Json, expected: str
) -> None:
    request = ask(
        "POST",
        "/atoms/v1/audience",
        data={"name": "January", "phoneNumberColumnName": "phoneNumber", **fields},
        files={"file": ("contacts.csv", b"phoneNumber\n", "text/csv"), **files},
    )
    (problem,) = referee.check(request, say(400, REFUSED))
    assert expected in problem


def test_a_form_without_boundary_is_a_problem(referee: Referee) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    request = ask("POST", "/atoms/v1/audience", content=b"name", headers=headers)
    (problem,) = referee.check(request, say(400, REFUSED))
    assert "request is no readable form" in problem


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (say(200, detail(_id=None)), 'data.campaign._id: null is not of type "string"'),
        (say(200, detail(status="active")), "data.campaign.status"),
        (say(200, detail(maxRetries=11)), "data.campaign.maxRetries"),
        (say(200, detail(createdAt="2026-04-24T12:00:00Z")), "data.campaign.createdAt"),
        (say(200, detail(status="scheduled")), '"scheduledAt" is a required property'),
        (say(200, detail(status="failed", error="x")), '"failedAt" is a required property'),
        (say(200, {"status": True}), '"data" is a required property'),
        (say(201, detail()), "status 201 is not documented"),
        (page(200), "response 200 is text/html, not application/json"),
        (page(404), "response 404 is text/html, not application/json"),
        (httpx2.Response(200), "response 200 is untyped"),
        (say(404, {"status": False, "errors": ["Gone"]}), "response 404.errors"),
        (say(401, {"status": False, "errors": ["No"]}), "response 401.errors[0]"),
        (say(429, {"status": False, "errors": ["Slow down"]}), "response 429"),
        (say(500, {"message": "x"}), "response 500"),
    ],
)
def test_an_undocumented_answer_is_a_problem(
    referee: Referee, response: httpx2.Response, expected: str
) -> None:
    problems = referee.check(ask("GET", ONE), response)
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (download("a,b\n1\n"), "row 2 has 1 cells, its header has 2"),
        (download(""), "has no header line"),
        (
            httpx2.Response(200, headers={"Content-Type": "text/csv"}, content=b"a\n"),
            "header Content-Disposition is missing",
        ),
        (
            httpx2.Response(
                200,
                headers={"Content-Type": "text/csv", "Content-Disposition": "attachment"},
                content=b"caf\xe9\n",
            ),
            "is not UTF-8",
        ),
    ],
)
def test_a_download_that_is_no_table_is_a_problem(
    referee: Referee, response: httpx2.Response, expected: str
) -> None:
    (problem,) = referee.check(ask("GET", f"{EXPORT}?format=csv"), response)
    assert expected in problem


def test_a_long_answer_full_of_mistakes_gives_a_short_list(referee: Referee) -> None:
    response = say(200, page_of(*[campaign(status="active", name="n" * 999)] * 500))
    problems = referee.check(ask("GET", CAMPAIGNS), response)
    assert len(problems) == 20
    assert max(len(problem) for problem in problems) < 400
