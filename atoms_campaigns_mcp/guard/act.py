"""Stopping a campaign: pause, cancel what is queued, look whether it holds. Safe to repeat."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

import anyio

from atoms_campaigns_mcp.atoms.changes import Change, Noted
from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.concurrency import Turns
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded
from atoms_campaigns_mcp.guard.notes import OVERLAP, PAUSED, Note
from atoms_campaigns_mcp.guard.rules import Rules, Trip, too_late
from atoms_campaigns_mcp.guard.watch import Sight
from atoms_campaigns_mcp.schemas.calls import Call
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, Campaign
from atoms_campaigns_mcp.state.guarding import stopped_at
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls.journaling import Recorder
from atoms_campaigns_mcp.tool_calls.session import Session
from atoms_campaigns_mcp.toolkit import campaign_states
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.hanging_up import Ending
from atoms_campaigns_mcp.toolkit.registry import load

T = TypeVar("T")
TOOL = "guard"  # the name in the journal
QUEUED = frozenset({"pending", "in_queue"})
AT_ONCE = 10  # pauses that wait for an answer, and campaigns whose calls are cancelled
TURN = 1.0  # seconds that a pause keeps its turn without an answer
NOTING = 1.0  # seconds that a stop waits for the state
EVERY = timedelta(seconds=0.2)  # that cancelling one call takes at least


@dataclass(slots=True)
class Stopped:
    """What became of a stop: whether the API confirms it, and why not.

    `own` says that the guard's own request paused the campaign, and nobody else's can have.
    """

    campaign: Campaign
    confirmed: bool = False
    own: bool = False
    cancelled: int = 0
    errors: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class _Witness:
    """Makes changes through `recorder`, and sees whether each was sent once and answered."""

    recorder: Recorder
    doubtful: bool = False

    async def __call__(self, change: Change[T]) -> T:
        """Make a change."""
        send, sent = change.send, list[Noted]()

        async def counted(noted: Noted) -> T:
            sent.append(noted)
            return await send(noted)

        change.send = counted
        try:
            return await self.recorder(change)
        finally:
            self.doubtful = self.doubtful or change.found or len(sent) != 1


@dataclass(slots=True)
class Stopper:
    """Stops campaigns by these rules, side by side: only so many requests are under way at once."""

    rules: Rules
    open_session: Callable[[], Session]
    pace: Pacer
    _pausing: Turns = field(default_factory=lambda: Turns(AT_ONCE, TURN))
    # Apart, so that no pause waits for calls that cannot be cancelled.
    _cancelling: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(AT_ONCE)
    )

    async def stop(self, sight: Sight, trips: Sequence[Trip]) -> Stopped:
        """Stop a campaign for these rules; what cannot be done now is for the next round."""
        session = self.open_session()
        witness = _Witness(_recorder(session, sight.campaign, trips[0]))
        ctx = session.context(witness, None, urgent=True)
        stopped = Stopped(sight.campaign)
        if sight.dials:
            noting = _Noting(session, sight, trips, session.runtime.clocks.seconds())
            await noting.keep("stopping", sight.campaign)
            await self._pausing.take(partial(_pause, stopped, witness, ctx))
            await _look(stopped, ctx)
            # At once, since calls may take minutes to cancel, and what is done meanwhile is news.
            await noting.conclude(stopped)
        else:
            stopped.confirmed = True
        async with self._cancelling:
            await self._cancel_queued(stopped, sight, trips, ctx)
        return stopped

    async def _cancel_queued(
        self, stopped: Stopped, sight: Sight, trips: Sequence[Trip], ctx: ToolContext
    ) -> None:
        """Cancel one by one what is queued and may not be dialled any more.

        Whoever is cancelled is not called again, so a campaign that can be paused is paused first.
        """

        def wrong(queued: Sequence[Call]) -> list[Call]:
            working = len(queued) * EVERY
            return [
                call
                for call in queued
                if _is_wrong(call, stopped, sight, trips, self.rules, working=working)
            ]

        ending = Ending(ctx, self.pace, QUEUED, wrong)
        told = await ending.of(sight.campaign.id)
        stopped.cancelled += told.ended
        stopped.errors += [error.message for error in told.errors]
        stopped.confirmed = stopped.confirmed and not told.errors


def _recorder(session: Session, campaign: Campaign, trip: Trip) -> Recorder:
    arguments = {"campaign_id": campaign.id, "rule": trip.rule, "figures": trip.figures}
    intent = Intent(
        tenant=session.runtime.tenant,
        tool=TOOL,
        arguments=json.dumps(arguments, sort_keys=True, ensure_ascii=False),
        confirmed="not needed",
        account=session.runtime.account,
        mode=session.runtime.settings.mode,
        campaign_id=campaign.id,
    )
    # An emergency stop: it goes ahead where the journal cannot be written.
    return Recorder(session.locks, load("pause_campaign"), intent)


async def _pause(stopped: Stopped, witness: _Witness, ctx: ToolContext) -> None:
    try:
        await ctx.atoms.pause_campaign(stopped.campaign.id)
        stopped.own = not witness.doubtful
    except AtomsCampaignsError as error:
        stopped.errors.append(error.message)


async def _look(stopped: Stopped, ctx: ToolContext) -> None:
    """Look whether it holds."""
    campaign = stopped.campaign
    seen = await campaign_states.settled(ctx, campaign.id, campaign.name, before=ACTIVE)
    if seen.status == campaign_states.UNREAD:
        stopped.errors.append("whether it is paused cannot be read")
        return
    stopped.campaign = seen
    stopped.confirmed = seen.status not in ACTIVE
    stopped.own = stopped.own and seen.status == "paused"
    if stopped.confirmed:
        stopped.errors.clear()


def _is_wrong(
    call: Call,
    stopped: Stopped,
    sight: Sight,
    trips: Sequence[Trip],
    rules: Rules,
    *,
    working: timedelta,
) -> bool:
    """Return whether a queued call must not be dialled, whatever becomes of its campaign."""
    facts = sight.facts
    if sight.dials:
        # Not paused, for what reason ever: the next round tries again, unless it is too late then.
        return stopped.confirmed or too_late(facts, rules, facts.max_retries, working=working)
    passing = all(trip.passes for trip in trips)
    return not passing or too_late(facts, rules, call.attempt, working=working)


@dataclass(frozen=True, slots=True)
class _Noting:
    """Keeps what a resumption must know of a stop that began at `at`, in seconds since 1970.

    What is noted as "stopping" is not resumed: whose pause it became is not known.
    """

    session: Session
    sight: Sight
    trips: Sequence[Trip]
    at: float

    async def conclude(self, stopped: Stopped) -> None:
        """Keep whether it is the guard's own pause; until that is confirmed, change nothing."""
        if not stopped.confirmed:
            return
        own = stopped.own and all(trip.passes for trip in self.trips)
        if own and await self._stopped_by_person() is not False:
            stopped.own = own = False
        await self.keep(PAUSED if own else "", stopped.campaign)

    async def keep(self, state: str, campaign: Campaign) -> None:
        """Note this campaign, before and after the pause; without a state, forget it."""
        runtime = self.session.runtime
        store = runtime.store.guard
        with anyio.move_on_after(NOTING), suppress(NotRecorded):
            if not state:
                await store.drop(runtime.account, campaign.id)
                return
            note = Note(
                state=state,
                at=self.at,
                rule=self.trips[-1].rule,
                agreed=self.sight.agreed,
                paused_at=campaign.paused_at or "",
                zones=tuple(sorted(self.sight.facts.zones or ())),
            )
            await store.keep(runtime.account, campaign.id, note.dump())
            return
        log.error(
            "the state does not say why campaign %s is paused: a person must resume it",
            campaign.id,
        )

    async def _stopped_by_person(self) -> bool | None:
        """Return whether a person stopped it at about that time; None if it cannot be read."""
        runtime, campaign_id = self.session.runtime, self.sight.campaign.id
        with anyio.move_on_after(NOTING), suppress(NotRecorded):
            kept = await runtime.store.guard.kept(runtime.account)
            return stopped_at(kept, campaign_id) >= self.at - OVERLAP
        return None
