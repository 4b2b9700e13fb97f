"""A server that is killed at a chosen point of its work: nothing of it gets through after that."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.state.sqlite.database import StateFile
from tests.support.bench import Bench


class KilledError(Exception):
    """The server is dead; no part of it may catch this as an error of the API or its state."""


@dataclass
class Killer(httpx2.AsyncBaseTransport):
    """Stands before the API and the state, and lets the server die at the `left`th step."""

    below: httpx2.AsyncBaseTransport
    left: int = -1
    after: bool = False
    """Whether the last request still reaches the API, and only its answer is lost."""
    dead: bool = False
    steps: int = 0

    def step(self) -> bool:
        """Count a step; return whether the server dies in it."""
        if self.dead:
            raise KilledError
        self.steps += 1
        if self.left == 0:
            self.dead = True
        self.left -= 1
        return self.dead

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        dies = self.step()
        if not dies:
            return await self.below.handle_async_request(request)
        if self.after:
            await self.below.handle_async_request(request)
        raise KilledError

    def revive(self, left: int, *, after: bool) -> None:
        """Start the server again, to die once more after so many steps."""
        self.dead, self.left, self.after = False, left, after


@contextmanager
def killer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Generator[Killer]:
    """Put one before the bench's API, and before all that is written or read of its state."""
    death = Killer(bench.wire.below)
    bench.wire.below = death

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        async def do(*args: Any, **options: Any) -> Any:
            dies = death.step()
            if dies and not death.after:
                raise KilledError
            done = await method(*args, **options)
            if dies:
                raise KilledError
            return done

        return do

    with monkeypatch.context() as patched:
        patched.setattr(StateFile, "write", guarded(StateFile.write))
        patched.setattr(StateFile, "read", guarded(StateFile.read))
        yield death
    bench.wire.below = death.below
