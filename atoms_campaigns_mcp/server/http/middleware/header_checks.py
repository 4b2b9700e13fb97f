"""By which host names the server may be called, and from which pages."""

import re

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.http.middleware.authentication import MODES
from atoms_campaigns_mcp.server.http.paths import HEALTH

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


def security(settings: Settings) -> TransportSecuritySettings:
    """Report by which names the server may be called, and from which pages."""
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
