"""The name of this replica in the ids of its sessions, by which a proxy finds it again.

A session of the older era lives in one process. Its first request may go to any replica; all later
ones carry the id that it was answered with, whoever asks and whatever token they bring by then.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SESSION = b"mcp-session-id"
Headers = list[tuple[bytes, bytes]]


class SessionNames:
    """Writes `replica.` before ids of sessions that go out, and takes it away from those that come.

    An id with another name stays as it is: no session here is called so, and the client is told to
    open a new one.
    """

    def __init__(self, app: ASGIApp, replica: str) -> None:
        """Name sessions after `replica`."""
        self._app = app
        self._prefix = f"{replica}.".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def naming(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = _changed(message["headers"], lambda name: self._prefix + name)
                message = {**message, "headers": headers}
            await send(message)

        headers = _changed(scope["headers"], lambda name: name.removeprefix(self._prefix))
        await self._app({**scope, "headers": headers}, receive, naming)


def _changed(headers: Headers, change: Callable[[bytes], bytes]) -> Headers:
    return [(name, change(value) if name.lower() == _SESSION else value) for name, value in headers]
