"""A double of the API that answers as told, for what the sandbox does not do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from tests.support.clock import FakeClock

GOOD = {"status": True, "data": 1}
KEY = "sk_not_to_be_shown"


@dataclass
class Api:
    """A double that answers as told, the last answer again and again."""

    answers: list[Any]
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            return httpx2.Response(200, json=answer)
        # A body can be read once, so each answer is a fresh one.
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@asynccontextmanager
async def connected(
    network: httpx2.AsyncBaseTransport | None,
    clock: FakeClock,
    url: str = "http://api/atoms/v1",
    rate: float = 1000,
) -> AsyncGenerator[Transport]:
    opened = Transport.connect(
        url,
        KEY,
        Pacer(rate, clock.monotonic, clock.sleep),
        SingleFlight(clock.monotonic),
        payment_url="http://api/payment/v1",
        now=clock.now,
        monotonic=clock.monotonic,
        network=network,
    )
    try:
        yield opened
    finally:
        await opened.close()


async def read(*answers: Any, clock: FakeClock | None = None) -> tuple[Any, Api]:
    api = Api(list(answers))
    async with connected(httpx2.MockTransport(api.handle), clock or FakeClock()) as opened:
        try:
            return await opened.read("/thing"), api
        except AtomsCampaignsError as error:
            return error, api


async def change(*answers: Any) -> tuple[Any, Api]:
    api = Api(list(answers))
    async with connected(httpx2.MockTransport(api.handle), FakeClock()) as opened:
        try:
            return await opened.change("POST", "/thing", lambda body: body["data"]), api
        except AtomsCampaignsError as error:
            return error, api


def html(status: int) -> httpx2.Response:
    return httpx2.Response(status, html="<h1>Cannot GET <b>secret</b></h1>")


def refused(status: int, *errors: str, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"status": False, "errors": list(errors)}, headers=headers)
