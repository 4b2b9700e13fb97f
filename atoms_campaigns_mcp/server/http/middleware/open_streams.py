"""Streams on which a client only listens: they end in good order when the server ends."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OpenStreams:
    """The streams that are open now."""

    def __init__(self) -> None:
        self.scopes: set[anyio.CancelScope] = set()

    def close(self) -> None:
        """End them; what was asked may be answered."""
        for scope in self.scopes:
            scope.cancel()


class Streams:
    """Keeps each stream among the open ones, and ends it properly."""

    def __init__(self, app: ASGIApp, streams: OpenStreams) -> None:
        """Keep them in `streams`."""
        self._app = app
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            await self._stream(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = False

        async def noting(message: Message) -> None:
            nonlocal more
            more = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as stream:
            self._streams.scopes.add(stream)
            try:
                await self._app(scope, receive, noting)
            finally:
                self._streams.scopes.discard(stream)
        if more:  # it was cancelled: without a proper end the client would take it for a fault
            await send({"type": "http.response.body", "body": b"", "more_body": False})
