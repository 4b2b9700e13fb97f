"""One evening and the next morning of guards that are killed, an API that fails, and a person."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Literal

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.guard.yard import Killed, Mortal, Yard, begin, numbers, yard

Completion = Literal["settled", "dispatched"]
# Three requests of ten fail, in every way that there is.
FAULTS = (
    Fault(kind="error_500", rate=0.06),
    Fault(kind="error_500", rate=0.05, work_done=True),
    Fault(kind="html_error", rate=0.05),
    Fault(kind="reset", rate=0.06),
    Fault(kind="lost_answer", rate=0.06),
    Fault(kind="rate_limit", rate=0.05),
)
OPENS, CLOSES = 9 * 60, 18 * 60 + 30  # in Kolkata: 13:00 of UTC
KOLKATA = timedelta(hours=5, minutes=30)
NIGHT = timedelta(hours=18)
REQUESTS = (5, 400)  # that a guard lives for
DOWN = (0, 60)  # seconds until it is started again


@dataclass
class Chaos:
    """What came out of it: whom a person paused, and what was dialled outside the hours."""

    late: list[tuple[datetime, str]]
    dials: int
    before: int
    kills: int
    paused_by_person: bool
    morning: int
    status: str


async def chaos(folder: Path, seed: int, completion: Completion, *, guards: bool = True) -> Chaos:
    """Let it happen; without `guards`, nobody watches."""
    random = Random(seed)  # noqa: S311 - to be repeated
    with yard(folder, Options(speed=1, completion=completion, org_limit=3, seed=seed)) as place:
        place.configure(calling_hours=(OPENS, CLOSES))
        closes = place.clock.now().replace(hour=13)
        retries, delay = random.choice(((0, 1), (1, 1), (2, 2)))
        # The guard stops it so long before the end; it begins a while before that.
        early = 3 + retries * (delay + 3)
        place.clock.moment = closes - timedelta(minutes=early, seconds=random.randint(60, 400))
        async with place.bench.client() as client:
            campaign = await begin(
                client,
                numbers(random.choice((20, 150)), "+91981"),
                max_retries=retries,
                retry_delay=delay,
            )
        person = None
        if random.random() < 0.5:
            around = closes - timedelta(minutes=early, seconds=random.randint(-300, 300))
            person = _Person(campaign, around, by_tool=random.random() < 0.5)
        if not guards:
            place.clock.moment = closes + timedelta(hours=1)
            await place.status(campaign)
            return _told(place, campaign_status="", before=0, kills=0, won=False)
        place.bench.world.inject(*FAULTS)
        kills = await _evening(place, random, closes, person)
        before = len(place.dials())
        place.bench.world.inject()
        async with place.guard(resumes=True) as guard:
            await place.watch(guard, closes + NIGHT, every=1200)
        won = person is not None and person.won
        status = await place.status(campaign)
        return _told(place, campaign_status=status, before=before, kills=kills, won=won)


def _told(place: Yard, *, campaign_status: str, before: int, kills: int, won: bool) -> Chaos:
    dials = place.dials()
    return Chaos(
        late=[(at, number) for at, number in dials if not _within(at)],
        dials=len(dials),
        before=before,
        kills=kills,
        paused_by_person=won,
        morning=len(dials) - before,
        status=campaign_status,
    )


def _within(at: datetime) -> bool:
    local = at + KOLKATA
    return OPENS <= local.hour * 60 + local.minute < CLOSES


@dataclass
class _Person:
    """Pauses the campaign once, some time before it closes, in the dashboard or by our tool."""

    campaign: str
    at: datetime
    by_tool: bool
    done: bool = False
    won: bool = False

    async def meddle(self, place: Yard) -> None:
        if self.done or place.clock.now() < self.at:
            return
        if self.by_tool:
            async with place.bench.client() as client:
                await client.raw("pause_campaign", campaign_id=self.campaign)
            self.won = True
        else:
            self.won = await place.dashboard(f"/campaign/{self.campaign}/pause")
        self.done = True


async def _until_killed(
    place: Yard, process: Mortal, closes: datetime, end: datetime, person: _Person | None
) -> None:
    async with place.guard(process, resumes=True) as guard:
        while place.clock.now() < end:
            if person:
                await person.meddle(place)
            with suppress(AtomsCampaignsError):
                await guard.round()
            place.clock.advance(seconds=5 if place.clock.now() < closes else 60)


async def _evening(place: Yard, random: Random, closes: datetime, person: _Person | None) -> int:
    """Run guards that are killed until an hour after the end; give how often."""
    kills, end = 0, closes + timedelta(minutes=30)
    while place.clock.now() < end:
        process = Mortal(place.bench.wire, random.randint(*REQUESTS))
        try:
            await _until_killed(place, process, closes, end, person)
        except* Killed:
            pass
        kills += process.dead
        place.clock.advance(seconds=random.randint(*DOWN))
        await anyio.lowlevel.checkpoint()
    return kills
