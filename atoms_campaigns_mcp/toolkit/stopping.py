"""Stopping what dials: each pause leaves the moment its campaign is found.

Only when all have left is looked what became of them.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.abc import TaskGroup

from atoms_campaigns_mcp.concurrency import Turns, attempt
from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    NotFound,
    NotRecorded,
    OutcomeUnknown,
    Rejected,
    Unavailable,
    WrongState,
)
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, STARTABLE, TERMINAL, Campaign
from atoms_campaigns_mcp.schemas.fields import NAME_MAX
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.state.guarding import EVERYTHING
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.waves.names import is_of

PAGE = 100  # campaigns a request
JOURNAL = 1.0  # seconds that a stop waits to learn what was begun here
SEARCHING = 5.0  # seconds in which the campaigns of a name are looked for
AT_ONCE = 10  # pauses under way at once; they queue for no turn
TURN = 1.0  # seconds that a pause without an answer keeps the next one waiting
HEARING = 2.0  # seconds in which guards should have been told, before it goes on
AGAIN = (0.0, 1.0, 2.0, 4.0, 8.0)  # seconds before a list that moves is read again
MOVED = "The list of campaigns changed again and again while its pages were read."

Stopped = Mapping[str, tuple[Campaign, bool]]
"""By id, each as far as it is known, and whether a pause was accepted, whose effect is to come."""


@dataclass(slots=True)
class Stops:
    """What dialled, what of it was stopped, and what may dial for all that is known.

    `listed` is what the API said to dial, or what the person named; what is stopped or failed
    besides was begun here, and did not show it yet. `unlisted` says what kept the rest from being
    listed, `begun_unread` that nobody knows what was begun here, `in_doubt` that something may be
    scheduled whose creation was lost. `of_name` holds all campaigns of the name that was given.
    """

    listed: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    stopped: dict[str, tuple[Campaign, bool]] = field(
        default_factory=dict[str, tuple[Campaign, bool]]
    )
    failed: dict[str, AtomsCampaignsError] = field(default_factory=dict[str, AtomsCampaignsError])
    unlisted: list[AtomsCampaignsError] = field(default_factory=list[AtomsCampaignsError])
    begun_unread: bool = False
    in_doubt: bool = False
    of_name: dict[str, Campaign] = field(default_factory=dict[str, Campaign])

    @property
    def accepted(self) -> list[str]:
        """The ids of those of which a pause was accepted."""
        return [one for one, (_, accepted) in self.stopped.items() if accepted]

    @property
    def still_dialling(self) -> list[AtomsCampaignsError]:
        """What kept those from being paused that were listed."""
        return [error for one, error in self.failed.items() if one in self.listed]

    @property
    def may_begin(self) -> list[AtomsCampaignsError]:
        """What kept those from being paused that were begun here, unless they cannot begin."""
        return [
            error
            for one, error in self.failed.items()
            if one not in self.listed and not is_harmless(error)
        ]


def is_harmless(error: AtomsCampaignsError) -> bool:
    """Return whether that a campaign cannot be paused says that it does not dial either."""
    known = isinstance(error, NotFound | WrongState)
    return known and not isinstance(error, campaign_states.NotYet)


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody wants to stand still, which no guard may resume.

    Guards are told while the first pauses leave, since one may be about to resume something, and
    once more at the end.
    """

    ctx: ToolContext
    subjects: dict[str, None] = field(default_factory=dict[str, None])

    async def hold(self, subjects: Sequence[str]) -> None:
        """Tell guards of these, campaigns or `EVERYTHING`, and remember them for the end."""
        self.subjects.update(dict.fromkeys(subjects))
        await self.ctx.memory.stopped(subjects)

    async def again(self) -> bool:
        """Tell them again, also of what could not be paused; false if they may not know."""
        return await self.ctx.memory.stopped([*self.subjects])


