"""A proxy between our server and the emulated API that does what bad networks and servers do."""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, cast

from tests.faults.http1 import HOST, Reply, Request, forward, read_request, reset
from tests.faults.records import Change

LATE = (0.2, 3.0)  # seconds from the cut to the work
SLOW = (0.3, 2.0)
ROUTES = (
    ("POST", re.compile(r"/campaign"), "create_campaign"),
    ("POST", re.compile(r"/campaign/([^/]+)/start"), "start_campaign"),
    ("POST", re.compile(r"/campaign/([^/]+)/pause"), "pause_campaign"),
    ("DELETE", re.compile(r"/campaign/([^/]+)"), "delete_campaign"),
    ("POST", re.compile(r"/audience"), "create_audience"),
    ("POST", re.compile(r"/audience/([^/]+)/members"), "add_contacts"),
    ("DELETE", re.compile(r"/audience/([^/]+)"), "delete_audience"),
)
FORM_NAME = re.compile(rb'; name="name"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n')
JSON = (("Content-Type", "application/json"),)
HTML = (("Content-Type", "text/html"),)


class Fault(StrEnum):
    """What happens to a request."""

    NONE = "none"
    RESET = "reset before the work"
    LOST = "answer lost"
    LATE_WORK = "late work"
    ERROR_500 = "500 before the work"
    ERROR_504 = "504 before the work"
    HTML_502 = "502 HTML before the work"
    DONE_500 = "500 after the work"
    DONE_504 = "504 after the work"
    TOO_MANY = "429"
    TRUNCATED = "truncated JSON after the work"
    EMPTY = "empty 200 after the work"
    HTML_200 = "HTML 200 after the work"
    SLOW_ANSWER = "slow answer"


FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)
_PAGE = b"<html><body><h1>Sorry</h1></body></html>"
_BROKEN = b'{"status": false, "errors": ["Internal server error"]}'
# A second each would stop everyone for most of the time: the pace is shared on purpose.
_BUSY = b'{"status": false, "error": "Rate limit exceeded", "retry_after": 0.05}'
INSTEAD = {
    Fault.ERROR_500: Reply(500, JSON, _BROKEN),
    Fault.ERROR_504: Reply(504, HTML, _PAGE),
    Fault.HTML_502: Reply(502, HTML, _PAGE),
    Fault.TOO_MANY: Reply(429, (*JSON, ("retry-after-ms", "50")), _BUSY),
}
AFTER = {
    Fault.DONE_500: Reply(500, JSON, _BROKEN),
    Fault.DONE_504: Reply(504, HTML, _PAGE),
    Fault.EMPTY: Reply(200, JSON, b""),
    Fault.HTML_200: Reply(200, HTML, _PAGE),
}


class Proxy:
    """Forwards to `port`; each request is hit with probability `rate`, by any kind alike."""

    def __init__(
        self, port: int, *, rate: float, dice: random.Random, clock: Callable[[], float]
    ) -> None:
        self._port = port
        self._rate = rate
        self._dice = dice
        self._clock = clock
        self._late: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self.changes: list[Change] = []
        self.looks: dict[str, float] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        server = await asyncio.start_server(self._connected, HOST, 0)
        self.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            for task in (*self._connections, *self._late):
                task.cancel()
            await asyncio.gather(*self._connections, *self._late, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until all late work is done."""
        await asyncio.gather(*self._late)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of ours, so that the work goes on when the sender is killed meanwhile.
        self._keep(self._connections, self._converse(reader, writer))

    def _keep(self, where: set[asyncio.Task[None]], work: Any) -> None:
        task = asyncio.create_task(work)
        where.add(task)
        task.add_done_callback(where.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.transport.is_closing():
                await self._answer(await read_request(reader), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has gone, as it may
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        fault = self.draw()
        change = self._noted(request, fault)
        if instead := INSTEAD.get(fault):
            writer.write(instead.to_bytes())
        elif fault in {Fault.RESET, Fault.LATE_WORK}:
            reset(writer)
            if change and fault is Fault.LATE_WORK:
                change.broken_at = self._clock()
                self._keep(self._late, self._do_later(request, change))
        else:
            await self._spoil(fault, await self._do(request, change), writer)

    def draw(self) -> Fault:
        """Decide what happens to the next request."""
        if self._dice.random() >= self._rate:
            return Fault.NONE
        fault = self._dice.choice(FAULTS)
        self.faults[fault] += 1
        return fault

    async def _do_later(self, request: Request, change: Change) -> None:
        await asyncio.sleep(self._dice.uniform(*LATE))
        await self._do(request, change)

    async def _spoil(self, fault: Fault, reply: Reply, writer: asyncio.StreamWriter) -> None:
        if fault is Fault.LOST:
            # Either kind of end; a client sees two different errors.
            if self._dice.random() < 0.5:
                reset(writer)
            else:
                writer.close()
        elif fault is Fault.TRUNCATED:
            half = Reply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
            if self._dice.random() < 0.5:
                writer.write(half.to_bytes())
            else:
                writer.write(half.to_bytes(length=len(reply.body)))
                writer.close()
        else:
            if fault is Fault.SLOW_ANSWER:
                await asyncio.sleep(self._dice.uniform(*SLOW))
            writer.write(AFTER.get(fault, reply).to_bytes())

    async def _do(self, request: Request, change: Change | None) -> Reply:
        if change is None:
            self.looks[_path(request).rpartition("/")[2]] = self._clock()
            return await forward(self._port, request)
        change.done_at = self._clock()
        reply = await forward(self._port, request)
        change.status, change.made = reply.status, _made(reply)
        return reply

    def _noted(self, request: Request, fault: Fault) -> Change | None:
        if request.method == "GET":
            return None
        action, subject = _meaning(request)
        change = Change(action, subject, self._clock(), fault)
        self.changes.append(change)
        return change


def _path(request: Request) -> str:
    return request.path.partition("?")[0].removeprefix("/atoms/v1")


def _meaning(request: Request) -> tuple[str, str]:
    for method, pattern, action in ROUTES:
        if method == request.method and (match := pattern.fullmatch(_path(request))):
            return action, match[1] if match.groups() else _name(request)
    return f"{request.method} {_path(request)}", ""


def _name(request: Request) -> str:
    if found := FORM_NAME.search(request.body):
        return found[1].decode()
    try:
        return str(json.loads(request.body)["name"])
    except (ValueError, KeyError, TypeError):
        return ""


def _made(reply: Reply) -> str:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return ""
    data = cast("dict[str, Any]", body).get("data") if isinstance(body, dict) else None
    return str(cast("dict[str, Any]", data).get("_id", "")) if isinstance(data, dict) else ""
