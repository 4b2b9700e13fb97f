"""The state store as its users see it, and the records in it."""

from dataclasses import dataclass
from typing import Literal, Protocol

Confirmed = Literal["asked", "token", "never", "not needed"]


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan that somebody was asked about; valid until `expires_at` (seconds since 1970)."""

    plan_id: str
    tenant: str
    tool: str
    digest: str
    question: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the first half of a journal entry.

    `arguments` is JSON without phone numbers or keys; `confirmed` says how it was agreed to.
    """

    tenant: str
    tool: str
    arguments: str
    confirmed: Confirmed
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry; `outcome` is empty until the answer came."""

    id: int
    at: float
    intent: Intent
    outcome: str = ""
    detail: str = ""
    request_id: str = ""


class Store(Protocol):
    """What every backend does. Each method raises `NotRecorded` when it cannot write."""

    async def keep_plan(self, record: PlanRecord) -> None:
        """Store a plan that somebody is about to be asked about."""
        ...

    async def plan(self, plan_id: str) -> PlanRecord | None:
        """Give a stored plan, used or not, expired or not."""
        ...

    async def use_plan(self, plan_id: str) -> bool:
        """Spend the plan id; true for the first caller only, across processes."""
        ...

    async def claim(self, key: str, now: float, until: float) -> bool:
        """Take `key` until then (seconds since 1970), unless another call holds it."""
        ...

    async def release(self, key: str) -> None:
        """Give `key` back."""
        ...

    async def keep_callers(self, tenant: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """Remember the caller IDs of a campaign made here; the API does not tell them."""
        ...

    async def callers(self, tenant: str, campaign_id: str) -> tuple[str, ...] | None:
        """Give the caller IDs of a campaign made here."""
        ...

    async def begin(self, intent: Intent, at: float) -> int:
        """Record an intent and give its number; `at` is in seconds since 1970."""
        ...

    async def finish(
        self, entry_id: int, outcome: str, detail: str = "", request_id: str = ""
    ) -> None:
        """Record how it ended."""
        ...

    async def entries(self, limit: int) -> list[Entry]:
        """Give the latest entries of the journal, the latest first."""
        ...

    async def unfinished(self) -> list[Entry]:
        """Give the intents without an outcome that no start has reported, and mark them."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...
