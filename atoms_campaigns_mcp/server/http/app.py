"""The routes of the web application; what a request passes before them stands in `serve.py`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from mcp.server.lowlevel import Server
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.http import uploads
from atoms_campaigns_mcp.server.http.middleware.bodies import LARGEST
from atoms_campaigns_mcp.server.http.middleware.header_checks import security
from atoms_campaigns_mcp.server.http.paths import HEALTH, MCP, UPLOADS

State = Literal["ok", "away", "ending"]


def application(
    server: Server[Any],
    contact_lists: uploads.UploadEndpoint,
    settings: Settings,
    state: Callable[[], Awaitable[State]],
) -> Starlette:
    """Return the routes: MCP, contacts and health, without what guards them."""

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"live": True})

    async def is_ready(_: Request) -> JSONResponse:
        # Without its state a server still reads and stops: no proxy may take that away.
        found = await state()
        ready = found != "ending"
        return JSONResponse({"ready": ready, "state": found}, 200 if ready else 503)

    app = server.streamable_http_app(
        streamable_http_path=MCP,
        max_request_body_size=LARGEST,
        transport_security=security(settings),
        custom_starlette_routes=[
            Route(UPLOADS, contact_lists.put, methods=["PUT"]),
            Route(f"{HEALTH}live", live, methods=["GET"]),
            Route(f"{HEALTH}ready", is_ready, methods=["GET"]),
        ],
    )
    # A redirect would name whatever host the request did.
    app.router.redirect_slashes = False
    return app


def behind(middleware: Sequence[Middleware], app: ASGIApp) -> ASGIApp:
    """Put `app` behind all of `middleware`; the first is what a request meets first."""
    for layer, arguments, options in reversed(middleware):
        app = layer(app, *arguments, **options)
    return app
