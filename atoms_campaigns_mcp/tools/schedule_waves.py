from collections.abc import Sequence

from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.guardrails.waves.checks import REASONS
from atoms_campaigns_mcp.schemas.arguments import ScheduleWavesArgs
from atoms_campaigns_mcp.schemas.waves import WaveRow, WavesScheduled
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool
from atoms_campaigns_mcp.toolkit.waves import planning
from atoms_campaigns_mcp.toolkit.waves.making import Progress, make
from atoms_campaigns_mcp.toolkit.waves.planning import Prepared


async def locks(args: ScheduleWavesArgs, ctx: ToolContext) -> Sequence[str]:
    """Let nobody else change the audience or have it called, or use the common name."""
    audience = await lookup.audience(ctx.atoms, args.audience_id)
    return [members_of(audience.id), f"waves {args.name.casefold()}"]


async def plan(args: ScheduleWavesArgs, ctx: ToolContext) -> Proposal | WavesScheduled:
    """Judge all waves; those of an earlier call that was cut off are not made again."""
    prepared, facts, window = await planning.prepare(args, ctx)
    if not prepared.waiting:
        return _result(prepared, Progress(campaigns=dict(prepared.made)))
    return planning.proposal(prepared, facts, window, ctx)


@tool(Effect.DIALS, title="Schedule waves", plan=plan, locks=locks, app=True)
async def run(args: ScheduleWavesArgs, ctx: ToolContext) -> WavesScheduled:  # noqa: ARG001
    """Schedule one campaign per time zone, on more days if needed, in contacts' own local hours.

    They DIAL by themselves, after one confirmation. If it stops midway, the same call goes on.
    """
    prepared: Prepared = ctx.basis
    return _result(prepared, await make(prepared, ctx))


def _result(prepared: Prepared, done: Progress) -> WavesScheduled:
    job, common = prepared.job, prepared.plan.name
    left = [f"{REASONS[reason]}: {count}" for reason, count in job.reasons.items()]
    if late := sum(len(wave.members) for wave in prepared.late):
        left.append(f"{REASONS['too_late']}: {late}")
    rows = [
        WaveRow(
            campaign_id=campaign.id,
            name=campaign.name,
            status=campaign.status,
            audience_id=campaign.audience_id,
            time_zone=planning.zone_of(wave),
            contacts=len(wave.members),
            local_start=planning.local(wave, wave.start),
            starts_at=f"{wave.start:%Y-%m-%dT%H:%MZ}",
            latest_end=f"{wave.latest_end:%Y-%m-%dT%H:%MZ}",
        )
        for wave in job.waves
        if (campaign := done.campaigns.get(wave.name))
    ]
    return WavesScheduled(
        name=common,
        audience_id=prepared.plan.audience_id,
        contacts=sum(row.contacts for row in rows),
        waves=rows,
        left=left,
        left_audience_id=done.left.id if done.left else None,
        left_audience=done.left.name if done.left else None,
        next_step=f'They dial by themselves. pause_campaign with "{common}" stops those that dial, '
        f'delete_campaign with "{common} *" removes those that are scheduled.',
    )