@dataclass(frozen=True, slots=True)
class _Sweep:
    """Finds what is to be stopped in several places side by side, and pauses each once."""

    ctx: ToolContext
    tasks: TaskGroup
    holding: Holding
    stops: Stops
    hang_up: bool
    name: str | None = None
    taken: set[str] = field(default_factory=set[str])
    turns: Turns = field(default_factory=lambda: Turns(AT_ONCE, TURN))
    held: anyio.Event = field(default_factory=anyio.Event)

    def pause(self, campaigns: Iterable[Campaign], *, listed: bool = True) -> None:
        """Pause those that have not been found before; it does not wait."""
        for campaign in campaigns:
            if listed:
                self.stops.listed.setdefault(campaign.id, campaign)
            if campaign.id not in self.taken:
                self.taken.add(campaign.id)
                self.tasks.start_soon(self.turns.take, partial(self._pause, campaign))

    async def _pause(self, campaign: Campaign) -> None:
        # One that cannot be paused, or is slow to show it, keeps no other dialling.
        try:
            stopped = await _stop(campaign, self.ctx, hang_up=self.hang_up)
            self.stops.stopped[campaign.id] = stopped
        except AtomsCampaignsError as error:
            self.stops.failed[campaign.id] = error
        except Exception:  # noqa: BLE001 - nor does a fault of ours
            log.exception("a pause ended unexpectedly")
            self.stops.failed[campaign.id] = OutcomeUnknown("A fault of this server: see its log.")

    async def pause_what_runs(self) -> None:
        """Pause what runs; what is set up meanwhile is another's to find."""
        await listed(self.ctx, "running", take=self._take)

    async def pause_what_is_set_up(self) -> None:
        """Pause what is being set up, and then what began to run after the other list was read."""
        _, first = await listed(self.ctx, "processing", take=self._take)
        if self.name is None:
            # A guard that had not heard of the stop may have resumed something as it began.
            with anyio.move_on_after(HEARING):
                await self.held.wait()
            await self.pause_what_was_begun()
        self.ctx.atoms.anew()  # nor may it be a list that was asked for before
        _, second = await listed(self.ctx, "running", take=self._take)
        self.stops.unlisted += [error for error in (first, second) if error]

    def _take(self, rows: Sequence[Campaign]) -> None:
        found = rows if self.name is None else of_name(rows, self.name)
        self.pause(found)
        if self.name is not None:
            self.holding.subjects.update((row.id, None) for row in found)

    async def pause_what_was_begun(self) -> None:
        """Pause what was begun here and does not show it yet."""
        begun = await self._begun()
        self.pause((_unread(one) for one in begun or () if one), listed=False)

    async def _begun(self) -> list[str] | None:
        begun = await begun_here(self.ctx)
        self.stops.begun_unread = begun is None
        self.stops.in_doubt = "" in (begun or ())
        return begun

    async def hold(self, subjects: Sequence[str]) -> None:
        """Tell guards."""
        try:
            await self.holding.hold(subjects)
        finally:
            self.held.set()

    async def find_by_name(self) -> None:
        """Find all of that name: what dials or was begun is paused, the rest must stand still."""
        error: AtomsCampaignsError | None = Unavailable(
            "The campaigns of that name could not all be read in time."
        )
        with anyio.move_on_after(SEARCHING):
            _, error = await listed(self.ctx, search=self.name, take=self._take_named)
        self.stops.unlisted += [error] if error else []
        held = [one for one, row in self.stops.of_name.items() if row.status not in TERMINAL]
        if held:
            await self.hold(held)
        startable = [row for row in self.stops.of_name.values() if row.status in STARTABLE]
        if not startable:
            return
        begun = await self._begun()
        self.pause(
            (row for row in startable if begun is None or row.id in begun),
            listed=False,
        )

    def _take_named(self, rows: Sequence[Campaign]) -> None:
        named = of_name(rows, self.name or "")
        self.stops.of_name.update((row.id, row) for row in named)
        self.pause(row for row in named if campaign_states.is_active(row))


