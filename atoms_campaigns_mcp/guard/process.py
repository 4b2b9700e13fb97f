"""The guard at work: round after round it looks at what dials, and stops what a rule forbids."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import anyio
from anyio.abc import TaskGroup

from atoms_campaigns_mcp.config.identity import Principal
from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.errors import AtomsCampaignsError, ConfigurationError, NotRecorded
from atoms_campaigns_mcp.guard.act import Stopped, Stopper
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
from atoms_campaigns_mcp.toolkit.hanging_up import new_pace

POLL = 5.0  # seconds between two rounds
AGAIN = 1.0  # seconds until the next round while a stop is not confirmed
RESUMING = 60.0  # seconds between two tries to resume a campaign
QUEUE = 2.0  # seconds that requests of the guard, and so those of others, may queue
REPEATING = 60.0  # seconds after which a stop that is still not confirmed is told again
LONGEST_LEAD = timedelta(minutes=30)  # in a sandbox whose time runs faster
Say = Callable[[str], None]


@dataclass(slots=True)
class Round:
    """What one round has seen and done so far; `standby` if another guard has the lease.

    What could not be read are campaigns and lists of them.
    """

    seen: int = 0
    stopped: int = 0
    unconfirmed: int = 0
    unread: int = 0
    resumed: int = 0
    standby: bool = False
    looked_at: set[str] = field(default_factory=set[str])


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
    _stopper: Stopper = field(init=False)
    _tried: dict[str, float] = field(default_factory=dict[str, float])
    _told: dict[tuple[str, str], tuple[float, float]] = field(
        default_factory=dict[tuple[str, str], tuple[float, float]]
    )
    _under_way: set[str] = field(default_factory=set[str])
    _waits: bool = False

    def __post_init__(self) -> None:
        """Begin without a lease."""
        self.lease = Lease(self.runtime, self.rules.told(), self.resumes)
        at_once = int(QUEUE * self.runtime.settings.rate)
        self._watcher = Watcher(self._session().reading(), self.rules, at_once)
        clocks = self.runtime.clocks
        pace = new_pace(clocks.monotonic, clocks.sleep)
        self._stopper = Stopper(self.rules, self._session, pace)

    async def run(self) -> None:
        """Keep watch until cancelled; whatever goes wrong in a round, the next one comes.

        It does not wait for what the last one began: a campaign that is slow to read, to stop or
        to resume keeps no other dialling.
        """
        async with anyio.create_task_group() as tasks:
            while True:
                done = Round()
                await self._look(done, tasks)
                self._begin(tasks, done, "tell the webhook", self.webhook.deliver)
                await self._rest(done)

    async def round(self) -> Round:
        """Look at everything once, and stop and resume what there is, to the end."""
        done = Round()
        async with self.lease.kept():
            async with anyio.create_task_group() as tasks:
                await self._look(done, tasks)
            await self.webhook.deliver()
        return done

    async def _look(self, done: Round, tasks: TaskGroup) -> None:
        """Begin to look at everything, each for itself, and to resume what may go on."""
        try:
            holds = self.dry or await self.lease.hold()
        except Exception as error:  # noqa: BLE001 - a guard that ends keeps nothing
            done.unread += 1
            _report("look", error)
            return
        if not holds:
            self._wait(done)
            return
        self._waits = False
        known = self._watcher.known
        self._told = {key: told for key, told in self._told.items() if key[0] in known}
        self._watch(done, tasks)
        for what, search in self._watcher.searches.items():
            self._begin(tasks, done, f"list {what}", partial(self._find, done, tasks, search))
        if self.resumes and not self.dry:
            self._begin(tasks, done, "resume", partial(self._resume_all, done))

    async def _find(
        self, done: Round, tasks: TaskGroup, search: Callable[[], Awaitable[bool]]
    ) -> None:
        """Look at what a search has found."""
        found = await search()
        done.unread += not found
        self._watch(done, tasks)

    def _watch(self, done: Round, tasks: TaskGroup) -> None:
        """Begin to look at what is known, and was not looked at in this round."""
        for campaign_id in self._watcher.known:
            if campaign_id not in done.looked_at:
                done.looked_at.add(campaign_id)
                judge = partial(self._judge, done, campaign_id)
                self._begin(tasks, done, f"watch campaign {campaign_id}", judge)

    async def _judge(self, done: Round, campaign_id: str) -> None:
        """Look at a campaign, and stop it if it runs into a rule."""
        sight = await self._watcher.look(campaign_id)
        if sight is None:
            return
        done.seen += 1
        done.unread += sight.facts.unread_since is not None
        if found := trips(sight.facts, self.rules):
            await self._stop(done, sight, found)

    def _wait(self, done: Round) -> None:
        if not self._waits:
            self.say("Another guard has the lease; this one waits for it.")
        self._waits = done.standby = True

    def _begin(
        self, tasks: TaskGroup, done: Round, what: str, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin something beside the round, unless the same is still under way."""

        async def carried_out() -> None:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - what goes wrong here is tried again
                done.unconfirmed += 1
                _report(what, error)
            finally:
                self._under_way.discard(what)

        if what not in self._under_way:
            self._under_way.add(what)
            tasks.start_soon(carried_out)

    async def _rest(self, done: Round) -> None:
        """Wait for the next round, which comes soon once a stop of this one is not confirmed."""
        left = max(POLL / _haste(self.runtime), AGAIN)
        while left > 0:
            await self.runtime.clocks.sleep(min(left, AGAIN))
            left = 0 if done.unconfirmed else left - AGAIN

    async def _stop(self, done: Round, sight: Sight, found: tuple[Trip, ...]) -> None:
        """Stop a campaign, and count whether the API confirms it."""
        done.stopped += 1
        about = f"campaign {sight.campaign.label} ({sight.campaign.id})"
        why = "; ".join(f"{trip.rule}: {trip.figures}" for trip in found)
        if self.dry:
            self._pretend(sight, found, f"Would stop {about}: {why}.")
            return
        stopped = await self._stopper.stop(sight, found)
        done.unconfirmed += not stopped.confirmed
        if stopped.confirmed and not sight.dials and not stopped.cancelled:
            return  # it is paused or over, and nothing of it is queued
        await self._tell(stopped, found[0], about, why)

    def _pretend(self, sight: Sight, found: tuple[Trip, ...], text: str) -> None:
        """Say once what would be done."""
        key = sight.campaign.id, found[0].rule
        if key not in self._told:
            self.say(text)
        self._told[key] = 0.0, 0.0

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

    async def _resume_all(self, done: Round) -> None:
        """Resume what is the guard's own to resume; without a sure lease, nothing."""
        runtime = self.runtime
        try:
            notes = notes_of(await runtime.store.guard.kept(runtime.account))
        except NotRecorded as error:
            log.warning("the guard cannot read what it paused: %s", error.message)
            return
        self._tried = {one: at for one, at in self._tried.items() if one in notes}
        for campaign_id, note in notes.items():
            now = runtime.clocks.seconds()
            if note is None or note.state != PAUSED:
                continue
            if now - self._tried.get(campaign_id, float("-inf")) < RESUMING:
                continue
            if not self.lease.sure:
                return
            self._tried[campaign_id] = now
            resumption = Resumption(
                campaign_id, note, self.rules, self._session(), lambda: self.lease.sure
            )
            try:
                decision = await resumption.decide()
            except AtomsCampaignsError as error:
                log.warning("campaign %s stays paused for now: %s", campaign_id, error.message)
                continue
            resumed = await self._conclude(decision)
            done.resumed += resumed

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


def _report(what: str, error: Exception) -> None:
    if isinstance(error, AtomsCampaignsError):
        log.error("the guard could not %s: %s", what, error.message)
    else:
        log.error("a fault of the guard: it could not %s", what, exc_info=error)


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
