"""Telling clients, without a token, who issues tokens for this server (RFC 9728)."""

from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from atoms_campaigns_mcp.server.auth.oauth.challenges import WELL_KNOWN, Challenges


class ResourceMetadata:
    """Serves the protected resource's metadata to anybody, before anything is verified."""

    def __init__(self, app: ASGIApp, challenges: Challenges, path: str) -> None:
        """Answer at the well-known address, alone and with `path` or the resource's path."""
        self._app = app
        self._document = challenges.metadata()
        told = urlsplit(challenges.metadata_url).path
        self._paths = {WELL_KNOWN, f"{WELL_KNOWN}{path}", told}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        known = scope["method"] in {"GET", "HEAD"}
        answer = (
            JSONResponse(self._document, headers={"Cache-Control": "max-age=3600"})
            if known
            else JSONResponse({"error": "method_not_allowed"}, 405, {"Allow": "GET"})
        )
        await answer(scope, receive, send)
