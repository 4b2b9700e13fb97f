"""Breaks a connection so that the client sees a transport error, over a socket and in process."""

from httpx2 import ReadError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Reset(Response):
    """A response that never comes.

    Under uvicorn the socket is aborted: ASGI has no message for it, so the connection is taken from
    the bound method `receive`. In process there is no socket; there the error that httpx2 would
    report of one is raised, which `httpx2.ASGITransport` lets through to the caller.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Break the connection instead of answering."""
        connection = getattr(getattr(receive, "__self__", None), "transport", None)
        if connection is None:
            raise ReadError("Connection reset by peer")
        connection.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
