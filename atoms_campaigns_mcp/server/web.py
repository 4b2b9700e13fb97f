"""The web application around MCP: who may call, how much, from where, and what is logged."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.server import uploads
from atoms_campaigns_mcp.server.auth import HEALTH, MODES
from atoms_campaigns_mcp.server.bodies import LARGEST
from atoms_campaigns_mcp.server.principal import SCOPE
from atoms_campaigns_mcp.settings import Settings
from atoms_campaigns_mcp.telemetry import log

PATH = "/mcp"
LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_NAMED = re.compile(r"([^\s:/?#@\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_LOOPBACK_ORIGIN = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
_HEADERS = [
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    MODES,
]


def application(
    server: Server[Any],
    contacts: uploads.Contacts,
    settings: Settings,
    ready: Callable[[], Awaitable[bool]],
) -> Starlette:
    """Give the routes: MCP, contacts and health, without what guards them."""

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"live": True})

    async def is_ready(_: Request) -> JSONResponse:
        answer = await ready()
        return JSONResponse({"ready": answer}, 200 if answer else 503)

    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=LARGEST,
        transport_security=security(settings),
        custom_starlette_routes=[
            Route(uploads.PATH, contacts.put, methods=["PUT"]),
            Route(f"{HEALTH}live", live, methods=["GET"]),
            Route(f"{HEALTH}ready", is_ready, methods=["GET"]),
        ],
    )
    # A redirect would name whatever host the request did.
    app.router.redirect_slashes = False
    return app


def security(settings: Settings) -> TransportSecuritySettings:
    """Say by which names the server may be called, and from which pages."""
    hosts = [*(host.lower() for host in settings.allowed_hosts), *LOOPBACK_HOSTS]
    origins = [f"http://{host}" for host in LOOPBACK_HOSTS]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *(f"{host}:*" for host in hosts)],
        allowed_origins=[*settings.allowed_origins, *origins, *(f"{o}:*" for o in origins)],
    )


def cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Let the allowed web pages read the answers."""
    return CORSMiddleware(
        app,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=_LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST", "DELETE", "PUT"],
        allow_headers=_HEADERS,
        expose_headers=["mcp-session-id", "www-authenticate", "retry-after"],
    )


class AllowedHosts:
    """Refuses other host names and origins before anything is read; health checks come by IP."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Allow what `settings` allows."""
        self._app = app
        self._check = TransportSecurityMiddleware(security(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not scope["path"].startswith(HEALTH):
            request = Request(scope)
            refusal = _odd(request) or await self._check.validate_request(request)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _odd(request: Request) -> Response | None:
    """Refuse what only begins like an allowed name: the SDK takes anything for a port."""
    if not _NAMED.fullmatch(request.headers.get("host", "")):
        return PlainTextResponse("Invalid Host header", 421)
    origin = request.headers.get("origin", "")
    if origin and not _NAMED.fullmatch(origin.partition("://")[2]):
        return PlainTextResponse("Invalid Origin header", 403)
    return None


class AccessLog:
    """Writes a line for each answer, without query, headers or body."""

    def __init__(self, app: ASGIApp, monotonic: Callable[[], float]) -> None:
        """Measure by `monotonic`, in seconds."""
        self._app = app
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = round(1000 * (self._monotonic() - began))
            tenant = principal.tenant[:8] if (principal := scope.get(SCOPE)) else "-"
            path = scope["path"] if scope["path"] in _SHOWN else "(other)"
            log.info("%s %s %s %d ms %s", scope["method"], path, status or "-", took, tenant)


_SHOWN = {PATH, uploads.PATH, f"{HEALTH}live", f"{HEALTH}ready"}
