"""stdin and stdout as a stream of messages in both directions.

stdout carries the protocol and nothing else: while serving, descriptor 1 leads to stderr and
descriptor 0 to nothing, so that no library or child can write into the protocol or read from it.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    INTERNAL_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCResponse,
    RequestId,
)

from atoms_campaigns_mcp.server.jsonrpc import InvalidMessage, read
from atoms_campaigns_mcp.telemetry import log


@dataclass(frozen=True, slots=True)
class Pipes:
    """What the client writes, and the descriptor from which it reads."""

    stdin: BinaryIO
    stdout: int


def take() -> Pipes:
    """Take the standard streams, which must be open, for as long as the process lasts."""
    stdin, stdout = _above_standard(0), _above_standard(1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    # A thread may still wait for stdin at the end: its descriptor must not be used again.
    return Pipes(os.fdopen(stdin, "rb", closefd=False), stdout)


def _above_standard(descriptor: int) -> int:
    """Move a descriptor to another number, and to none that a closed standard stream left free."""
    low: list[int] = []
    try:
        while (copy := os.dup(descriptor)) <= 2:  # noqa: PLR2004 - stderr
            low.append(copy)
    finally:
        for number in low:
            os.close(number)
    return copy


async def read_messages(
    pipes: Pipes,
    into: MemoryObjectSendStream[SessionMessage | Exception],
    answers: MemoryObjectSendStream[SessionMessage],
    ended: Callable[[], None],
) -> None:
    """Pass on what the client says until it ends; refuse at once what cannot be served.

    Args:
        pipes: Where it is read from.
        into: Who serves.
        answers: Who writes, for refusals.
        ended: Called at the end of stdin, before whoever serves learns of it.
    """
    # Who serves or writes may be gone when the process is about to end.
    with suppress(anyio.BrokenResourceError):
        async with into, answers:
            await _read(pipes, into, answers)
            ended()


async def _read(
    pipes: Pipes,
    into: MemoryObjectSendStream[SessionMessage | Exception],
    answers: MemoryObjectSendStream[SessionMessage],
) -> None:
    while line := await to_thread.run_sync(pipes.stdin.readline, abandon_on_cancel=True):
        if not line.strip():
            continue
        message = read(line)
        if isinstance(message, InvalidMessage):
            log.warning("refused a message of the client: %s", message.words)
            for number in message.ids:
                refusal = _error(number, message.code, message.words)
                await answers.send(SessionMessage(refusal))
        else:
            await into.send(SessionMessage(message))


async def write_messages(pipes: Pipes, messages: MemoryObjectReceiveStream[SessionMessage]) -> None:
    """Write what is to be said until there is no more.

    Raises:
        OSError: The client does not listen any more.
    """
    async with messages:
        async for message in messages:
            line = _line(message.message)
            await to_thread.run_sync(_put, pipes.stdout, line, abandon_on_cancel=True)


def _put(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


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
