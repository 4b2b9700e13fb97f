"""Requests that HTTP allows to be written in several ways, in the one way that is looked for."""

from starlette.types import ASGIApp, Receive, Scope, Send

_HOST = b"host"
_MEDIA = b"content-type"
_RESUMES = b"last-event-id"  # no answer is kept to be resumed: a new stream is what it gets


class Normalization:
    """Rewrites what comes in: names of hosts and media types, and a slash behind the path."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        """Serve `path` with a slash behind it too."""
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = [_usual(name, value) for name, value in scope["headers"] if name != _RESUMES]
            scope = {**scope, "headers": headers}
            if scope["path"] == f"{self._path}/":
                scope |= {"path": self._path, "raw_path": self._path.encode()}
        await self._app(scope, receive, send)


def _usual(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name == _HOST:
        return name, value.lower()
    if name == _MEDIA:  # its parameters may have a case
        kind, semicolon, rest = value.partition(b";")
        return name, kind.lower() + semicolon + rest
    return name, value
