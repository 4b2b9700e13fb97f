"""Looking at everything that dials: finding it, and the facts about each campaign."""

from collections.abc import Awaitable, Callable
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import anyio

from atoms_campaigns_mcp.concurrency import IN_FLIGHT
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound
from atoms_campaigns_mcp.guard.agreed import digest_of
from atoms_campaigns_mcp.guard.rules import Facts, Rules, Tally, tail, too_late
from atoms_campaigns_mcp.guard.tally import Ledger
from atoms_campaigns_mcp.guardrails.facts import ContactFact
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign, CampaignDetails, moment
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.toolkit import start_proposal
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import results_of
from atoms_campaigns_mcp.toolkit.stopping import listed

PAGE = 100  # rows a request
LIVE_PAGES = 10  # of calls under way, in which campaigns are looked for that are called over
OVER_FOR = timedelta(minutes=1)  # that the numbers which are not called again are not read anew
AGAIN = timedelta(minutes=1)  # until what a resumption needs, and could not be read, is looked for
READING = 10.0  # seconds for the results of a campaign
_BEGINNINGS = frozenset({"started", "resumed"})


@dataclass(frozen=True, slots=True)
class Sight:
    """A campaign that dials, or whose calls are not over, as it was seen.

    `agreed` is the digest of what a resumption must find again; empty if it could not be read.
    """

    campaign: Campaign
    facts: Facts
    agreed: str = ""

    @property
    def dials(self) -> bool:
        """Whether it can be paused; the API may call it over while its calls go on."""
        return self.campaign.status in ACTIVE or self.campaign.status == "unknown"


@dataclass(slots=True)
class _Known:
    """What is kept of a campaign between two polls."""

    campaign: Campaign
    ledger: Ledger
    run: str = ""
    contacts: tuple[ContactFact, ...] | None = None
    agreed: str = ""
    read_at: datetime | None = None
    over: frozenset[str] = frozenset()
    over_at: datetime | None = None
    unread_since: datetime | None = None
    looked_at: bool = False


def _few() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(IN_FLIGHT)


