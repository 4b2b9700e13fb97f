"""Planning waves: what is read and judged before anybody is asked about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.contacts.table import Contacts
from atoms_campaigns_mcp.contacts.zone_names import zones_in
from atoms_campaigns_mcp.errors import InvalidArguments, WrongState
from atoms_campaigns_mcp.guardrails.estimate import estimate
from atoms_campaigns_mcp.guardrails.facts import Facts
from atoms_campaigns_mcp.guardrails.findings import Finding
from atoms_campaigns_mcp.guardrails.plan import Plan, Proposal, fingerprint
from atoms_campaigns_mcp.guardrails.waves import checks as wave_checks
from atoms_campaigns_mcp.guardrails.waves.sizes import MOST_WAVES, split
from atoms_campaigns_mcp.guardrails.windows import EVERY_DAY, Window
from atoms_campaigns_mcp.schemas.arguments import ScheduleWavesArgs
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign, moment
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.schemas.text import counted
from atoms_campaigns_mcp.toolkit.audiences.contact_sources import of_members
from atoms_campaigns_mcp.toolkit.audiences.lock import DIALS, in_status, on
from atoms_campaigns_mcp.toolkit.audiences.members import Contact, members_of
from atoms_campaigns_mcp.toolkit.call_history import length_of
from atoms_campaigns_mcp.toolkit.campaign_creation import named
from atoms_campaigns_mcp.toolkit.context import Earlier, ToolContext
from atoms_campaigns_mcp.toolkit.create_once import key_of
from atoms_campaigns_mcp.toolkit.start_facts import Start, read_facts
from atoms_campaigns_mcp.toolkit.waves.jobs import Job, PlannedWave, fingerprint as in_order
from atoms_campaigns_mcp.toolkit.waves.names import is_wave_of

DAYS = 31  # after the first: beyond, nobody expects the calls any more
FARTHEST = 366  # days, as for one scheduled campaign
LEAD = timedelta(minutes=10)  # between the question and the first wave
SOON = timedelta(minutes=1)  # before which an agreed wave must still be made
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PAGE = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """Waves to make: `plan` is what was agreed to, `contacts` the list that places refer to.

    `earlier` are calls for the same that were cut off, `begun` that of them which is gone on with,
    if any; `made` are its campaigns by name, and `late` its waves that can be made no more.
    """

    key: str
    job: Job
    plan: Plan
    contacts: Contacts
    begun: Earlier | None
    earlier: Sequence[Earlier]
    made: Mapping[str, Campaign]
    late: Sequence[PlannedWave]

    @property
    def waiting(self) -> list[PlannedWave]:
        """The waves that are still to be scheduled."""
        late = {wave.name for wave in self.late}
        return [w for w in self.job.waves if w.name not in self.made and w.name not in late]


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the account for waves."""

    plan: Plan
    contacts: Contacts
    facts: Facts
    places: Sequence[int]
    numbers: Sequence[str]
    there: Sequence[Campaign]


async def prepare(args: ScheduleWavesArgs, ctx: ToolContext) -> tuple[Prepared, Facts, Window]:
    """Read the account and plan waves, or take up those that an earlier equal call began.

    Raises:
        InvalidArguments: The window is empty or too far away, or nobody can be called in it.
        WrongState: The audience is in use, or waves of that name are there already.
    """
    window = window_of(args, ctx)
    read = await _read(args, ctx)
    plan = read.plan
    key = key_of(
        "waves",
        [args.name, plan.agent_id, plan.audience_id, sorted(plan.phone_ids)],
        [args.date, window.hours.start, window.hours.end, sorted(window.weekdays)],
        [args.max_retries, args.retry_delay],
    )
    earlier = await ctx.memory.unresolved(key)
    soon = ctx.now() + SOON
    begun, job = _taken_up(earlier, read, soon)
    own = _of(job, read.there) if job else []
    ids = {row.id for row in own}
    _refuse_others([row for row in read.there if row.id not in ids], args.name)
    if job is None:
        job = await _planned(args, window, read, ctx)
    made = {row.name: row for row in own}
    late = _late(job, own, soon)
    prepared = Prepared(key, job, plan, read.contacts, begun, earlier, made, late)
    return _with_rows(prepared), read.facts, window


def proposal(prepared: Prepared, facts: Facts, window: Window, ctx: ToolContext) -> Proposal:
    """Judge waves as their starts would be."""
    left = dict(prepared.job.reasons)
    if late := sum(len(wave.members) for wave in prepared.late):
        left["too_late"] = late
    made = len(prepared.made)
    dialling = sum(row.status in DIALS for row in prepared.made.values())
    others = None if facts.running is None else max(facts.running - dialling, 0)
    timed = [wave_checks.Timed(w.zones, w.start, w.latest_end) for w in prepared.job.waves]
    policy = ctx.operator.policy
    findings = wave_checks.judge(replace(facts, running=others), policy, window.hours, timed, left)
    if made:
        reason = (
            f"{made} of {len(prepared.job.waves)} waves were scheduled by an earlier equal call"
        )
        step = "Only the others are made."
        findings = (*findings, Finding("warn", "begun", reason, step))
    return Proposal(prepared.plan, findings, basis=prepared)


