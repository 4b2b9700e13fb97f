"""The ASGI application: prefixes, bodies, limits, faults and Express-like pages around `serve`."""

import sqlite3
from collections.abc import Awaitable, Callable
from html import escape
from itertools import count

import anyio
import anyio.lowlevel
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.sandbox.api.errors import ApiError, BadRequestError, UnknownRouteError
from atoms_campaigns_mcp.sandbox.api.handler import refusal, serve
from atoms_campaigns_mcp.sandbox.api.requests.messages import Operation, Reply, Request, reply_json
from atoms_campaigns_mcp.sandbox.api.routes import OPERATIONS
from atoms_campaigns_mcp.sandbox.engine.faults import Hit
from atoms_campaigns_mcp.sandbox.engine.ids import key_digest, task_id
from atoms_campaigns_mcp.sandbox.engine.times import SECOND
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.connection_reset import Reset
from atoms_campaigns_mcp.sandbox.http.late_work import postpone, work_off
from atoms_campaigns_mcp.sandbox.http.rate_limit import RateLimiter

PREFIXES = ("/atoms/v1", "/api/v1")
LARGEST_BODY = 12 * 1024 * 1024  # bytes: room for a CSV over the limit, which gets its own error

UNKNOWN_ROUTE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Cannot {method} {path}</pre>
</body>
</html>
"""
GATEWAY = """<html>
<head><title>{title}</title></head>
<body>
<center><h1>{title}</h1></center>
</body>
</html>
"""
HTML = "text/html; charset=utf-8"

Sleep = Callable[[float], Awaitable[None]]


def create_app(world: World, *, sleep: Sleep = anyio.sleep) -> Starlette:
    """The emulated API over `world`, for `httpx2.ASGITransport` or uvicorn.

    Args:
        world: What it serves; stays open.
        sleep: Waits for some seconds; the fault "slow" is the only one who does.
    """
    limit = world.options.rate_limit
    limiter = RateLimiter(limit) if limit else None
    routes: list[Route] = []
    for operation in OPERATIONS:
        method, _, template = operation.route.partition(" ")
        endpoint = Endpoint(world, operation, limiter, sleep)
        routes.append(Route(template, endpoint.answer, methods=[method]))
    mounts = [Mount(prefix, app=Router(routes, redirect_slashes=False)) for prefix in PREFIXES]
    app = Starlette(
        routes=[*mounts, *routes],
        middleware=[Middleware(Front, world=world)],
        exception_handlers={
            404: _unknown_route,
            405: _unknown_route,
            UnknownRouteError: _unknown_route,
            Exception: _internal_error,
        },
    )
    app.router.redirect_slashes = False
    return app


class Endpoint:
    """One operation over HTTP: what happens to a request before and after `serve`."""

    def __init__(
        self, world: World, operation: Operation, limiter: RateLimiter | None, sleep: Sleep
    ) -> None:
        self._world = world
        self._operation = operation
        self._limiter = limiter
        self._sleep = sleep

    async def answer(self, http: HttpRequest) -> Response:
        """Bring the world to the present, then do what is asked or what a fault says."""
        try:
            request = await _read(http)
        except BadRequestError as error:
            return _response(refusal(self._operation, error))
        hit = self._world.faults.next(self._operation.route)
        await self._catch_up()
        if hit:
            return await self._fail(hit, request, http)
        if wait := self._must_wait(http):
            return _response(_too_many(wait))
        return self._serve(request, http)

    def _serve(self, request: Request, http: HttpRequest) -> Response:
        return _response(serve(self._world, self._operation, request, http.headers))

    async def _catch_up(self) -> None:
        """Long absences are worked off in steps, with the event loop free in between."""
        work_off(self._world, OPERATIONS)
        while not self._world.advance():
            await anyio.lowlevel.checkpoint()

    def _must_wait(self, http: HttpRequest) -> int:
        if self._limiter is None:
            return 0
        caller = key_digest(http.headers.get("authorization", ""))
        return self._limiter.wait(caller, self._world.wall())

    async def _fail(self, hit: Hit, request: Request, http: HttpRequest) -> Response:
        fault = hit.fault
        done = None
        if fault.kind in ("slow", "lost_answer") or fault.work_done:
            done = self._serve(request, http)
        if fault.kind == "late_work":
            delay = int(hit.draw * fault.delay * SECOND)
            postpone(self._world, self._operation, request, http.headers, delay=delay)
        if fault.kind == "slow":
            await self._sleep(fault.delay)
            return done or Reset()
        if fault.kind == "rate_limit":
            return _response(_too_many(fault.retry_after))
        if fault.kind == "error_500":
            return _response(refusal(self._operation, ApiError("Internal server error")))
        if fault.kind == "error_504":
            return Response(GATEWAY.format(title="504 Gateway Time-out"), 504, media_type=HTML)
        if fault.kind == "html_error":
            return Response(GATEWAY.format(title="502 Bad Gateway"), 502, media_type=HTML)
        return Reset()


class Front:
    """Outermost layer: a trailing slash means nothing (S33), every answer has an `x-request-id`."""

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self._app = app
        self._world = world
        self._requests = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = task_id(self._world.wall(), next(self._requests))

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        path = scope["path"].rstrip("/") or "/"
        asked = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        await self._app({**scope, "path": path, "asked_path": asked}, receive, send_named)


async def _read(http: HttpRequest) -> Request:
    chunks: list[bytes] = []
    size = 0
    async for chunk in http.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise BadRequestError("Request body too large")
        chunks.append(chunk)
    return Request(
        params=dict(http.path_params),
        query=dict(http.query_params),
        content_type=http.headers.get("content-type", ""),
        body=b"".join(chunks),
    )


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)


def _too_many(seconds: int) -> Reply:
    document = {
        "status": False,
        "error": "Rate limit exceeded",
        "code": "RATE_LIMIT_EXCEEDED",
        "retry_after": seconds,
    }
    return reply_json(document, 429, {"Retry-After": str(seconds)})


async def _internal_error(_http: HttpRequest, error: Exception) -> Response:
    text = "Internal server error"
    if isinstance(error, sqlite3.OperationalError):  # a full disk, a file that is locked
        text = f"The sandbox's database cannot be used: {error}"
    return _response(reply_json({"status": False, "errors": [text]}, 500))


async def _unknown_route(http: HttpRequest, _error: Exception) -> Response:
    page = UNKNOWN_ROUTE.format(method=http.method, path=escape(http.scope["asked_path"]))
    headers = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
    return Response(page, 404, headers, HTML)
