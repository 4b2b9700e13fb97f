"""One look for all servers: of those that follow the same thing, one asks the API and shows it.

No library: what a lease and a cache with a time to live would do, but a look that is newer than
one's own counts however old it is, and without the common place each server looks for itself.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import anyio

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.telemetry import log

T = TypeVar("T")
TURN = 5.0  # seconds after which a server that looks, and says nothing, is passed over
SHOWN = 15.0  # seconds that a sight is shown; longer than the slowest poll
AGAIN = 0.2  # seconds between glances at what the one that looks has seen


class SharedState(Protocol):
    """The common place, see `state.store.SharedState`; each method may raise `NotRecorded`."""

    async def take_turn(self, subject: str, owner: str, seconds: float) -> bool:
        """Take the turn to look."""
        ...

    async def end_turn(self, subject: str, owner: str) -> None:
        """Let another look."""
        ...

    async def keep_snapshot(self, subject: str, snapshot: bytes, seconds: float) -> None:
        """Show what was seen."""
        ...

    async def snapshot(self, subject: str) -> bytes | None:
        """Return what was seen last."""
        ...


@dataclass(frozen=True, slots=True)
class PollBoard:
    """Where the servers of one account show what they saw; `seconds` is the time since 1970."""

    account: str
    shared_state: SharedState
    seconds: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How a sight is written down; `load` raises `ValueError` for what it cannot read."""

    dump: Callable[[T], bytes]
    load: Callable[[bytes], T]


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What was seen, how long ago in seconds, and whether by this server."""

    value: T
    age: float = 0.0
    own: bool = True


@dataclass
class ReplicaPolls(Generic[T]):
    """The looks of one server at one thing."""

    subject: str
    board: PollBoard
    form: Form[T]
    fetch: Callable[[], Awaitable[T]]
    _owner: str = field(default_factory=lambda: secrets.token_hex(8))
    _mark: str = ""

    async def look(self, oldest: float) -> Seen[T]:
        """Return what another has seen since the last look, within `oldest` seconds; else look."""
        end = self.board.seconds() + TURN
        try:
            while self.board.seconds() < end:
                if seen := await self._shown(oldest):
                    return seen
                if await self.board.shared_state.take_turn(self._name, self._owner, TURN):
                    # Another may have shown something since we glanced.
                    return await self._shown(oldest) or await self._look()
                await self.board.sleep(AGAIN)
        except NotRecorded:
            log.warning("what other servers see cannot be used now")
        return Seen(await self.fetch())

    @property
    def _name(self) -> str:
        return f"{self.board.account}:{self.subject}"

    async def _look(self) -> Seen[T]:
        try:
            value = await self.fetch()
            await self._show(value)
        finally:
            await self._end_turn()
        return Seen(value)

    async def _show(self, value: T) -> None:
        self._mark = secrets.token_hex(8)
        head = f"{self._mark} {self.board.seconds()!r}\n".encode()
        sight = head + self.form.dump(value)
        try:
            await self.board.shared_state.keep_snapshot(self._name, sight, SHOWN)
        except NotRecorded:
            log.warning("other servers cannot be shown what this one sees now")

    async def _shown(self, oldest: float) -> Seen[T] | None:
        sight = await self.board.shared_state.snapshot(self._name)
        if sight is None:
            return None
        head, _, content = sight.partition(b"\n")
        try:
            mark, at = head.decode().split(" ")
            age = max(self.board.seconds() - float(at), 0.0)
            if mark == self._mark or age > oldest:
                return None
            value = self.form.load(content)
        except ValueError:  # written by another version of this server
            return None
        self._mark = mark
        return Seen(value, age, own=False)

    async def _end_turn(self) -> None:
        try:
            # The one that looks is often cancelled, and the others should not wait for that.
            with anyio.CancelScope(shield=True):
                await self.board.shared_state.end_turn(self._name, self._owner)
        except NotRecorded:
            log.warning("other servers may have to wait %d seconds before they look", TURN)