async def stop_each(campaigns: Sequence[Campaign], holding: Holding, *, hang_up: bool) -> Stops:
    """Pause these, whatever they are."""
    stops = Stops()
    async with anyio.create_task_group() as tasks:
        sweep = _Sweep(holding.ctx, tasks, holding, stops, hang_up)
        sweep.pause(campaigns)
        tasks.start_soon(sweep.hold, [campaign.id for campaign in campaigns])
    return stops


async def stop_everything(holding: Holding, *, hang_up: bool) -> Stops:
    """Pause what dials, and what was begun here and does not show it yet."""
    stops = Stops()
    async with anyio.create_task_group() as tasks:
        sweep = _Sweep(holding.ctx, tasks, holding, stops, hang_up)
        tasks.start_soon(sweep.pause_what_is_set_up)
        tasks.start_soon(sweep.pause_what_runs)
        tasks.start_soon(sweep.pause_what_was_begun)
        tasks.start_soon(sweep.hold, [EVERYTHING])
    return stops


async def stop_named(name: str, holding: Holding, *, hang_up: bool) -> Stops:
    """Pause what dials or was begun under that name, and let the rest of that name stand still."""
    stops = Stops()
    async with anyio.create_task_group() as tasks:
        sweep = _Sweep(holding.ctx, tasks, holding, stops, hang_up, name)
        tasks.start_soon(sweep.pause_what_is_set_up)
        tasks.start_soon(sweep.pause_what_runs)
        if len(name) <= NAME_MAX:
            tasks.start_soon(sweep.find_by_name)
    return stops


async def settled(stopped: Stopped, ctx: ToolContext) -> dict[str, Campaign]:
    """Look what has become of pauses that were accepted; give every campaign as it is now."""
    looks = {
        one: partial(campaign_states.settled, ctx, one, campaign.name, before=ACTIVE)
        for one, (campaign, accepted) in stopped.items()
        if accepted
    }
    seen, _ = await attempt(looks, at_once=AT_ONCE)
    return {one: seen.get(one, campaign) for one, (campaign, _) in stopped.items()}


async def begun_here(ctx: ToolContext) -> list[str] | None:
    """Return what was begun here and is not seen, "" if it has no id; None if it is unreadable."""
    try:
        with anyio.move_on_after(JOURNAL):
            return await ctx.memory.begun()
    except NotRecorded:
        pass
    except Exception:  # noqa: BLE001 - whatever is wrong with the journal, a stop goes on
        log.exception("what was begun here cannot be read")
    return None


async def beginning(ctx: ToolContext) -> tuple[list[Campaign] | None, bool]:
    """Return what was begun here and does not show it yet, or None, and what `in_doubt` says."""
    begun = await begun_here(ctx)
    reads = {one: partial(ctx.atoms.get_campaign, one) for one in begun or () if one}
    found, errors = await attempt(reads)
    in_doubt = "" in (begun or ())
    if begun is None or not all(isinstance(error, NotFound) for error in errors.values()):
        return None, in_doubt
    return [one.campaign for one in found.values() if one.campaign.status in STARTABLE], in_doubt


async def dialling(ctx: ToolContext) -> tuple[list[Campaign], list[AtomsCampaignsError]]:
    """Return what dials, and what kept the rest from being listed."""
    # In this order, so that one which begins to run meanwhile is in the second list.
    lists = [await listed(ctx, status) for status in sorted(ACTIVE)]
    found = list({campaign.id: campaign for rows, _ in lists for campaign in rows}.values())
    return found, [error for _, error in lists if error]


