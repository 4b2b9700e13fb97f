"""The comparison of a real account with the document, tried on the sandbox."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.driver import ORIGIN, PREFIX, Driver, driving
from tests.contract.live import Difference, ReadOnly, Report, compare

pytestmark = pytest.mark.anyio
SECRET = "+14155550123"


async def compared(api: Driver, change: Callable[[str, Any], Any] | None = None) -> Report:
    """Compare the sandbox, each answer as `change` makes it, by the last part of its path."""
    sandbox = httpx2.ASGITransport(app=create_app(api.world, sleep=api.clock.sleep))

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await sandbox.handle_async_request(request)
        body = json.loads(await response.aread())
        if change:
            body = change(request.url.path.rpartition("/")[2], body)
        return httpx2.Response(response.status_code, json=body)

    async with httpx2.AsyncClient(
        transport=ReadOnly(httpx2.MockTransport(answer)),
        base_url=f"{ORIGIN}{PREFIX}/",
        headers={"Authorization": "Bearer sk_sandbox"},
    ) as http:
        return await compare(http)


@pytest.mark.parametrize("completion", ["settled", "dispatched"])
async def test_an_account_like_the_document_differs_in_nothing(completion: Any) -> None:
    async with driving(completion=completion) as api:
        await api.started(seconds=20)
        report = await compared(api)
    assert report.differences == set()
    assert {"get_campaign", "list_members", "get_call", "list_dnc"} <= report.read.keys()
    assert report.skipped == {}


async def test_what_is_missing_or_of_another_type_is_listed_without_a_value(api: Driver) -> None:
    def change(last: str, body: Any) -> Any:
        if last == "audience":
            del body["data"][0]["_id"]
            body["data"][0]["name"] = [SECRET]
            body["data"][0][SECRET] = {SECRET: SECRET}
        return body

    report = await compared(api, change)
    assert Difference("list_audiences", 200, ".data[*]", "_id is missing") in report.differences
    assert Difference("list_audiences", 200, ".data[*].name", "breaks type") in report.differences
    assert "get_audience" in report.skipped
    assert SECRET not in "\n".join(report.lines())


async def test_a_request_that_would_change_something_is_not_sent() -> None:
    sent: list[httpx2.Request] = []

    def remember(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=ReadOnly(httpx2.MockTransport(remember))) as http:
        await http.get(f"{ORIGIN}{PREFIX}/user")
        for method in ("POST", "DELETE", "PATCH", "PUT"):
            with pytest.raises(PermissionError):
                await http.request(method, f"{ORIGIN}{PREFIX}/campaign")
    assert [request.method for request in sent] == ["GET"]
