import hashlib
import json
from dataclasses import asdict, astuple, dataclass, field
from functools import partial

from atoms_campaigns_mcp.caching.replica_polls import Form
from atoms_campaigns_mcp.schemas.arguments import WatchCampaignArgs
from atoms_campaigns_mcp.schemas.campaign_status import WatchReport
from atoms_campaigns_mcp.schemas.campaigns import (
    ACTIVE,
    STARTABLE,
    CampaignDetails,
    known,
)
from atoms_campaigns_mcp.toolkit.campaign_states import FINISHED, next_step
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import (
    Progress,
    Unfinished,
    in_progress,
    is_terminal,
    none_due,
    progress,
    unfinished,
)
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a campaign shows."""

    details: CampaignDetails
    left: Unfinished | None
    # Shown, and no change that ends a wait: it moves all the time.
    now: Progress = field(compare=False)

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


def _dump(sight: Sight) -> bytes:
    left = None if sight.left is None else astuple(sight.left)
    return json.dumps([sight.details.model_dump(mode="json"), left, astuple(sight.now)]).encode()


def _load(content: bytes) -> Sight:
    details, left, now = json.loads(content)
    return Sight(
        CampaignDetails.model_validate(details, by_alias=False, by_name=True),
        None if left is None else Unfinished(*left),
        Progress(*now),
    )


FORM = Form(_dump, _load)


async def look(campaign_id: str, ctx: ToolContext) -> Sight:
    """Look at a campaign; what is left is only read once it stands still."""
    details = await ctx.atoms.get_campaign(campaign_id)
    if is_terminal(details):
        left = await unfinished(details, ctx)
        now = Progress(left.calls_in_progress, left.retries_due, None)
        return Sight(details, left, now if left else await progress(details, ctx))
    if details.campaign.status in ACTIVE:
        live = await in_progress(details, ctx)
        return Sight(details, None, Progress(live, none_due(details), None))
    return Sight(details, None, await progress(details, ctx))


@tool(Effect.READS, title="Watch a campaign", app=True)
async def run(args: WatchCampaignArgs, ctx: ToolContext) -> WatchReport:
    """Wait, at most wait_seconds, until a campaign changes, runs, is paused or is finished.

    Call it again with the `since` of the last result to go on watching; finished means that no
    call is in progress and no retry is due.
    """
    end = ctx.monotonic() + args.wait_seconds
    fetch = partial(look, args.campaign_id, ctx)
    followed = ctx.shared.polls.following(args.campaign_id, fetch, FORM)
    async with followed as poll:
        sight: Sight = await poll.current()
        before = args.since or sight.mark
        with ctx.shared.waits.at_most(max(end - ctx.monotonic(), 0)):
            while not _over(args, sight, before) and ctx.monotonic() < end:
                await _tell(sight, ctx)
                seen, sight = sight.mark, await poll.after(sight)
                if sight.mark != seen:
                    await ctx.news.changed(args.campaign_id, sight.mark)
    return _report(args, sight, reached=_reached(args, sight, before))


def _reached(args: WatchCampaignArgs, sight: Sight, before: str) -> bool:
    if args.until == "change":
        return sight.mark != before or sight.finished
    if args.until == "finished":
        return sight.finished
    return sight.details.campaign.status == args.until


def _over(args: WatchCampaignArgs, sight: Sight, before: str) -> bool:
    # Once it has ended, neither running nor paused will come.
    ended = args.until in {"running", "paused"} and is_terminal(sight.details)
    return ended or _reached(args, sight, before)


async def _tell(sight: Sight, ctx: ToolContext) -> None:
    metrics = sight.details.metrics
    called, total = metrics.contacts_called, metrics.total_participants
    whole = "" if total is None else f" of {total}"
    counts = f"{known(called)}{whole} called, {known(metrics.contacts_connected)} connected"
    await ctx.news.progress(called or 0, total, f"{sight.details.campaign.status}: {counts}")


def _next_step(args: WatchCampaignArgs, sight: Sight, *, reached: bool) -> str:
    campaign = sight.details.campaign
    if sight.finished:
        return FINISHED
    # A draft or a paused campaign stays as it is until somebody starts it.
    if reached or campaign.status in STARTABLE:
        return next_step(campaign)
    if is_terminal(sight.details) and args.until != "finished":
        return f"It will not be {args.until} any more. Watch it until finished for the last calls."
    return f"Call watch_campaign again with since {sight.mark} to go on watching."


def _report(args: WatchCampaignArgs, sight: Sight, *, reached: bool) -> WatchReport:
    campaign, counts = sight.details.campaign, asdict(sight.now)
    return WatchReport(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        reached=reached,
        finished=sight.finished,
        **sight.details.metrics.model_dump(),
        max_retries=campaign.max_retries,
        retry_attempts=campaign.retry_attempts,
        unknown=[name for name, count in counts.items() if count is None],
        **counts,
        error=campaign.error,
        since=sight.mark,
        next_step=_next_step(args, sight, reached=reached),
    )