def window_of(args: ScheduleWavesArgs, ctx: ToolContext) -> Window:
    """Read the days and hours.

    Raises:
        InvalidArguments: They are no days, or no hours of one day.
    """
    policy = ctx.operator.policy.hours
    start = _minutes(args.local_start) if args.local_start else policy.start
    end = _minutes(args.local_end) if args.local_end else policy.end
    if end <= start:
        raise InvalidArguments(
            "local_end: must be later on the same day than local_start; waves do not go on past "
            "midnight. Nothing was sent.",
            next_step="Ask the user for hours of one day, such as 10:00 and 18:00.",
        )
    weekdays = frozenset(map(WEEKDAYS.index, args.weekdays)) if args.weekdays else EVERY_DAY
    return Window(_first(args, ctx), DAYS, replace(policy, start=start, end=end), weekdays)


def _first(args: ScheduleWavesArgs, ctx: ToolContext) -> date:
    now = ctx.now().astimezone(UTC)
    earliest = (now - timedelta(hours=12)).date()  # where it is still the day before
    first = date.fromisoformat(args.date)
    if not earliest <= first <= earliest + timedelta(days=FARTHEST):
        raise InvalidArguments(
            f"date: must be a day that is not over, within {FARTHEST} days; it is now "
            f"{now:%Y-%m-%dT%H:%M}Z. Nothing was sent.",
            next_step="Ask the user which day they want.",
        )
    return first


def _minutes(clock: str) -> int:
    hours, minutes = map(int, clock.split(":"))
    return hours * 60 + minutes


async def _read(args: ScheduleWavesArgs, ctx: ToolContext) -> _Read:
    plan, audience = await named(args, "waves", ctx)
    members = await members_of(ctx.atoms, audience)
    contacts = await ctx.shared.work(of_members, members, audience)
    begin = Start(
        agent_id=plan.agent_id,
        audience=audience,
        contacts=[
            Contact(row[0], zones_in(member.data))
            for row, member in zip(contacts.rows, members, strict=True)
        ],
        phone_ids=plan.phone_ids,
        at=ctx.now(),
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
    )
    facts = await read_facts(begin, ctx)
    # One that is paused calls them too, once somebody resumes it.
    paused, _ = await in_status(ctx.atoms, "paused")
    _refuse_in_use(facts, audience, on(audience.id, paused))
    first = {contact.number: place for place, contact in reversed([*enumerate(facts.contacts)])}
    first.pop("", None)
    there = await _named_so(args.name, ctx)
    return _Read(plan, contacts, facts, sorted(first.values()), contacts.numbers(), there)


async def _named_so(common: str, ctx: ToolContext) -> list[Campaign]:
    """Return the campaigns that are waves of that name, those that are over too."""
    found: list[Campaign] = []
    page, more = 0, True
    while more:
        page += 1
        rows, listed = await ctx.atoms.list_campaigns(search=common, limit=PAGE, page=page)
        found += [row for row in rows if is_wave_of(row.name, common)]
        more = listed.has_more and bool(rows)
    return found


def _refuse_in_use(facts: Facts, audience: Audience, paused: Sequence[Campaign]) -> None:
    for rival in (*(facts.rivals or ()), *paused):
        raise WrongState(
            f"audience_id: audience {audience.label} is in use: a campaign "
            f"({word(rival.id)}, {word(rival.status)}) calls the same people. Nothing was made.",
            next_step="Ask the user: pause_campaign and delete_campaign remove that campaign, or "
            "create_audience with exclude_campaign_ids makes an audience of the others.",
        )
    if facts.rivals is None:
        raise WrongState(
            "audience_id: whether a campaign calls this audience already could not be read. "
            "Nothing was made.",
            next_step="Try again in a minute.",
        )


def _refuse_others(rows: Sequence[Campaign], common: str) -> None:
    # Those that are over too: the results of a name would be those of both.
    for row in rows[:1]:
        raise WrongState(
            f"name: {counted(len(rows), 'campaign')} of this name there already, such as "
            f"{row.label} ({word(row.id)}, {word(row.status)}). Nothing was made.",
            next_step="Go on with those. Only if the user wants other waves, ask for another name; "
            f'delete_campaign with "{common} *" removes those that are scheduled.',
        )


def _of(job: Job, rows: Sequence[Campaign]) -> list[Campaign]:
    """Choose the campaigns that are waves of a job: by their start too, for names come again."""
    starts = {wave.name: wave.start for wave in job.waves}
    return [r for r in rows if r.name in starts and moment(r.scheduled_at) == starts[r.name]]


def _late(job: Job, made: Sequence[Campaign], soon: datetime) -> list[PlannedWave]:
    names = {row.name for row in made}
    return [wave for wave in job.waves if wave.name not in names and wave.start < soon]


