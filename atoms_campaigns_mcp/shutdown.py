"""Changes in flight: a client that goes away must not leave one half sent and unrecorded."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import anyio

from atoms_campaigns_mcp.errors import OutcomeUnknown

T = TypeVar("T")
GRACE = 1.5  # seconds; clients kill a server two seconds after they asked it to end


class Waits:
    """Waits for something to happen, which a server that must end cuts short."""

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._over = False

    @contextmanager
    def at_most(self, seconds: float) -> Generator[None]:
        """Leave the block after `seconds`, or when the server ends."""
        with anyio.move_on_after(0 if self._over else seconds) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def end(self) -> None:
        """Wait no longer, now and from now on."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()


class Shutdown:
    """Lets changes finish although their caller is cancelled, until the server is told to end."""

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._grace: float | None = None

    def hurry(self, grace: float = GRACE) -> None:
        """Allow what is in flight, and whatever begins now, `grace` seconds."""
        self._grace = grace
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, anyio.current_time() + grace)

    async def despite_cancellation(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work`, which bounds itself, to its end even if the caller is cancelled.

        Raises:
            OutcomeUnknown: The server had to end before `work` did.
        """
        scope = anyio.CancelScope(shield=True)
        if self._grace is not None:
            scope.deadline = anyio.current_time() + self._grace
        done = anyio.Event()
        answers: list[T] = []
        failures: list[Exception] = []

        async def shielded() -> None:
            try:
                with scope:
                    answers.append(await work())
            except Exception as error:  # noqa: BLE001 - raised below, outside the task group
                failures.append(error)
            done.set()

        self._scopes.add(scope)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(shielded)
                await done.wait()
        finally:
            self._scopes.discard(scope)
        if failures:
            raise failures[0]
        if not answers:
            raise OutcomeUnknown(
                "This server was ended while the change was under way.",
                next_step="Look with get_campaign_status or list_campaigns when it is back.",
            )
        return answers[0]