async def listed(
    ctx: ToolContext,
    status: str | None = None,
    *,
    search: str | None = None,
    take: Callable[[Sequence[Campaign]], None] = lambda _: None,
) -> tuple[list[Campaign], AtomsCampaignsError | None]:
    """Return the campaigns in that state, or with such a name, and what kept any from being read.

    `take` is given each page as it comes. What leaves its state meanwhile leaves the list too, and
    the rest moves up, past the next page. So a list of several pages is read until two readings in
    turn name the same: then nothing left it while the first was under way.
    """
    found, before = dict[str, Campaign](), set[str]()
    try:
        for pause in AGAIN:
            if before:
                await ctx.sleep(pause)
                ctx.atoms.anew()
            pages, named = 0, set[str]()
            async for rows in _pages(ctx, status, search):
                take(rows)
                found.update((row.id, row) for row in rows)
                pages, named = pages + 1, named | {row.id for row in rows}
            if not status or pages == 1 or named == before:
                return [*found.values()], None
            before = named
    except AtomsCampaignsError as error:
        return [*found.values()], error
    except Exception:  # noqa: BLE001 - what the other lists name is paused all the same
        log.exception("a list of campaigns could not be read")
        return [*found.values()], Unavailable("A fault of this server: see its log.")
    return [*found.values()], Unavailable(MOVED)


async def _pages(
    ctx: ToolContext, status: str | None, search: str | None
) -> AsyncGenerator[list[Campaign]]:
    page, more = 0, True
    while more:
        page += 1
        if page > 1:
            ctx.atoms.anew()  # the next page of a list is no older than the one before
        rows, page_of = await ctx.atoms.list_campaigns(
            status=status, search=search, limit=PAGE, page=page
        )
        yield rows
        more = page_of.has_more and bool(rows)


def of_name(rows: Iterable[Campaign], name: str) -> list[Campaign]:
    """Choose those of that name, and the waves of it."""
    return [campaign for campaign in rows if is_of(campaign.name, clean(name))]


def _unread(campaign_id: str) -> Campaign:
    return Campaign(id=campaign_id, status=campaign_states.UNREAD)


async def _stop(campaign: Campaign, ctx: ToolContext, *, hang_up: bool) -> tuple[Campaign, bool]:
    """Pause it, and read it only if that is refused: whoever stops it must not depend on it."""
    name, unread = campaign.name, campaign_states.UNREAD
    try:
        await _pause(campaign.id, ctx)
    except Rejected as refused:
        try:
            campaign = (await ctx.atoms.anew().get_campaign(campaign.id)).campaign
        except AtomsCampaignsError:
            raise refused from None
        if campaign.status in STARTABLE and await _stopped_although_begun(campaign, ctx):
            return campaign, True
        # The API may call a campaign completed whose last calls still ring.
        if campaign.status == "paused" or (hang_up and campaign.status in TERMINAL):
            return campaign, False
        if not campaign_states.is_active(campaign):
            raise campaign_states.cannot_pause(campaign) from None
        await _pause(campaign.id, ctx)  # it has begun to run in this moment
    return Campaign(id=campaign.id, name=name, status=unread), True


async def _pause(campaign_id: str, ctx: ToolContext) -> None:
    async def may_begin() -> bool:
        begun = await begun_here(ctx)
        return begun is None or campaign_id in begun

    try:
        await ctx.atoms.pause_campaign(campaign_id, may_begin=may_begin)
    except OutcomeUnknown as lost:
        step = "Call pause_campaign again at once, until it shows as paused."
        raise OutcomeUnknown(lost.message, next_step=step) from None


async def _stopped_although_begun(campaign: Campaign, ctx: ToolContext) -> bool:
    """Ask again until a start that the API has accepted shows, and can be paused.

    Raises:
        NotYet: It was started here, and does not show it.
    """
    begun = await begun_here(ctx)
    if begun is not None and campaign.id not in begun:
        return False
    for pause in campaign_states.LOOKS:
        await ctx.sleep(pause)
        try:
            await _pause(campaign.id, ctx)
        except Rejected:
            continue
        return True
    if begun is None:
        return False
    raise campaign_states.cannot_pause_yet(campaign)
