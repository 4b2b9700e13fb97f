"""The state store as its users see it: one small protocol for each kind of record.

Each method raises `NotRecorded` when it cannot write or read.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.journal import JournalStore

# Seconds: what `tool_calls/locks.py` asks for at most, and room for clocks that differ.
LONGEST_LOCK = 60


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan that somebody was asked about; valid until `expires_at` (seconds since 1970).

    `audience_id` is whose contacts it calls or deletes, if any; `shown` are the warnings in the
    question.
    """

    plan_id: str
    tenant: str
    tool: str
    digest: str
    expires_at: float
    audience_id: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A contact list that was sent over HTTP; gone after `expires_at` (seconds since 1970)."""

    upload_id: str
    tenant: str
    content: bytes
    expires_at: float


def storable(text: str) -> str:
    """Return `text` as every store takes it: halves of characters, which no encoding has, go."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Places:
    """Places that `owner` wants of `most` in all: as many as `wanted`, and `needed` in any case."""

    owner: str
    needed: int
    wanted: int
    most: int


Subscriber = Callable[[str, str], Awaitable[None]]
"""Called with a tenant and what has changed for it."""


class SharedState(Protocol):
    """What servers that share a store show each other; lost without harm.

    Each method raises `NotRecorded` when it cannot, and soon. Times are lengths, in seconds.
    """

    async def take_turn(self, subject: str, owner: str, seconds: float) -> bool:
        """Take the turn to poll `subject`, at most for so long; false if another has it."""
        ...

    async def end_turn(self, subject: str, owner: str) -> None:
        """Let another poll, if `owner` still has the turn."""
        ...

    async def hold_places(self, subject: str, places: Places, seconds: float) -> int:
        """Hold places instead of those that the owner had, for so long; return how many it has."""
        ...

    async def keep_snapshot(self, subject: str, snapshot: bytes, seconds: float) -> None:
        """Share what a poll found, for so long."""
        ...

    async def snapshot(self, subject: str) -> bytes | None:
        """Return what the last poll found, whoever made it."""
        ...

    async def publish(self, tenant: str, news: str) -> None:
        """Publish to every server, this one too, what has changed for a tenant."""
        ...

    async def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with all that is published from now on, until cancelled."""
        ...


class PlanStore(Protocol):
    """Plans that somebody was asked about; each is used once, across processes."""

    async def keep(self, record: PlanRecord) -> None:
        """Store a plan that somebody is about to be asked about."""
        ...

    async def get(self, plan_id: str) -> PlanRecord | None:
        """Return a stored plan, used or not, expired or not."""
        ...

    async def use(self, plan_id: str) -> bool:
        """Use up the plan; true for the first caller only."""
        ...


class LockStore(Protocol):
    """Locks by key, each with an owner and an end; `until` is in seconds since 1970."""

    async def acquire(self, key: str, owner: str, now: float, until: float) -> bool:
        """Lock `key` for `owner` until then, unless another holds it.

        A lock that would last longer than `LONGEST_LOCK` from now was made by a clock that was
        wrong, and holds nothing.
        """
        ...

    async def extend(self, key: str, owner: str, until: float) -> bool:
        """Hold it until then; false if somebody else has taken it meanwhile."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """Release `key`, if `owner` still holds it."""
        ...


class UploadStore(Protocol):
    """Contact lists that were sent over HTTP; `now` is in seconds since 1970."""

    async def keep(self, upload: Upload, now: float, most: int) -> bool:
        """Keep a list until it expires; false if the tenant has `most` already."""
        ...

    async def get(self, tenant: str, upload_id: str, now: float) -> bytes | None:
        """Return a tenant's list, unless it has expired."""
        ...

    async def clear(self, now: float) -> None:
        """Delete the lists that have expired, so that nothing of them is left behind."""
        ...


class CallerIdStore(Protocol):
    """The caller IDs of campaigns created here, which the API does not tell; by account."""

    async def keep(self, account: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """Remember the caller IDs of a campaign."""
        ...

    async def get(self, account: str, campaign_id: str) -> tuple[str, ...] | None:
        """Return the caller IDs of a campaign created here."""
        ...


class GuardStore(Protocol):
    """What the guard of an account keeps there, and what others say to it, by subject."""

    async def keep(self, account: str, subject: str, text: str) -> None:
        """Keep `text`, in place of what was kept under that subject."""
        ...

    async def keep_each(self, account: str, subjects: Sequence[str], text: str) -> None:
        """Keep the same text under each of these subjects, or under none of them."""
        ...

    async def drop(self, account: str, subject: str) -> None:
        """Keep nothing under that subject any more."""
        ...

    async def kept(self, account: str) -> dict[str, str]:
        """Return all that is kept of an account, by subject."""
        ...


class PaceStore(Protocol):
    """When the next request of each key is due, by the arithmetic of `rate_limit`."""

    async def book(self, key: str, slot: Slot) -> float:
        """Book a request; return the seconds that it must wait. See `rate_limit.booked`."""
        ...

    async def hold(self, key: str, now: float, until: float) -> None:
        """Let nobody with `key` send until then (seconds since 1970)."""
        ...


class Store(Protocol):
    """All that outlives a call; every backend has each part in a module of its name."""

    @property
    def plans(self) -> PlanStore:
        """Plans that somebody was asked about."""
        ...

    @property
    def locks(self) -> LockStore:
        """What a call keeps others out of."""
        ...

    @property
    def journal(self) -> JournalStore:
        """What was sent, and what became of it."""
        ...

    @property
    def uploads(self) -> UploadStore:
        """Contact lists that were sent over HTTP."""
        ...

    @property
    def caller_ids(self) -> CallerIdStore:
        """The caller IDs of campaigns created here."""
        ...

    @property
    def guard(self) -> GuardStore:
        """What the guard keeps, and is told."""
        ...

    @property
    def pace(self) -> PaceStore:
        """When requests are due."""
        ...

    @property
    def shared_state(self) -> SharedState | None:
        """What is shared with servers on other machines; nothing if there are none."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...
