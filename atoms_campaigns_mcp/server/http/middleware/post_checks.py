"""What a POST of a message must be, whichever era it is of, before the SDK takes it."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types import INVALID_REQUEST, ErrorData, JSONRPCError, JSONRPCRequest, RequestId
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoms_campaigns_mcp.server.http.middleware.bodies import MESSAGE, replaying
from atoms_campaigns_mcp.server.jsonrpc import InvalidMessage, message_in
from atoms_campaigns_mcp.telemetry import log

_SESSION = "mcp-session-id"
_TWICE = "A request with this id is being served in this session: give each an id of its own."


class InFlight:
    """The requests of sessions that are being served, by session and id.

    The SDK would send the answer to one of two with the same id to the other.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], int] = {}

    def has(self, session: str, number: RequestId) -> bool:
        """Return whether the session waits for an answer to that id."""
        return (session, str(number)) in self._held

    @contextmanager
    def holding(self, session: str, number: RequestId) -> Generator[None]:
        """Keep the id; it may be held for the connection and for the work."""
        key = session, str(number)  # the SDK tells 1 from "1" no better
        self._held[key] = self._held.get(key, 0) + 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    async def during(self, ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
        """Serve one message; its work may outlast the connection on which it came."""
        request = ctx.request
        session = request.headers.get(_SESSION) if isinstance(request, Request) else None
        if session is None or ctx.request_id is None:
            return await call_next(ctx)
        with self.holding(session, ctx.request_id):
            return await call_next(ctx)


class PostChecks:
    """Answers 400 to what is no message, and to an id that its session already waits for."""

    def __init__(self, app: ASGIApp, in_flight: InFlight, path: str) -> None:
        """Look at messages to `path`, whose bodies `Bodies` has decoded."""
        self._app = app
        self._in_flight = in_flight
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", self._path):
            await self._app(scope, receive, send)
            return
        await receive()  # the body, which nothing needs any more
        message = message_in(scope.pop(MESSAGE))
        if isinstance(message, InvalidMessage):
            await _refusal(message)(scope, receive, send)
            return
        # What was judged is what is served: parsers differ in what they make of a doubled name.
        body = message.model_dump_json(by_alias=True, exclude_unset=True).encode()
        again = replaying(body, receive)
        session = Headers(scope=scope).get(_SESSION)
        if session is None or not isinstance(message, JSONRPCRequest):
            await self._app(scope, again, send)
        elif self._in_flight.has(session, message.id):
            await _refusal(InvalidMessage((message.id,), INVALID_REQUEST, _TWICE))(
                scope, receive, send
            )
        else:
            with ExitStack() as held:
                held.enter_context(self._in_flight.holding(session, message.id))
                await self._app(scope, again, _releasing(held, send))


def _releasing(held: ExitStack, send: Send) -> Send:
    """Release before the end is sent: a client may use the id again as soon as it has seen it."""

    async def noting(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            held.close()
        await send(message)

    return noting


def _refusal(refused: InvalidMessage) -> Response:
    log.warning("refused a message: %s", refused.words)
    number = refused.ids[0] if len(refused.ids) == 1 else None
    error = ErrorData(code=refused.code, message=refused.words)
    body = JSONRPCError(jsonrpc="2.0", id=number, error=error).model_dump_json(exclude_unset=True)
    return Response(body, 400, media_type="application/json")
