"""Each fault of the proxy is what its name says, seen by a client and by the API behind it."""

import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.faults import proxy as proxies
from tests.faults.proxy import Fault, Proxy
from tests.support.clients import listening

pytestmark = pytest.mark.anyio
CREATE = "/atoms/v1/campaign"
BODY = {"name": "Soak 0001"}
BEFORE = {Fault.RESET, Fault.ERROR_500, Fault.ERROR_504, Fault.HTML_502, Fault.TOO_MANY}


class Dice(random.Random):
    """Always hits, with one fault; waits as short as can be."""

    def __init__(self, fault: Fault, kind: float) -> None:
        super().__init__(1)
        self._fault = fault
        self._kind = kind
        self._first = True

    def random(self) -> float:
        first, self._first = self._first, False
        return 0.0 if first else self._kind

    def choice(self, seq: Any) -> Any:  # noqa: ARG002
        return self._fault

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002
        return 0.0


class Api:
    """Counts the work that reached it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.app = Starlette(routes=[Route(CREATE, self.create, methods=["POST"])])

    async def create(self, request: Request) -> JSONResponse:
        self.names.append((await request.json())["name"])
        return JSONResponse({"status": True, "data": {"_id": "a" * 24}}, 201)


@asynccontextmanager
async def behind(api: Api, dice: random.Random, rate: float = 1.0) -> AsyncGenerator[Proxy]:
    times = count(1)
    async with listening(api.app) as url:
        port = urlsplit(url).port
        assert port is not None
        proxy = Proxy(port, rate=rate, dice=dice, clock=lambda: float(next(times)))
        async with proxy.listening():
            yield proxy


async def outcome(proxy: Proxy) -> str:
    """Report in a word how the client fares."""
    async with httpx2.AsyncClient(base_url=proxy.url) as http:
        try:
            response = await http.post(CREATE, json=BODY)
        except httpx2.ReadError:
            return "reset"
        except httpx2.RemoteProtocolError:
            return "ended"
    try:
        return f"{response.status_code} {type(response.json()).__name__}"
    except json.JSONDecodeError:
        return f"{response.status_code} no JSON"


CASES = [
    (Fault.RESET, 0, "reset"),
    (Fault.LATE_WORK, 0, "reset"),
    (Fault.LOST, 0, "reset"),
    (Fault.LOST, 0.9, "ended"),
    (Fault.ERROR_500, 0, "500 dict"),
    (Fault.ERROR_504, 0, "504 no JSON"),
    (Fault.HTML_502, 0, "502 no JSON"),
    (Fault.DONE_500, 0, "500 dict"),
    (Fault.DONE_504, 0, "504 no JSON"),
    (Fault.TOO_MANY, 0, "429 dict"),
    (Fault.TRUNCATED, 0, "201 no JSON"),
    (Fault.TRUNCATED, 0.9, "ended"),
    (Fault.EMPTY, 0, "200 no JSON"),
    (Fault.HTML_200, 0, "200 no JSON"),
    (Fault.SLOW_ANSWER, 0, "201 dict"),
]


@pytest.mark.parametrize(("fault", "kind", "seen"), CASES)
async def test_each_fault_looks_as_it_is_called_and_is_recorded(
    fault: Fault, kind: float, seen: str
) -> None:
    api = Api()
    async with behind(api, Dice(fault, kind)) as proxy:
        assert await outcome(proxy) == seen
        await proxy.settle()
    (change,) = proxy.changes
    assert (change.action, change.subject, change.fault) == ("create_campaign", BODY["name"], fault)
    reached = fault not in BEFORE
    assert api.names == ([BODY["name"]] if reached else [])
    assert change.accepted is reached
    assert change.made == ("a" * 24 if reached else "")
    assert (change.lateness > 0) is (fault is Fault.LATE_WORK)
    assert proxy.faults == {fault: 1}


def test_every_fault_has_its_case_above() -> None:
    assert {fault for fault, *_ in CASES} == set(proxies.FAULTS)


async def test_a_proxy_without_faults_passes_everything_on() -> None:
    api = Api()
    async with behind(api, random.Random(1), rate=0) as proxy:  # noqa: S311
        assert [await outcome(proxy) for _ in range(3)] == ["201 dict"] * 3
    assert len(api.names) == 3
    assert proxy.requests == 3
    assert not proxy.faults


async def test_a_share_of_the_requests_is_hit_by_every_kind() -> None:
    dice = random.Random(7)  # noqa: S311
    proxy = Proxy(0, rate=0.3, dice=dice, clock=lambda: 0.0)
    drawn = [proxy.draw() for _ in range(10_000)]
    hit = [fault for fault in drawn if fault is not Fault.NONE]
    assert 0.28 < len(hit) / len(drawn) < 0.32
    assert set(hit) == set(proxies.FAULTS)
