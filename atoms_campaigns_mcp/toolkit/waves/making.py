"""Making waves: their audiences first, then their campaigns in the order of their start."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from atoms_campaigns_mcp.errors import AtomsCampaignsError, OutcomeUnknown
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.schemas.fields import named
from atoms_campaigns_mcp.schemas.text import counted
from atoms_campaigns_mcp.toolkit.audiences.lock import DIALS
from atoms_campaigns_mcp.toolkit.audiences.making import Part
from atoms_campaigns_mcp.toolkit.campaign_creation import body_of, creation
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.waves.names import JOINT, LEFT
from atoms_campaigns_mcp.toolkit.waves.planning import Prepared

AGAIN = (
    "Call schedule_waves again with the same arguments and without confirm_token: it asks about "
    "the rest and goes on where it stopped."
)


@dataclass(slots=True)
class Progress:
    """What of a job is there: audiences and campaigns by the name of their wave.

    `own` are the audiences that this or an earlier equal call made.
    """

    audiences: dict[str, Audience] = field(default_factory=dict[str, Audience])
    campaigns: dict[str, Campaign] = field(default_factory=dict[str, Campaign])
    left: Audience | None = None
    own: list[Audience] = field(default_factory=list[Audience])


async def make(prepared: Prepared, ctx: ToolContext) -> Progress:
    """Make what is not there yet.

    Raises:
        AtomsCampaignsError: It stopped; the text says what is scheduled and what was removed.
    """
    entry = prepared.begun
    if entry is None:
        for one in prepared.earlier:
            await ctx.memory.end_job(one, done=False)
        parts = prepared.job.parts(len(prepared.contacts))
        entry = await ctx.memory.begin_job(prepared.key, parts)
    done = Progress(campaigns=dict(prepared.made))
    try:
        await _make(prepared, done, ctx)
    except AtomsCampaignsError as error:
        if done.campaigns or isinstance(error, OutcomeUnknown):
            raise _stopped(error, prepared, done) from error
        if await _removed(done.own, ctx):
            await ctx.memory.end_job(entry, done=False)
            error.message = f"Nothing is scheduled, and what was made is removed. {error.message}"
            raise
        error.message = f"Nothing is scheduled; audiences that were made are left. {error.message}"
        error.next_step = f"{error.next_step} {AGAIN}"
        raise
    await ctx.memory.end_job(entry, done=True)
    return done


async def _make(prepared: Prepared, done: Progress, ctx: ToolContext) -> None:
    job, common = prepared.job, prepared.plan.name
    steps = len(job.waves) + len(prepared.waiting) + bool(job.left)
    made = 0

    async def tell(name: str) -> None:
        nonlocal made
        made += 1
        await ctx.news.progress(made, steps, f"{name} is there.")

    if job.left:
        name = f"{common}{JOINT}{LEFT}"
        done.left = await _audience(name, job.left, prepared, done, ctx)
        await tell(name)
    for wave in job.waves:
        if wave.name not in prepared.made:
            audience = await _audience(wave.name, wave.members, prepared, done, ctx)
            done.audiences[wave.name] = audience
        await tell(wave.name)
    for wave in prepared.waiting:
        await ctx.memory.keep_held()
        plan = replace(prepared.plan, name=wave.name, audience_id=done.audiences[wave.name].id)
        making = creation(body_of(plan, at=wave.start), ctx, lambda _: None)
        sight = await making.look(ctx) if prepared.earlier else None
        there = sight.alike if sight else ()
        campaign = there[0] if there else (await making.once(ctx)).thing
        done.campaigns[wave.name] = campaign
        await ctx.memory.keep_callers(campaign.id, plan.phone_ids)
        if campaign.status in DIALS:
            await ctx.memory.saw(campaign.id)
        await tell(wave.name)


async def _audience(
    name: str, places: Sequence[int], prepared: Prepared, done: Progress, ctx: ToolContext
) -> Audience:
    await ctx.memory.keep_held()
    part = await Part.of(name, prepared.contacts.only(places), ctx)
    there = await part.there(ctx)
    made = there or await part.creation("", ctx).once(ctx)
    if there is None or prepared.earlier:
        done.own.append(made.thing)
    return made.thing


async def _removed(audiences: Sequence[Audience], ctx: ToolContext) -> bool:
    """Delete audiences that nothing uses; return whether all of them are gone."""
    try:
        for audience in audiences:
            await ctx.memory.keep_held()
            await ctx.atoms.delete_audience(audience.id)
    except AtomsCampaignsError:
        return False
    return True


def _stopped(error: AtomsCampaignsError, prepared: Prepared, done: Progress) -> AtomsCampaignsError:
    """Say of an error how far the job was."""
    rows = ", ".join(named(row.name, row.id) for row in done.campaigns.values())
    count = counted(len(prepared.job.waves), "wave")
    error.message = (
        f"{len(done.campaigns)} of {count} scheduled{f': {rows}' if rows else ''}. Then it "
        f"stopped: {error.message}"
    )
    error.next_step = f"{error.next_step} {AGAIN} delete_campaign removes what is scheduled."
    return error
