import hashlib
import json
from dataclasses import astuple, dataclass
from functools import partial

from atoms_campaigns_mcp.caching.replica_polls import Form
from atoms_campaigns_mcp.schemas.arguments import WatchCampaignArgs
from atoms_campaigns_mcp.schemas.campaigns import STARTABLE, CampaignDetails, WatchReport
from atoms_campaigns_mcp.toolkit.campaign_results import Unfinished, is_terminal, unfinished
from atoms_campaigns_mcp.toolkit.campaign_states import next_step
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool


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


def _dump(sight: Sight) -> bytes:
    left = None if sight.left is None else astuple(sight.left)
    return json.dumps([sight.details.model_dump(mode="json"), left]).encode()


def _load(content: bytes) -> Sight:
    details, left = json.loads(content)
    return Sight(
        CampaignDetails.model_validate(details, by_alias=False, by_name=True),
        None if left is None else Unfinished(*left),
    )


FORM = Form(_dump, _load)


async def look(campaign_id: str, ctx: ToolContext) -> Sight:
    """Look at a campaign; what is left is only read once the API calls it over."""
    details = await ctx.atoms.get_campaign(campaign_id)
    return Sight(details, await unfinished(details, ctx) if is_terminal(details) else None)


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
    called, total = metrics.contacts_called or 0, metrics.total_participants
    connected = metrics.contacts_connected or 0
    whole = "" if total is None else f" of {total}"
    text = f"{sight.details.campaign.status}: {called}{whole} called, {connected} connected"
    await ctx.news.progress(called, total, text)


def _next_step(args: WatchCampaignArgs, sight: Sight, *, reached: bool) -> str:
    campaign = sight.details.campaign
    if sight.finished:
        return "Call get_campaign_results for the report."
    # A draft or a paused campaign stays as it is until somebody starts it.
    if reached or campaign.status in STARTABLE:
        return next_step(campaign)
    if is_terminal(sight.details) and args.until != "finished":
        return f"It will not be {args.until} any more. Watch it until finished for the last calls."
    return f"Call watch_campaign again with since {sight.mark} to go on watching."


def _report(args: WatchCampaignArgs, sight: Sight, *, reached: bool) -> WatchReport:
    campaign = sight.details.campaign
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
        next_step=_next_step(args, sight, reached=reached),
    )
