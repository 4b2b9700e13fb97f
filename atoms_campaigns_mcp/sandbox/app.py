"""The ASGI application: prefixes, bodies, faults and Express-like pages around `service.serve`."""

from collections.abc import Awaitable, Callable, Iterable
from html import escape

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from atoms_campaigns_mcp.sandbox.messages import Operation, Reply, Request, reply_json
from atoms_campaigns_mcp.sandbox.errors import UnknownRoute
from atoms_campaigns_mcp.sandbox.routes import OPERATIONS
from atoms_campaigns_mcp.sandbox.service import serve
from atoms_campaigns_mcp.sandbox.world import World

PREFIXES = ("/atoms/v1", "/api/v1")

PAGE = """<!DOCTYPE html>
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


def create_app(world: World) -> Starlette:
    """The emulated API over `world`."""
    routes = [_route(world, operation) for operation in OPERATIONS]
    mounts = [
        Mount(prefix, app=Router(routes, redirect_slashes=False)) for prefix in PREFIXES
    ]
    app = Starlette(
        routes=[*mounts, *routes],
        exception_handlers={404: _unknown, 405: _unknown, UnknownRoute: _unknown},
    )
    app.router.redirect_slashes = False
    return app


def _route(world: World, operation: Operation) -> Route:
    method, _, template = operation.route.partition(" ")

    async def endpoint(http: HttpRequest) -> Response:
        body = await http.body()
        while not world.advance():
            await anyio.lowlevel.checkpoint()
        request = Request(
            params=http.path_params,
            query=http.query_params,
            content_type=http.headers.get("content-type", ""),
            body=body,
        )
        return _response(serve(world, operation, request, http.headers))

    return Route(template, endpoint, methods=[method])


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)


async def _unknown(http: HttpRequest, _error: Exception) -> Response:
    page = PAGE.format(method=http.method, path=escape(http.url.path))
    return Response(page, 404, media_type="text/html; charset=utf-8")
