"""Facts that a plan is judged by, as they were read. None means that it could not be read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AgentFact:
    """Who would talk."""

    id: str
    name: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class CallerFact:
    """A number that would be shown."""

    id: str
    number: str
    active: bool
    country: str = ""


@dataclass(frozen=True, slots=True)
class ContactFact:
    """A contact: number (E.164, or empty if it is not one), country and possible time zones.

    `unread` is a number that may be one to the API, and cannot be read here. A contact has
    `opted_out` if a column of its own says not to call it.
    """

    number: str
    country: str = ""
    zones: tuple[str, ...] = ()
    unread: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class SlotFact:
    """Calls at once: the limit, those in progress, and how many are `reserved` for others."""

    limit: int
    in_progress: int | None = None
    reserved: int = 0

    @property
    def usable(self) -> int:
        """How many the campaign may have in progress at once."""
        return max(self.limit - self.reserved, 0)


@dataclass(frozen=True, slots=True)
class RivalFact:
    """Another campaign on the audience, which calls it now or by itself later, or is `equal`."""

    id: str
    name: str
    status: str
    equal: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read about one start. `start` and `now` are in the API's time.

    `agent` is False where the API says that there is no such agent, `callers` None where the
    campaign's caller IDs are not known, `dnc` None where the list could not be read to its end;
    `dnc_unread` of its entries are no numbers that can be compared. `dnc` holds digits.
    Of the campaigns `running`, as many as `begun` were started here and do not show it yet.
    Of the `contacts`, a campaign that is resumed has `called` some, and `added` are new since its
    first start; those of the numbers `over` are not called again, None if that could not be read.
    """

    start: datetime
    contacts: tuple[ContactFact, ...]
    max_retries: int
    retry_delay: int
    agent: AgentFact | bool | None = None
    callers: tuple[CallerFact, ...] | None = None
    dnc: frozenset[str] | None = None
    dnc_unread: int = 0
    slots: SlotFact | None = None
    balance: float | None = None
    running: int | None = None
    begun: int = 0
    rivals: tuple[RivalFact, ...] | None = ()
    called: int = 0
    added: int = 0
    over: frozenset[str] | None = frozenset()

    @property
    def concerned(self) -> tuple[ContactFact, ...]:
        """Contacts that may still be called, again or for the first time."""
        over = self.over or frozenset()
        return tuple(contact for contact in self.contacts if contact.number not in over)

    @property
    def left(self) -> int:
        """Contacts that are still to be called for the first time."""
        return max(len(self.contacts) - self.called - self.added, 0)
