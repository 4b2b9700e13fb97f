import hashlib
from dataclasses import dataclass
from functools import partial

import anyio

from atoms_campaigns_mcp.schemas.arguments import WatchCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import CampaignDetails, WatchReport
from atoms_campaigns_mcp.tools._results import Unfinished, is_terminal, unfinished
from atoms_campaigns_mcp.tools._states import next_step
from atoms_campaigns_mcp.tools._tool import Effect, ToolContext, tool


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a campaign shows."""

    details: CampaignDetails
    left: Unfinished | None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to happen."""
        return self.left is not None and not self.left

    @property
    def mark(self) -> str:
        """What `since` holds: the same for the same sight."""
        campaign, metrics = self.details.campaign, self.details.metrics
        seen = f"{campaign.status} {campaign.retry_attempts} {metrics} {self.left}"
        return hashlib.sha256(seen.encode()).hexdigest()[:12]


async def look(campaign_id: str, ctx: ToolContext) -> Sight:
    """Look at a campaign; what is left is only read once the API calls it over."""
    details = await ctx.atoms.get_campaign(campaign_id)
    return Sight(details, await unfinished(details, ctx) if is_terminal(details) else None)


@tool(Effect.READS, title="Watch a campaign")
async def run(args: WatchCampaignArgs, ctx: ToolContext) -> WatchReport:
    """Wait, at most wait_seconds, until a campaign changes, runs, is paused or is finished.

    Call it again with the `since` of the last result to go on watching; finished means that no
    call is in progress and no retry is due.
    """
    end = ctx.monotonic() + args.wait_seconds
    followed = ctx.shared.polls.following(args.campaign_id, partial(look, args.campaign_id, ctx))
    async with followed as poll:
        sight: Sight = await poll.current()
        before = args.since or sight.mark
        with anyio.move_on_after(args.wait_seconds):
            while not _reached(args, sight, before) and ctx.monotonic() < end:
                await _tell(sight, ctx)
                seen, sight = sight.mark, await poll.after(sight)
                if sight.mark != seen:
                    await ctx.changed(args.campaign_id)
    return _report(sight, reached=_reached(args, sight, before))


def _reached(args: WatchCampaignArgs, sight: Sight, before: str) -> bool:
    if args.until == "change":
        return sight.mark != before or sight.finished
    if args.until == "finished":
        return sight.finished
    # Once it is over, neither running nor paused will come.
    return is_terminal(sight.details) or sight.details.campaign.status == args.until


async def _tell(sight: Sight, ctx: ToolContext) -> None:
    metrics = sight.details.metrics
    called, total = metrics.contacts_called or 0, metrics.total_participants
    connected = metrics.contacts_connected or 0
    text = f"{sight.details.campaign.status}: {called} of {total} called, {connected} connected"
    await ctx.progress(called, total, text)


def _report(sight: Sight, *, reached: bool) -> WatchReport:
    campaign = sight.details.campaign
    step = next_step(campaign)
    if sight.finished:
        step = "Call get_campaign_results for the report."
    elif not reached:
        step = f"Call watch_campaign again with since {sight.mark} to go on watching."
    return WatchReport(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        reached=reached,
        finished=sight.finished,
        **sight.details.metrics.model_dump(),
        retry_attempts=campaign.retry_attempts,
        calls_in_progress=sight.left.calls_in_progress if sight.left is not None else None,
        retries_due=sight.left.retries_due if sight.left is not None else None,
        error=campaign.error,
        since=sight.mark,
        next_step=step,
    )
