"""`PUT /contacts`: a contact list that does not pass the model, for tools to use by upload_id."""

from collections.abc import Awaitable, Callable
from secrets import token_hex

from starlette.requests import Request
from starlette.responses import JSONResponse

from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.auth.principal import SCOPE, Principal
from atoms_campaigns_mcp.state.store import Upload

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {"text/csv", WORKBOOK}
LIFETIME = 900  # seconds
MOST = 20  # uploads of one tenant at a time


class UploadEndpoint:
    """Takes contact lists and keeps them for their tenant."""

    def __init__(self, runtime: Callable[[Principal], Awaitable[Runtime]]) -> None:
        """Keep them in the state of `runtime`."""
        self._runtime = runtime

    async def put(self, request: Request) -> JSONResponse:
        """Store a CSV or an Excel workbook of at most 5 MB; return its `upload_id`."""
        principal: Principal = request.scope[SCOPE]
        content = await _content(request, principal)
        if isinstance(content, JSONResponse):
            return content
        runtime = await self._runtime(principal)
        now = runtime.clocks.seconds()
        upload = Upload(token_hex(16), runtime.tenant, content, now + LIFETIME)
        try:
            kept = await runtime.store.uploads.keep(upload, now, MOST)
        except NotRecorded:
            return _refusal(503, "unavailable", "The server's state cannot be written now.")
        if not kept:
            words = f"There are {MOST} lists already; they expire after {LIFETIME // 60} minutes."
            return _refusal(429, "too_many", words)
        answer = {"upload_id": upload.upload_id, "expires_in": LIFETIME, "bytes": len(content)}
        return JSONResponse(answer, 201)


async def _content(request: Request, principal: Principal) -> bytes | JSONResponse:
    if principal.lacking({Effect.CHANGES}):
        return _refusal(403, "forbidden", "Changes are switched off (read-only).")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        words = f"Send the list with Content-Type: text/csv, or {WORKBOOK} for .xlsx."
        return _refusal(415, "unsupported", words)
    content = await request.body()
    return content or _refusal(400, "empty", "The list is empty.")


def _refusal(status: int, error: str, words: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": words}, status)
