"""Bodies of requests: received whole, in time, and so many bytes at once as there is room for."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.schemas.fields import CSV_MAX
from atoms_campaigns_mcp.server.auth.principal import SCOPE
from atoms_campaigns_mcp.server.http import message_limits
from atoms_campaigns_mcp.server.http.message_limits import SMALL, TooLargeError
from atoms_campaigns_mcp.server.http.paths import UPLOADS

LARGEST = 6_000_000  # bytes of a message: a contact list of 5 MB and its quotes
EACH = 2 * LARGEST  # bytes of large bodies that one tenant has in hand
ALL = 8 * LARGEST  # bytes that all have; each takes some ten times as much while it is read
SECONDS = 30.0  # in which a body must have arrived; slower ones hold a place for nothing
QUEUE = 10.0  # seconds that a large body waits for room
MESSAGE = "atoms_campaigns.message"
"""Where the HTTP side keeps what a body was decoded to, once, by whoever needs it first."""


class Room:
    """The bytes of large bodies in hand, by tenant and in all."""

    def __init__(self, each: int = EACH, most: int = ALL) -> None:
        """Hold `most` bytes, of one tenant `each`."""
        self._each = each
        self._most = most
        self._taken = Counter[str]()
        self._freed = anyio.Event()

    @asynccontextmanager
    async def holding(self, tenant: str, size: int) -> AsyncGenerator[bool]:
        """Take `size` bytes when there is room for them; false if there was none for long."""
        taken = False
        with anyio.move_on_after(QUEUE):
            while not self._fits(tenant, size):
                await self._freed.wait()
            taken = True
            self._taken[tenant] += size
        try:
            yield taken
        finally:
            if taken:
                self._taken[tenant] -= size
                if not self._taken[tenant]:
                    del self._taken[tenant]
                self._freed.set()
                self._freed = anyio.Event()

    def _fits(self, tenant: str, size: int) -> bool:
        own = self._taken[tenant] + size <= self._each
        return own and self._taken.total() + size <= self._most


class _RefusedBody(Exception):
    """The body is not taken; `response` says why, and there is none for a client that left."""

    def __init__(self, response: Response | None) -> None:
        super().__init__()
        self.response = response


class Bodies:
    """Receives a body before anything behind it is called, which then receives it at once.

    A client that breaks off in the middle has asked for nothing; one that takes long gets 408.
    """

    def __init__(self, app: ASGIApp, room: Room | None = None, *, seconds: float = SECONDS) -> None:
        """Wait at most `seconds` for a whole body."""
        self._app = app
        self._room = room or Room()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            async with AsyncExitStack() as room:
                body = await self._received(scope, receive, room)
                _decode(body, scope)
                again = replaying(body, receive)
                del body  # it may be let go of while the request is served
                await self._app(scope, again, send)
        except _RefusedBody as refused:
            if refused.response:
                await refused.response(scope, receive, send)

    async def _received(self, scope: Scope, receive: Receive, room: AsyncExitStack) -> bytes:
        """Return the body, and hold room for it if it is large."""
        length, most = _length(scope), _most(scope["path"])
        if length is not None and length > most:
            raise _too_large(scope["path"])
        body, more, end = bytearray(), True, anyio.current_time() + self._seconds
        small = True
        while more:
            message = await _next(receive, end)
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                raise _too_large(scope["path"])
            if small and len(body) > SMALL:
                small = False
                await self._take(scope, length or most, room)
                end += QUEUE  # in which nothing was received
        return bytes(body)

    async def _take(self, scope: Scope, size: int, room: AsyncExitStack) -> None:
        principal = scope.get(SCOPE)
        tenant = principal.tenant if principal else ""
        if not await room.enter_async_context(self._room.holding(tenant, size)):
            words = "Too much is being sent at once. Send one list after the other."
            body = {"error": "rate_limited", "error_description": words}
            raise _RefusedBody(JSONResponse(body, 429, {"Retry-After": "5"}))


async def _next(receive: Receive, end: float) -> Message:
    with anyio.move_on_at(end):
        message = await receive()
        if message["type"] != "http.request":
            raise _RefusedBody(None)
        return message
    late = {"error": "timeout", "error_description": "The body took too long to arrive."}
    raise _RefusedBody(JSONResponse(late, 408, {"Connection": "close"}))


def _decode(body: bytes, scope: Scope) -> None:
    """Keep the decoded message where what is behind finds it."""
    if scope["path"] == UPLOADS or MESSAGE in scope:
        return
    try:
        scope[MESSAGE] = message_limits.decoded(body)
    except TooLargeError as error:
        raise _RefusedBody(JSONResponse(message_limits.refusal(str(error)), 413)) from error


def _length(scope: Scope) -> int | None:
    """Return how long the body is, if that is known: beside chunks, a length says nothing."""
    headers = Headers(scope=scope)
    length = "" if "transfer-encoding" in headers else headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _most(path: str) -> int:
    return CSV_MAX if path == UPLOADS else LARGEST


def _too_large(path: str) -> _RefusedBody:
    words = f"At most {_most(path)} bytes are taken; split the list."
    body = {"error": "too_large", "error_description": words}
    answer = body if path == UPLOADS else message_limits.refusal(words)
    return _RefusedBody(JSONResponse(answer, 413))


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return what receives a whole body once more, and then what comes after it."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return rest.pop() if rest else await receive()

    return again
