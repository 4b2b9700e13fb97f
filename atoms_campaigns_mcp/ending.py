"""Changes in flight: a client that goes away must not leave one half sent and unrecorded."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")
GRACE = 1.5  # seconds; clients kill a server two seconds after they asked it to end


class Ending:
    """Lets changes finish although their caller is cancelled, until the server is told to end."""

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._hurried = False

    def hurry(self, grace: float = GRACE) -> None:
        """Give what is in flight, and whatever begins now, `grace` seconds."""
        self._hurried = True
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, anyio.current_time() + grace)

    async def despite_cancellation(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work`, which bounds itself, to its end even if the caller is cancelled."""
        scope = anyio.CancelScope(shield=True)
        if self._hurried:
            scope.deadline = anyio.current_time() + GRACE
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
        return answers[0]
