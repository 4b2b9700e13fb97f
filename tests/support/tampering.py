"""An API that fails or lies in one place: wraps the sandbox behind the test bench."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import httpx2

from tests.support.bench import Bench


def address(request: httpx2.Request) -> str:
    """Method, path and query, as the patterns below see them."""
    path = request.url.path.removeprefix("/atoms/v1")
    query = request.url.query.decode()
    return f"{request.method} {path}" + (f"?{query}" if query else "")


def fail(bench: Bench, *patterns: str, status: int = 500) -> None:
    """Answer requests that match with a fault, as often as they come."""
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if any(fnmatchcase(address(request), pattern) for pattern in patterns):
            body = {"status": False, "errors": ["Internal server error"]}
            return httpx2.Response(status, json=body)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(answer)


def alter(bench: Bench, pattern: str, change: Callable[[Any], Any]) -> None:
    """Replace the `data` of answers that match by what `change` makes of it."""
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await below.handle_async_request(request)
        if not fnmatchcase(address(request), pattern):
            return response
        body = json.loads(await response.aread())
        body["data"] = change(body["data"])
        return httpx2.Response(response.status_code, json=body)

    bench.wire.below = httpx2.MockTransport(answer)


def slow(bench: Bench, *, seconds: float) -> None:
    """Have every request take its time, one after the other, as if none went beside another."""
    below = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        bench.clock.advance(seconds=seconds)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(answer)