@dataclass(slots=True)
class Watcher:
    """Reads by the context of `reading`, which must change nothing.

    `at_once` campaigns that were looked at before are looked at side by side. The first look at
    one may take long, so there are few of those at once, and no other waits for them.
    """

    reading: ToolContext
    rules: Rules
    at_once: InitVar[int] = IN_FLIGHT
    _known: dict[str, _Known] = field(default_factory=dict[str, _Known])
    _first: anyio.CapacityLimiter = field(default_factory=_few)
    _again: anyio.CapacityLimiter = field(default_factory=_few)
    _listing: anyio.CapacityLimiter = field(default_factory=_few)  # long lists of contacts
    _crowded: bool = False

    def __post_init__(self, at_once: int) -> None:
        """Allow so many looks at once."""
        self._again.total_tokens = max(at_once, IN_FLIGHT)

    @property
    def known(self) -> list[str]:
        """The campaigns that dialled, or had calls, when they were found or looked at last."""
        return list(self._known)

    @property
    def searches(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """The lists in which it finds what is to be looked at, each for itself.

        A search gives false if its list cannot be read: what only that holds is not known.
        """
        dialling = {status: partial(self._find, status) for status in sorted(ACTIVE)}
        return {**dialling, "called over": self._find_called_over}

    async def _find(self, status: str) -> bool:
        self.reading.atoms.anew()
        campaigns, unread = await listed(self.reading, status)
        for campaign in campaigns:
            self._know(campaign)
        if unread:
            log.error("the guard cannot list what is %s: %s", status, unread.message)
        return unread is None

    async def look(self, campaign_id: str) -> Sight | None:
        """Look at one that is known; nothing, and it is forgotten, if nothing is left to stop.

        What cannot be read now is judged by what was read before, and says since when.
        """
        known = self._known[campaign_id]
        async with self._again if known.looked_at else self._first:
            begun = self.reading.now()
            try:
                sight = await self._look(known, begun)
            except AtomsCampaignsError as error:
                log.warning("the guard cannot read campaign %s: %s", campaign_id, error.message)
                sight = self._unread(known, begun)
        known.looked_at = True
        if sight is None:
            self._known.pop(campaign_id, None)
        return sight

    def _know(self, campaign: Campaign) -> _Known:
        known = self._known.get(campaign.id)
        if known is None:
            known = self._known[campaign.id] = _Known(campaign, Ledger(self.rules.opt_outs))
        return known

    async def _find_called_over(self) -> bool:
        """Find campaigns that the API calls over, or paused, and that still have calls."""
        atoms, page, more = self.reading.atoms.anew(), 0, True
        try:
            while more and page < LIVE_PAGES:
                page += 1
                calls, about = await atoms.list_calls(statuses=LIVE, page=page, limit=PAGE)
                for campaign_id in {call.campaign_id for call in calls} - {""}:
                    self._know(Campaign(id=campaign_id))
                more = about.has_more and bool(calls)
        except AtomsCampaignsError as error:
            log.error("the guard cannot list the calls under way: %s", error.message)
            return False
        if more and not self._crowded:
            log.warning("more calls are under way than the guard looks through at once")
        self._crowded = more
        return True

    async def _look(self, known: _Known, begun: datetime) -> Sight | None:
        atoms = self.reading.atoms.anew()
        try:
            details = await atoms.get_campaign(known.campaign.id)
        except NotFound:
            return None
        known.campaign = campaign = details.campaign
        if campaign.status not in ACTIVE:
            _, about = await atoms.list_calls(campaign.id, statuses=LIVE)
            if not about.total and not self._may_retry(details):
                return None
        trouble = await self._read(known, details)
        known.unread_since = (known.unread_since or begun) if trouble else None
        return Sight(campaign, await self._facts(known, details), known.agreed)

    def _may_retry(self, details: CampaignDetails) -> bool:
        """Return whether a campaign that the API calls completed may still dial retries."""
        campaign = details.campaign
        if campaign.status != "completed" or not campaign.max_retries:
            return False
        changed = moment(campaign.updated_at)
        longest = Facts(
            now=self.reading.now(),
            max_retries=campaign.max_retries,
            retry_delay=campaign.retry_delay or 0,
        )
        last = tail(longest) + timedelta(minutes=longest.retry_delay)
        return changed is None or changed + last > longest.now

    async def _read(self, known: _Known, details: CampaignDetails) -> bool:
        """Read what the rules need; true if some of it cannot be read."""
        trouble = False
        if self.rules.keeps_hours:
            trouble = not await self._read_contacts(known, details)
        if self.rules.reads_calls:
            try:
                await known.ledger.read(self.reading.atoms, known.campaign.id)
            except (AtomsCampaignsError, OverflowError):
                trouble = True
        return trouble

    async def _read_contacts(self, known: _Known, details: CampaignDetails) -> bool:
        """Read whom it calls once for every start: the API lets nobody change them meanwhile."""
        campaign, now = details.campaign, self.reading.now()
        run = f"{campaign.audience_id} {campaign.participants} {len(campaign.executions or ())}"
        fresh = known.run == run and known.contacts is not None
        late = known.read_at is None or now - known.read_at >= AGAIN
        if fresh and (known.agreed or not late):
            return True
        known.read_at = now
        try:
            async with self._listing:
                judged = await start_proposal.of_campaign(details, self.reading)
        except AtomsCampaignsError as error:
            log.warning("the guard cannot read whom %s calls: %s", campaign.id, error.message)
            return fresh
        known.run, known.contacts = run, judged.facts.contacts
        known.agreed = digest_of(judged, self.reading.operator) or ""
        known.over, known.over_at = frozenset(), None
        return True

    async def _facts(self, known: _Known, details: CampaignDetails) -> Facts:
        facts = _with_contacts(self._bare(known), known)
        # Only near the end of the hours does it matter who of them is not called again.
        if known.contacts is not None and too_late(facts, self.rules):
            await self._read_over(known, details)
            facts = _with_contacts(facts, known)
        if not self.rules.reads_calls:
            return facts
        begun = [event.at for event in details.events if event.action in _BEGINNINGS]
        return replace(facts, tally=known.ledger.tally(moment(begun[0]) if begun else None))

    async def _read_over(self, known: _Known, details: CampaignDetails) -> None:
        now = self.reading.now()
        if known.over_at is not None and now - known.over_at < OVER_FOR:
            return
        known.over_at = now
        with anyio.move_on_after(READING):
            try:
                results = await results_of(details, self.reading)
                known.over = await results.over(details.campaign.max_retries or 0)
            except AtomsCampaignsError as error:  # then all of them count
                log.warning("the guard cannot read who is over: %s", error.message)

    def _bare(self, known: _Known) -> Facts:
        campaign = known.campaign
        return Facts(
            now=self.reading.now(),
            max_retries=campaign.max_retries or 0,
            retry_delay=campaign.retry_delay or 0,
            unread_since=known.unread_since,
        )

    def _unread(self, known: _Known, begun: datetime) -> Sight:
        known.unread_since = known.unread_since or begun
        tally: Tally | None = known.ledger.tally(None) if self.rules.reads_calls else None
        return Sight(known.campaign, replace(_with_contacts(self._bare(known), known), tally=tally))


def _with_contacts(facts: Facts, known: _Known) -> Facts:
    if known.contacts is None:
        return replace(facts, zones=None)
    left = [contact for contact in known.contacts if contact.number not in known.over]
    return replace(
        facts,
        zones=frozenset(zone for contact in left for zone in contact.zones),
        unplaced=sum(not contact.zones for contact in left),
    )
