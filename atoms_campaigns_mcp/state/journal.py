"""The journal: the columns of an entry, and what a store does with entries.

A new column is a field here, a migration in `sqlite/migrations.py`, and a line in the `journal.py`
of each store.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Confirmed = Literal["asked", "token", "never", "not needed"]
# Seconds in which every change that has begun gets its outcome, if its server lives.
UNDER_WAY = 120.0
NEVER = ("refused", "absent")  # outcomes of what changed nothing
IN_DOUBT = ("", "unknown")  # outcomes of what may have changed something


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent: the first half of a journal entry.

    `arguments` is JSON without phone numbers or keys; `confirmed` says how it was agreed to. `key`
    is the same for creations that ask one account for the same, and `known` holds the ids of what
    they would be confused with. `answered_after` is how many seconds a question about it took to be
    answered, if somebody was asked and it is known. `account` and `campaign_id` say which campaign
    is changed, if it is there; one that `dials` starts, resumes or schedules. `mode` is sandbox or
    live; entries of earlier versions do not tell.
    """

    tenant: str
    tool: str
    arguments: str
    confirmed: Confirmed
    digest: str = ""
    key: str = ""
    known: tuple[str, ...] = ()
    answered_after: float | None = None
    account: str = ""
    campaign_id: str = ""
    dials: bool = False
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """The id of what a change created, and if that is a campaign, once more as its campaign."""

    id: str = ""
    campaign_id: str = ""


NOTHING = Created()


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry; `outcome` is empty until the answer came.

    Outcomes: done, refused, unknown, failed (a fault of this server), and absent (it was unknown,
    was looked for again when the same was asked for, and was not there). `created` is the id of
    what the change created.
    """

    id: int
    at: float
    outcome: str
    detail: str
    request_id: str
    intent: Intent
    created: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; what is empty does not matter. `since` is in seconds since 1970.

    A campaign's entries are those that changed or created it.
    """

    tenant: str = ""
    campaign_id: str = ""
    mode: str = ""
    since: float = 0
    unfinished: bool = False

    def takes(self, entry: Entry) -> bool:
        """Return whether an entry is wanted."""
        intent = entry.intent
        return (
            self.tenant in {"", intent.tenant}
            and self.campaign_id in {"", intent.campaign_id}
            and self.mode in {"", intent.mode}
            and entry.at >= self.since
            and not (self.unfinished and entry.outcome)
        )


EVERY = Wanted()


class JournalStore(Protocol):
    """The journal: an intent before each change, its outcome after."""

    async def begin(self, intent: Intent, at: float, *, lasting: bool = True) -> int:
        """Record an intent and return its number; `at` is in seconds since 1970.

        Unless it must be `lasting`, it need not be on a disk yet.
        """
        ...

    async def finish(
        self,
        entry_id: int,
        outcome: str,
        detail: str = "",
        request_id: str = "",
        created: Created = NOTHING,
    ) -> None:
        """Record how it ended, and what was created by it.

        A change of a campaign that is done ends its earlier beginnings, see `begun`.
        """
        ...

    async def unresolved(self, key: str) -> list[Entry]:
        """Return the creations of that key whose outcome is unknown or not yet recorded."""
        ...

    async def begun(self, account: str, since: float) -> list[Entry]:
        """Return what was to make campaigns dial, may have done so, and was not seen to."""
        ...

    async def saw(self, account: str, campaign_id: str) -> None:
        """Record that a campaign has been seen to dial, or to be over."""
        ...

    async def entries(self, limit: int, wanted: Wanted = EVERY) -> list[Entry]:
        """Return the latest entries that are wanted, the latest first, however old they are."""
        ...

    async def prune(self, before: float) -> int:
        """Delete what began before then (seconds since 1970) and give how many entries it was.

        Those without an outcome, or with an unknown one, stay: they are looked at again.
        """
        ...

    async def unfinished(self, now: float) -> list[Entry]:
        """Return the intents without an outcome that nobody has reported, and mark them.

        What began less than `UNDER_WAY` ago may be a living server's.
        """
        ...
