"""stdin and stdout: a thread that reads lines, a thread that writes them, a bounded queue each.

stdout carries the protocol and nothing else: while serving, descriptor 1 leads to stderr and
descriptor 0 to nothing, so that no library or child can write into the protocol or read from it.
"""

import os
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import BinaryIO

from atoms_campaigns_mcp.server.stdio.early import EarlyAnswers, is_notification
from atoms_campaigns_mcp.telemetry import log

MOST = 1_000_000  # bytes that wait in a queue before whoever fills it must wait


def take() -> tuple[BinaryIO, int]:
    """Take the standard streams, which must be open, for as long as the process lasts.

    Returns:
        What the client writes, and the descriptor from which it reads.
    """
    stdin, stdout = _above_standard(0), _above_standard(1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    # A thread may still wait for stdin at the end: its descriptor must not be used again.
    return os.fdopen(stdin, "rb", closefd=False), stdout


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


class Outbox:
    """Lines for the client; a thread writes them, in the order in which they were put.

    Attributes:
        told: Called, in that thread, when there is room again, and at its end.
        error: What the system said when it could not be written.
        done: Whether everything has been written, after `close`.
    """

    def __init__(self, descriptor: int) -> None:
        """Write to `descriptor` once it is started."""
        self._descriptor = descriptor
        self._changed = Condition()
        self._lines = deque[bytes]()
        self._size = 0
        self._closed = False
        self.told: Callable[[], object] | None = None
        self.error: OSError | None = None
        self.done = False

    def start(self) -> None:
        """Write from now on."""
        Thread(target=self._run, name="stdout", daemon=True).start()

    @property
    def full(self) -> bool:
        """Whether so much waits that nobody should put more."""
        return self._size >= MOST

    def put(self, line: bytes) -> None:
        """Have a line written after those that wait; do not wait for it."""
        with self._changed:
            if self.error is None:
                self._lines.append(line)
                self._size += len(line)
                self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Block until there is room."""
        with self._changed:
            self._changed.wait_for(lambda: not self.full)

    def close(self) -> None:
        """End once everything has been written."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def leave(self) -> None:
        """End the process once everything has been written."""
        self.close()
        with self._changed:
            self._changed.wait_for(lambda: self.done or self.error is not None)
        os._exit(0)

    def _run(self) -> None:
        try:
            while lines := self._waiting():
                _write(self._descriptor, lines)
                self._written(len(lines))
            with self._changed:
                self.done = True
                self._changed.notify_all()
        except OSError as error:
            self._fail(error)
        if self.told is not None:
            self.told()

    def _waiting(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            lines = b"".join(self._lines)
            self._lines.clear()
        return lines

    def _written(self, size: int) -> None:
        with self._changed:
            was_full = self.full
            self._size -= size
            has_room = was_full and not self.full
            if has_room:
                self._changed.notify_all()
        if has_room and self.told is not None:
            self.told()

    def _fail(self, error: OSError) -> None:
        log.error("ending: the client reads nothing any more (%s)", error.strerror)
        with self._changed:
            self.error = error
            self._lines.clear()
            self._size = 0
            self._changed.notify_all()
            if self.told is None:  # nobody serves yet, so nothing is under way
                os._exit(1)


def _write(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class Inbox:
    """Lines of the client; a thread reads them, and answers the first ones if it can.

    Attributes:
        error: What the system said when it could not be read.
    """

    def __init__(self, stdin: BinaryIO, outbox: Outbox, early: EarlyAnswers) -> None:
        """Read `stdin` once it is started; `early` answers go to the `outbox`."""
        self._stdin = stdin
        self._outbox = outbox
        self._early: EarlyAnswers | None = early
        self._changed = Condition()
        self._lines = deque[bytes]()
        self._size = 0
        self._told: Callable[[], object] | None = None
        self._ended = False
        self.error: OSError | None = None

    def start(self) -> None:
        """Read from now on."""
        Thread(target=self._run, name="stdin", daemon=True).start()

    def hand_over(self, told: Callable[[], object]) -> bytes | None:
        """Answer nothing any more, and keep lines for whoever serves now.

        Args:
            told: Called, in the thread, when there is a line after there was none, and at the end.

        Returns:
            The request that was answered and decided the protocol era, if there is one.
        """
        with self._changed:
            early, self._early = self._early, None
            self._told = told
        return early.opening if early else None

    @property
    def waiting(self) -> int:
        """Bytes that have been read and not been taken."""
        return self._size

    def take(self) -> bytes | None:
        """Return the next line, or None if there is none now."""
        with self._changed:
            if not self._lines:
                return None
            line = self._lines.popleft()
            self._size -= len(line)
            self._changed.notify_all()
        return line

    @property
    def ended(self) -> bool:
        """Whether there is no line and none will come."""
        with self._changed:
            return self._ended and not self._lines

    def _run(self) -> None:
        try:
            while line := self._stdin.readline():
                if line.strip():
                    self._deliver(line)
        except OSError as error:  # the terminal is gone
            self.error = error
        with self._changed:
            self._ended = True
            told = self._told
            unneeded = self._early is not None and all(map(is_notification, self._lines))
        if unneeded and self.error is None:
            self._outbox.leave()  # nobody waits for an answer, so nobody for the SDK
        if told is not None:
            told()

    def _deliver(self, line: bytes) -> None:
        with self._changed:
            answer = self._early.answer(line) if self._early else None
            if answer is not None:
                self._outbox.put(answer)
                told = None
            else:
                self._changed.wait_for(lambda: self._size < MOST)
                told = None if self._lines else self._told
                self._lines.append(line)
                self._size += len(line)
        if answer is not None:
            self._outbox.wait_for_room()
        if told is not None:
            told()
