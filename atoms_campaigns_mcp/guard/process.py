"""The guard at work: round after round it looks at what dials, and stops what a rule forbids."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from atoms_campaigns_mcp.config.identity import Principal
from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.errors import AtomsCampaignsError, ConfigurationError, NotRecorded
from atoms_campaigns_mcp.guard.act import Stopped, stop
from atoms_campaigns_mcp.guard.lease import Lease
from atoms_campaigns_mcp.guard.notes import PAUSED, notes_of
from atoms_campaigns_mcp.guard.notify import Webhook
from atoms_campaigns_mcp.guard.resume import Decision, Resumption
from atoms_campaigns_mcp.guard.rules import LEAD, Rules, Trip, trips
from atoms_campaigns_mcp.guard.watch import Sight, Watcher
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.state.guarding import Stop
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls.asker import Nobody
from atoms_campaigns_mcp.tool_calls.session import Session, Unheard
from atoms_campaigns_mcp.toolkit.context import News

POLL = 5.0  # seconds between two rounds
AGAIN = 1.0  # seconds until the next round while a stop is not confirmed
RESUMING = 60.0  # seconds between two tries to resume a campaign
REPEATING = 60.0  # seconds after which a stop that is still not confirmed is told again
LONGEST_LEAD = timedelta(minutes=30)  # in a sandbox whose time runs faster
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round saw and did; `standby` if another guard has the lease."""

    seen: int = 0
    stopped: int = 0
    unconfirmed: int = 0
    unread: int = 0
    resumed: int = 0
    standby: bool = False


