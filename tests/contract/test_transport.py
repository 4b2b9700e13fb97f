"""The transport judges what passes through it, and changes nothing."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.contract.referee import ContractBroken, Referee, RefereedTransport, refereeing
from tests.contract.samples import CREATE, CREATED, NUMBERS, REFUSED, page, say


@pytest.mark.anyio
async def test_the_transport_hands_a_good_answer_on_and_remembers_the_operation() -> None:
    transport = RefereedTransport(_answering(say(200, NUMBERS)))
    async with _client(transport) as http:
        response = await http.get("/product/phone-numbers")
    assert response.json() == NUMBERS
    assert transport.seen == {"list_phone_numbers"}
    assert transport.problems == []


@pytest.mark.anyio
async def test_a_compressed_answer_can_still_be_streamed_by_the_caller() -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps(NUMBERS).encode())
    transport = RefereedTransport(_answering(httpx2.Response(200, headers=headers, content=packed)))
    async with (
        _client(transport) as http,
        http.stream("GET", "/product/phone-numbers") as response,
    ):
        text = "".join([part async for part in response.aiter_text()])
    assert json.loads(text) == NUMBERS


@pytest.mark.anyio
async def test_an_asgi_application_receives_the_body_that_was_judged() -> None:
    received: list[bytes] = []

    async def app(_scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        more = True
        while more:
            message = await receive()
            received.append(message["body"])
            more = message["more_body"]
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(CREATED).encode()})

    async with _client(RefereedTransport(httpx2.ASGITransport(app))) as http:
        response = await http.post("/campaign", json=CREATE)
    assert response.json() == CREATED
    assert json.loads(b"".join(received)) == CREATE


@pytest.mark.anyio
async def test_a_broken_exchange_raises_all_its_problems() -> None:
    transport = RefereedTransport(_answering(page(200)))
    async with _client(transport) as http:
        with pytest.raises(ContractBroken) as caught:
            await http.get("/campaign", params={"limit": 50})
    assert caught.value.problems == [
        "list_campaigns: query parameter limit is unknown",
        "list_campaigns: response 200 is text/html, not application/json",
    ]


@pytest.mark.anyio
async def test_mistakes_made_on_purpose_leave_only_the_answer_to_judge() -> None:
    transport = RefereedTransport(_answering(say(400, REFUSED)), judge_requests=False)
    async with _client(transport) as http:
        response = await http.post("/campaign", json={**CREATE, "maxRetries": 11})
    assert response.status_code == 400


@pytest.mark.anyio
async def test_a_broken_exchange_that_someone_swallowed_fails_at_the_end(referee: Referee) -> None:
    async def swallow() -> None:
        with refereeing(referee) as wrap:
            async with _client(wrap(_answering(say(201, NUMBERS)))) as http:
                with pytest.raises(ContractBroken):
                    await http.get("/product/phone-numbers")

    with pytest.raises(ContractBroken, match="status 201 is not documented"):
        await swallow()


@pytest.mark.anyio
async def test_closing_the_transport_closes_the_one_inside() -> None:
    closed: list[str] = []

    class Inner(httpx2.AsyncBaseTransport):
        async def aclose(self) -> None:
            closed.append("inner")

    async with _client(RefereedTransport(Inner())):
        pass
    assert closed == ["inner"]


def _answering(response: httpx2.Response) -> httpx2.MockTransport:
    return httpx2.MockTransport(lambda _: response)


def _client(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    headers = {"Authorization": "Bearer sk_test"}
    base = "http://sandbox/atoms/v1"
    return httpx2.AsyncClient(transport=transport, base_url=base, headers=headers)
