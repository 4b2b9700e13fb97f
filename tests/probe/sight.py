"""Campaigns and calls as a run sees them: known by phone, never by number."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from tests.probe.tape import told

RETRIES: Final = 1  # further attempts to a phone in one campaign
DELAY: Final = 60.0  # seconds between them: the least that the API takes
MARGIN: Final = 45.0  # seconds in which a call that is due should show
NEVER_RANG: Final = frozenset({"cancelled", "blocked", "pending", "in_queue"})
OVER: Final = frozenset({"completed", "cancelled", "blocked"})  # not tried again, as far as known
UNREADABLE: Final = "unreadable"
FOREIGN: Final = "foreign"


@dataclass(slots=True)
class Seen:
    """One call as the looks saw it; times are seconds since the run began."""

    call_id: str
    campaign: str
    phone: str
    first: float
    statuses: list[str] = field(default_factory=list[str])
    reason: str = ""
    ended: float | None = None

    @property
    def status(self) -> str:
        """What it was at the last look."""
        return self.statuses[-1]

    @property
    def rang(self) -> bool:
        """Whether it was more than queued."""
        return not NEVER_RANG.issuperset(self.statuses)


@dataclass(frozen=True, slots=True)
class Look:
    """A campaign at one moment."""

    at: float
    status: str
    live: tuple[Seen, ...]
    executions: int | None = None
    cancelled_calls: int | None = None
    retry_attempts: int | None = None


@dataclass
class Sight:
    """What was seen so far. `phones` are labels by digits; campaigns are told by their place."""

    phones: Mapping[str, str]
    timeline: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    calls: dict[str, Seen] = field(default_factory=dict[str, Seen])
    statuses: dict[str, str] = field(default_factory=dict[str, str])
    started: dict[str, float] = field(default_factory=dict[str, float])
    places: dict[str, int] = field(default_factory=dict[str, int])

    def look(self, at: float, campaign: Campaign) -> Look:
        """Take in what a campaign is now; its calls were taken in before."""
        if self.statuses.get(campaign.id) != campaign.status:
            self.statuses[campaign.id] = campaign.status
            self._note(at, campaign.id, campaign_status=told(campaign.status))
        return Look(
            at,
            campaign.status,
            self.live(campaign.id),
            None if campaign.executions is None else len(campaign.executions),
            campaign.cancelled_calls,
            campaign.retry_attempts,
        )

    def see(self, at: float, campaign: str, row: Call) -> None:
        """Take in a call."""
        call = self.calls.get(row.call_id)
        if call is None:
            call = Seen(row.call_id, campaign, self._phone(row.to_number), at)
            self.calls[row.call_id] = call
        if call.statuses[-1:] == [row.status]:
            return
        call.statuses.append(row.status)
        call.reason = row.failure or row.reason or ""
        if row.status not in LIVE and call.ended is None:
            call.ended = at
        ended = {"reason": told(call.reason)} if call.reason else {}
        attempt = self.of(campaign, call.phone).index(call) + 1
        about = {"phone": call.phone, "attempt": attempt, "call_status": told(row.status)}
        self._note(at, campaign, **about, **ended)

    def live(self, campaign: str) -> tuple[Seen, ...]:
        """Return the calls that were queued, ringing or talking at the last look."""
        return tuple(call for call in self.of(campaign) if call.status in LIVE)

    def of(self, campaign: str, phone: str = "") -> list[Seen]:
        """Return the calls of a campaign, or to one phone, in the order in which they showed."""
        wanted = (call for call in self.calls.values() if call.campaign == campaign)
        return [call for call in wanted if phone in {"", call.phone}]

    def since(self, campaign: str, known: Collection[str]) -> list[Seen]:
        """Return the calls of a campaign that are not among the ids `known`."""
        return [call for call in self.of(campaign) if call.call_id not in known]

    def rang(self, phone: str) -> int:
        """Count the calls of the run that were more than queued; what is not clear counts."""
        phones = {phone, UNREADABLE}
        return sum(call.rang for call in self.calls.values() if call.phone in phones)

    def waits(self, campaign: str, phone: str, now: float) -> bool:
        """Return whether another attempt to a phone may still come."""
        calls = self.of(campaign, phone)
        if not calls or calls[-1].status in OVER or len(calls) > RETRIES:
            return False
        ended = calls[-1].ended
        return ended is None or now - ended < DELAY + MARGIN

    def quiet(self, campaign: str, look: Look) -> bool:
        """Return whether nothing more is to be expected of a campaign that was started."""
        waits = any(self.waits(campaign, phone, look.at) for phone in self.phones.values())
        return look.at - self.started[campaign] > MARGIN and not look.live and not waits

    def _phone(self, number: str) -> str:
        digits = as_digits(number)
        return self.phones.get(digits, FOREIGN) if digits else UNREADABLE

    def _note(self, at: float, campaign: str, **about: Any) -> None:
        place = self.places.setdefault(campaign, len(self.places) + 1)
        self.timeline.append({"at": at, "campaign": place, **about})
