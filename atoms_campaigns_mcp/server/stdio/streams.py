"""What a client and the SDK say to each other: the pipes' queues as the streams that it wants."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import (
    INTERNAL_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
)

from atoms_campaigns_mcp.server.jsonrpc import InvalidMessage, read
from atoms_campaigns_mcp.server.stdio.pipes import Inbox, Outbox
from atoms_campaigns_mcp.telemetry import log


class _Stream:
    """What streams of the SDK have in common: nothing is closed with them."""

    async def aclose(self) -> None:
        """Do nothing: what is refused, or in flight at the end, is still said."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        pass


class _Bell:
    """Wakes tasks of this event loop from a thread; each then looks whether it is its turn.

    anyio's way into a loop makes the thread wait for an answer, so asyncio's is taken.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits, or whoever waits next."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self) -> None:
        """Wait until it rings."""
        await self._rung.wait()
        self._rung.clear()

    async def until(self, turn: Callable[[], bool]) -> None:
        """Wait until `turn` holds, which is looked at whenever it rings."""
        while not turn():
            await self.wait()


class Answers(_Stream):
    """What the SDK says, as the stream that it wants.

    Args:
        outbox: Where it is written.
        opening: The request that was answered before; the SDK's own answer to it is dropped.
    """

    def __init__(self, outbox: Outbox, opening: RequestId | None = None) -> None:
        self._outbox = outbox
        self._bell = _Bell()
        self._opening = opening
        self.opened = anyio.Event()
        if opening is None:
            self.opened.set()
        outbox.told = self._bell.ring

    async def send(self, item: SessionMessage, /) -> None:
        """Have a message written; wait while too much waits already."""
        message = item.message
        if not self.opened.is_set() and self._is_opening(message):
            return
        if line := _line(message):
            self._outbox.put(line)
        if self._outbox.full:
            await self._bell.until(lambda: not self._outbox.full)

    def _is_opening(self, message: JSONRPCMessage) -> bool:
        if not isinstance(message, JSONRPCResponse | JSONRPCError) or message.id != self._opening:
            return False
        if isinstance(message, JSONRPCError):  # a fault of ours: the client was told otherwise
            log.error("the first request was answered, and then refused (%s)", message.error.code)
        self.opened.set()
        return True

    async def lost(self) -> None:
        """Wait until the client reads nothing any more."""
        await self._bell.until(lambda: self._outbox.error is not None)

    async def finish(self) -> None:
        """Wait until everything has been written, or cannot be."""
        self._outbox.close()
        await self._bell.until(lambda: self._outbox.done or self._outbox.error is not None)


class Messages(_Stream):
    """What the client says, as the stream that the SDK wants; what cannot be served is refused.

    It begins with the request that was answered before the SDK was there, and goes on when the SDK
    has answered it too.
    """

    def __init__(self, inbox: Inbox, outbox: Outbox, ended: Callable[[], object]) -> None:
        """Take over the `inbox`; `ended` is called at its end, before the SDK learns of it."""
        bell = _Bell()
        opening = inbox.hand_over(bell.ring)
        message = read(opening) if opening else None
        self._opening = message if isinstance(message, JSONRPCRequest) else None
        self._inbox = inbox
        self._bell = bell
        self._ended = ended
        self.answers = Answers(outbox, self._opening.id if self._opening else None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> SessionMessage:
        """Return the next message that can be served.

        Raises:
            anyio.EndOfStream: The client says nothing any more.
        """
        if self._opening is not None:
            opening, self._opening = self._opening, None
            return SessionMessage(opening)
        await self.answers.opened.wait()
        while True:
            message = read(await self._line())
            if not isinstance(message, InvalidMessage):
                return SessionMessage(message)
            log.warning("refused a message of the client: %s", message.words)
            for number in message.ids:
                refusal = _error(number, message.code, message.words)
                await self.answers.send(SessionMessage(refusal))

    async def _line(self) -> bytes:
        while (line := self._inbox.take()) is None:
            if self._inbox.ended:
                self._ended()
                raise anyio.EndOfStream
            await self._bell.wait()
        return line


def _line(message: JSONRPCMessage) -> bytes:
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:  # half a character, or what JSON has no form for
        log.exception("a message could not be written")
    if not isinstance(message, JSONRPCResponse):
        return b""
    fault = "The answer cannot be written as JSON; report it to the operator."
    return _line(_error(message.id, INTERNAL_ERROR, fault))


def _error(number: RequestId | None, code: int, words: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message=words))