def _taken_up(
    earlier: Sequence[Earlier], read: _Read, soon: datetime
) -> tuple[Earlier, Job] | tuple[None, None]:
    """Return an earlier call that was cut off and what it was to make, if that can be gone on with.

    While nothing of it is scheduled, it is planned anew if the contacts or the time have changed.

    Raises:
        WrongState: The contacts have changed since some of it was scheduled.
    """
    for begun in earlier:
        job = Job.read(begun.known)
        made = _of(job, read.there)
        equal = job.numbers == in_order(read.numbers)
        if equal and (made or not _late(job, made, soon)):
            return begun, job
        if made:
            raise WrongState(
                "audience_id: its contacts have changed since an earlier equal call scheduled some "
                "of its waves, so the others cannot be made. Nothing was made.",
                next_step="Ask the user. delete_campaign removes what is scheduled; then call "
                "schedule_waves again.",
            )
    return None, None


async def _planned(args: ScheduleWavesArgs, window: Window, read: _Read, ctx: ToolContext) -> Job:
    facts = read.facts
    slots = facts.slots.usable if facts.slots else None
    length = await length_of(read.plan.agent_id, ctx)

    def minutes(contacts: int) -> int:
        retries, delay = args.max_retries, args.retry_delay
        return estimate(contacts, retries, delay, slots, length=length).minutes[1]

    def planned() -> Job:
        zones = [facts.contacts[place].zones for place in read.places]
        found = split(zones, window, after=ctx.now() + LEAD, minutes=minutes)
        return Job.of(args.name, found, read.places, read.numbers)

    job = await ctx.shared.work(planned)
    _refuse_what_does_not_fit(job, minutes(1), window)
    await _refuse_beyond_the_plan(job, ctx)
    return replace(job, reasons={**job.reasons, **_uncallable(facts, read.places)})


def _uncallable(facts: Facts, places: Sequence[int]) -> dict[str, int]:
    invalid = sum(not contact.number for contact in facts.contacts)
    counts = {
        "invalid_number": invalid,
        "duplicate": len(facts.contacts) - len(places) - invalid,
    }
    return {reason: count for reason, count in counts.items() if count}


def _refuse_what_does_not_fit(job: Job, shortest: int, window: Window) -> None:
    if many := job.reasons.get("no_room"):
        raise InvalidArguments(
            f"audience_id: {counted(many, 'contact')} would find no room in {MOST_WAVES} waves "
            f"within {DAYS} days. Nothing was made.",
            next_step="Ask the user: longer hours, fewer retries or parts of the audience "
            "(create_audience with sample and remainder_name) help.",
        )
    if job.waves or not job.left:
        return
    if job.reasons.get("too_short"):
        raise InvalidArguments(
            f"max_retries, retry_delay: with these, one contact may take {shortest} minutes, "
            f"longer than any window of {window.hours} local time. Nothing was made.",
            next_step="Ask the user: fewer retries, a shorter delay or longer hours help.",
        )
    why = "; ".join(wave_checks.REASONS[reason] for reason in job.reasons)
    raise WrongState(
        f"audience_id: none of its contacts can be placed: {why}. Nothing was made.",
        next_step="create_audience from a list with a column timezone, with names such as "
        "Asia/Kolkata, gives contacts their zone.",
    )


async def _refuse_beyond_the_plan(job: Job, ctx: ToolContext) -> None:
    allowed = (await ctx.atoms.get_subscription()).campaigns
    if allowed is None:  # as enterprise plans have it
        return
    _, listed = await ctx.atoms.list_campaigns(limit=1)
    there = listed.total or 0
    if there > allowed:  # then the plan does not count all of them
        there = 0
    if there + len(job.waves) > allowed:
        beside = f", of which there are {there}" if there else ""
        raise WrongState(
            f"audience_id: it takes {counted(len(job.waves), 'wave')}, and the account's plan "
            f"allows {allowed} campaigns{beside}. Nothing was made.",
            next_step="Ask the user: delete_campaign removes old campaigns, longer hours or fewer "
            "retries need fewer waves.",
        )


def _with_rows(prepared: Prepared) -> Prepared:
    """Complete the plan by the waves that are still to be scheduled."""
    waves = prepared.waiting
    numbers = prepared.contacts.numbers()
    rows = tuple(_row(wave, [numbers[place] for place in wave.members]) for wave in waves)
    plan = replace(
        prepared.plan,
        people=sum(len(wave.members) for wave in waves),
        members=fingerprint(numbers),
        waves=rows,
    )
    return replace(prepared, plan=plan)


def _row(wave: PlannedWave, numbers: Sequence[str]) -> str:
    return (
        f"- {wave.name}: {counted(len(numbers), 'contact')}, {zone_of(wave)} "
        f"{local(wave, wave.start)} ({wave.start:%Y-%m-%d %H:%M} UTC), ends by "
        f"{local(wave, wave.latest_end)} there #{fingerprint(numbers)}"
    )


def zone_of(wave: PlannedWave) -> str:
    """Name the first zone of a wave and count the others."""
    more = len(wave.zones) - 1
    return f"{wave.zones[0]} and {more} more" if more else wave.zones[0]


def local(wave: PlannedWave, moment: datetime) -> str:
    """Return the clock of a wave's first zone."""
    return f"{moment.astimezone(ZoneInfo(wave.zones[0])):%Y-%m-%d %H:%M}"
