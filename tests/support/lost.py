"""Answers of the API that come to nothing, whatever was done; and how they are arranged."""

from collections.abc import Awaitable, Callable

import httpx2

from tests.support.bench import Bench

Sandbox = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
Trouble = Callable[[httpx2.Request, Sandbox], Awaitable[httpx2.Response]]


async def lost(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    raise httpx2.ReadError("reset")


async def timed_out(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    raise httpx2.ReadTimeout("no byte")


async def fault(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(500, json={"status": False, "errors": ["Internal server error"]})


async def gateway(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(504, html="<h1>504 Gateway Time-out</h1>")


async def truncated(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    answer = await sandbox(request)
    return httpx2.Response(answer.status_code, content=(await answer.aread())[:-3])


async def empty(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200)


async def page(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200, html="<h1>Welcome</h1>")


async def other_shape(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(201, json={"status": True, "data": 7})


async def denied(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200, json={"status": False, "errors": ["Something went wrong"]})


async def redirected(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(302, headers={"Location": "http://elsewhere/"})


async def nothing_done(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
    raise httpx2.RemoteProtocolError("server disconnected")


WITH_EFFECT: list[Trouble] = [
    lost,
    timed_out,
    fault,
    gateway,
    truncated,
    empty,
    page,
    denied,
    redirected,
]


def trouble(bench: Bench, method: str, what: Trouble, times: int = 1) -> None:
    """Let `what` happen to the next requests of that method."""
    below, left = bench.wire.below, [times]

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method != method or not left[0]:
            return await below.handle_async_request(request)
        left[0] -= 1
        return await what(request, below.handle_async_request)

    bench.wire.below = httpx2.MockTransport(answer)
