"""As much of HTTP/1.1 as a proxy needs that breaks connections at any point on purpose."""

import asyncio
import socket
import struct
from dataclasses import dataclass

HOST = "127.0.0.1"
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding", "host"}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def to_bytes(self, *, length: int | None = None) -> bytes:
        """Write it out; `length` is claimed instead of the body's."""
        claimed = len(self.body) if length is None else length
        return _head(f"HTTP/1.1 {self.status} -", self.headers, claimed) + self.body


def _head(first: str, headers: tuple[tuple[str, str], ...], length: int) -> bytes:
    kept = [f"{name}: {value}" for name, value in headers if name.lower() not in HOP_BY_HOP]
    return "\r\n".join([first, *kept, f"Content-Length: {length}", "", ""]).encode("latin-1")


def _lines(head: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    return first, tuple((name, value.strip()) for name, _, value in pairs)


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request whole.

    Raises:
        asyncio.IncompleteReadError: The sender left.
    """
    first, headers = _lines(await reader.readuntil(b"\r\n\r\n"))
    method, path, _ = first.split(" ", 2)
    length = next((int(v) for name, v in headers if name.lower() == "content-length"), 0)
    return Request(method, path, headers, await reader.readexactly(length))


async def forward(port: int, request: Request) -> Reply:
    """Send a request to a server of this machine on a connection of its own."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        # In HTTP/1.0 an answer is never chunked and ends with the connection.
        first = f"{request.method} {request.path} HTTP/1.0"
        first += f"\r\nHost: {HOST}:{port}"
        writer.write(_head(first, request.headers, len(request.body)) + request.body)
        line, headers = _lines(await reader.readuntil(b"\r\n\r\n"))
        return Reply(int(line.split(" ", 2)[1]), headers, await reader.read())
    finally:
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection so that the other side sees a reset, not an orderly end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