@dataclass(slots=True)
class Guard:
    """The guard of one account; `say` tells people, `news` programs that watch a campaign.

    With `resumes`, what it paused for calling hours is resumed when these begin again. With
    `dry`, it only says what it would stop.
    """

    runtime: Runtime
    rules: Rules
    webhook: Webhook
    say: Say
    resumes: bool = False
    dry: bool = False
    news: News = field(default_factory=Unheard)
    lease: Lease = field(init=False)
    _watcher: Watcher = field(init=False)
    _tried: dict[str, float] = field(default_factory=dict[str, float])
    _told: dict[tuple[str, str], tuple[float, float]] = field(
        default_factory=dict[tuple[str, str], tuple[float, float]]
    )
    _waits: bool = False

    def __post_init__(self) -> None:
        """Begin without a lease."""
        self.lease = Lease(self.runtime, self.rules.told(), self.resumes)
        self._watcher = Watcher(self._session().reading(), self.rules)

    async def run(self) -> None:
        """Keep watch until cancelled; whatever goes wrong in a round, the next one comes."""
        while True:
            try:
                done = await self.round()
            except AtomsCampaignsError as error:
                log.error("the guard could not look: %s", error.message)
                done = Round(unconfirmed=1)
            except Exception:  # noqa: BLE001 - a guard that ends keeps nothing
                log.exception("a fault of the guard")
                done = Round(unconfirmed=1)
            await self.runtime.clocks.sleep(AGAIN if done.unconfirmed else self._pause())

    async def round(self) -> Round:
        """Look at everything once, and stop and resume what there is.

        Raises:
            AtomsCampaignsError: Nothing could be looked at.
        """
        if not self.dry and not await self.lease.hold():
            if not self._waits:
                self.say("Another guard has the lease; this one waits for it.")
            self._waits = True
            return Round(standby=True)
        self._waits = False
        sights = await self._watcher.poll()
        stopped = unconfirmed = 0
        for sight in sights:
            found = trips(sight.facts, self.rules)
            if not found:
                continue
            stopped += 1
            unconfirmed += not await self._stop(sight, found)
        resumed = await self._resume_all() if self.resumes and not self.dry else 0
        await self.webhook.deliver()
        unread = sum(sight.facts.unread_since is not None for sight in sights)
        return Round(len(sights), stopped, unconfirmed, unread, resumed)

    async def _stop(self, sight: Sight, found: tuple[Trip, ...]) -> bool:
        """Stop a campaign; true if the API confirms it."""
        about = f"campaign {sight.campaign.label} ({sight.campaign.id})"
        why = "; ".join(f"{trip.rule}: {trip.figures}" for trip in found)
        if self.dry:
            return self._pretend(sight, found, f"Would stop {about}: {why}.")
        await self.lease.hold()  # stopping may take long where the API is slow
        stopped = await stop(sight, found, self.rules, self._session)
        if stopped.confirmed and not sight.dials and not stopped.cancelled:
            return True  # it is paused or over, and nothing of it is queued
        await self._tell(stopped, found[0], about, why)
        return stopped.confirmed

    def _pretend(self, sight: Sight, found: tuple[Trip, ...], text: str) -> bool:
        """Say once what would be done."""
        key = sight.campaign.id, found[0].rule
        if key not in self._told:
            self.say(text)
        self._told[key] = 0.0, 0.0
        return True

    async def _tell(self, stopped: Stopped, trip: Trip, about: str, why: str) -> None:
        """Tell everybody of a stop: at once, and again as long as it is not confirmed."""
        campaign, key = stopped.campaign, (stopped.campaign.id, trip.rule)
        now = self.runtime.clocks.seconds()
        began, last = self._told.get(key, (now, float("-inf")))
        if not stopped.confirmed and now - last < REPEATING:
            return
        after = f" {stopped.cancelled} queued calls cancelled." if stopped.cancelled else ""
        if self.resumes and campaign.status == "paused":
            after += "" if stopped.own and trip.passes else " A person must resume it."
        if stopped.confirmed:
            self._told.pop(key, None)
            self.say(f"Stopped {about}, now {campaign.status}: {why}.{after}")
        else:
            self._told[key] = began, now
            reasons = "; ".join(dict.fromkeys(stopped.errors)) or "it still dials"
            text = f"CANNOT STOP {about}: {reasons}. Why it must stop: {why}. It is tried again."
            self.say(text)
            log.critical("%s", text)
        outcome = "confirmed" if stopped.confirmed else "unconfirmed"
        await self._show(campaign, trip.rule, trip.figures, outcome, began)
        self.webhook.add(
            "campaign.stopped" if stopped.confirmed else "campaign.stop_unconfirmed",
            campaign_id=campaign.id,
            name=campaign.name,
            status=campaign.status,
            rule=trip.rule,
            figures=trip.figures,
            cancelled_calls=stopped.cancelled,
        )
        await self.news.changed(campaign.id, f"guard {outcome} {now}")

    async def _show(
        self, campaign: Campaign, rule: str, figures: str, outcome: str, at: float
    ) -> None:
        await self.lease.tell(
            Stop(
                at=at,
                campaign_id=campaign.id,
                name=campaign.name,
                rule=rule,
                figures=figures,
                outcome=outcome,
            )
        )

    async def _resume_all(self) -> int:
        """Resume what is the guard's own to resume; without a sure lease, nothing."""
        if not self.lease.sure:
            return 0
        runtime, resumed = self.runtime, 0
        try:
            notes = notes_of(await runtime.store.guard.kept(runtime.account))
        except NotRecorded as error:
            log.warning("the guard cannot read what it paused: %s", error.message)
            return 0
        for campaign_id, note in notes.items():
            now = runtime.clocks.seconds()
            if note is None or note.state != PAUSED:
                continue
            if now - self._tried.get(campaign_id, float("-inf")) < RESUMING:
                continue
            self._tried[campaign_id] = now
            resumption = Resumption(campaign_id, note, self.rules, self._session())
            try:
                decision = await resumption.decide()
            except AtomsCampaignsError as error:
                log.warning("campaign %s stays paused for now: %s", campaign_id, error.message)
                continue
            resumed += await self._conclude(decision)
        return resumed

    async def _conclude(self, decision: Decision) -> bool:
        campaign = decision.campaign
        about = f"campaign {campaign.label} ({campaign.id})"
        if decision.verdict == "later":
            log.debug("%s stays paused: %s", about, decision.reason)
            return False
        try:
            await self.runtime.store.guard.drop(self.runtime.account, campaign.id)
        except NotRecorded as error:  # it is looked at once more, and is not paused any more
            log.warning("%s", error.message)
        if decision.verdict == "never":
            self.say(f"Leaves {about} alone: {decision.reason}. A person must resume it.")
            return False
        self.say(f"Resumed {about}, now {campaign.status}.")
        now = self.runtime.clocks.seconds()
        await self._show(campaign, "calling_hours", "its hours have begun", "resumed", now)
        self.webhook.add(
            "campaign.resumed",
            campaign_id=campaign.id,
            name=campaign.name,
            status=campaign.status,
            rule="calling_hours",
        )
        await self.news.changed(campaign.id, f"guard resumed {now}")
        return True

    def _session(self) -> Session:
        principal = Principal(
            self.runtime.tenant,
            self.runtime.settings.api_key,
            frozenset({Effect.READS, Effect.CHANGES, Effect.DIALS}),
        )
        return Session(self.runtime, principal, Nobody(), self.news)

    def _pause(self) -> float:
        return max(POLL / _haste(self.runtime), AGAIN)


def _haste(runtime: Runtime) -> float:
    """Return how many seconds pass in the API's world while one passes here."""
    settings = runtime.settings
    if settings.mode == "live" or settings.sandbox_speed == "max":
        return 1.0
    return max(settings.sandbox_speed, 1.0)


def rules_of(runtime: Runtime) -> Rules:
    """Return the rules that the operator set, with room for how fast time runs.

    Raises:
        ConfigurationError: There is none, or the guard may not pause anything.
    """
    settings = runtime.settings
    rules = Rules.of(settings, lead=min(LEAD * _haste(runtime), LONGEST_LEAD))
    if not rules.told():
        raise ConfigurationError(
            "The guard has no rule to keep.",
            next_step="Set ATOMS_MCP_CALLING_HOURS or one of the ATOMS_MCP_GUARD_ settings.",
        )
    return rules
