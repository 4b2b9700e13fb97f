"""What the state of a campaign allows, and what comes next in it."""

from collections.abc import Collection, Sequence

from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound, WrongState
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, KNOWN, STARTABLE, Campaign
from atoms_campaigns_mcp.schemas.fields import word
from atoms_campaigns_mcp.toolkit.context import ToolContext

UNREAD = "unknown"  # accepted by the API, and not to be seen at present
# Seconds between looks after a change; together less than any host's time-out.
LOOKS = (0.2, 0.4, 0.8, 1.2, 1.4)

FINISHED = "Call get_campaign_results for the report."
_NEXT = {
    "draft": "Nobody is called yet. preview_campaign shows what a start would do.",
    "scheduled": "It dials by itself at scheduled_at. Only delete_campaign stops it before then.",
    "processing": "It is being set up. Call watch_campaign to follow it.",
    "running": "Call watch_campaign to follow it, or pause_campaign to stop it.",
    "paused": "No new call is made. start_campaign resumes it, delete_campaign removes it.",
    "completed": "Every contact was handed to the dialer; {calls} may go on: "
    "watch_campaign until finished says when all are over, get_campaign_results how it went.",
    "failed": "It does not go on. Tell the user why; nothing of it can be changed.",
}
_OTHER_START = {
    "scheduled": "It starts by itself at scheduled_at. Another time takes another campaign: ask "
    "the user, and delete this one first, or both dial.",
    "completed": "It is over. get_campaign_results shows how it went.",
    "failed": "Tell the user why it failed; nothing of it can be changed.",
}


class NotYet(WrongState):
    """It was made to dial, which does not show yet: it cannot be paused, and may begin."""


def next_step(campaign: Campaign) -> str:
    """Report what the agent can do about this campaign now."""
    if campaign.status not in KNOWN:
        return "This state is not known to this server. Look again later."
    calls = "calls" if campaign.max_retries == 0 else "calls and retries"
    return _NEXT[campaign.status].format(calls=calls)


def cannot(verb: str, campaign: Campaign, step: str) -> WrongState:
    """Refuse `verb` in the campaign's state."""
    return WrongState(
        f"campaign_id: campaign {campaign.label} is {word(campaign.status)} and cannot be {verb}. "
        "Nothing was sent.",
        next_step=step,
    )


def cannot_start(campaign: Campaign) -> WrongState:
    """Refuse to start it, and say what does help."""
    return cannot("started", campaign, _OTHER_START.get(campaign.status, next_step(campaign)))


def cannot_pause(campaign: Campaign) -> WrongState:
    """Refuse to pause it, and say what does help."""
    return cannot("paused", campaign, next_step(campaign))


def cannot_pause_scheduled(name: str, campaigns: Sequence[Campaign]) -> WrongState:
    """Refuse to pause what of a name is scheduled, where nothing of it dials."""
    rows = ", ".join(f"{row.label} ({row.id})" for row in campaigns)
    return WrongState(
        f"campaign_id: nothing of this name dials, so nothing was paused; {len(campaigns)} are "
        f"scheduled: {rows}.",
        next_step="They dial by themselves at scheduled_at. Only delete_campaign stops them before "
        f'then: with "{name} *" all of them.',
    )


def cannot_pause_yet(campaign: Campaign) -> NotYet:
    """Say of what was made to dial here that no pause is accepted as long as it does not show."""
    return NotYet(
        f"campaign_id: campaign {campaign.label} was started here and still shows as "
        f"{word(campaign.status)}, so the API refuses the pause. It may begin to dial any moment.",
        next_step="Call pause_campaign again at once, until it shows as paused.",
    )


def cannot_delete(campaign: Campaign) -> WrongState:
    """Refuse to delete it, and say what does help."""
    return cannot("deleted", campaign, "Call pause_campaign first, then delete_campaign.")


async def under_way(ctx: ToolContext, besides: str = "") -> list[Campaign]:
    """Return what was started here lately and does not show it yet: it may begin any moment.

    One that was scheduled, and whose id nobody knows, has no id here either. `besides` is the
    campaign or creation key that is left out.
    """
    waiting = list[Campaign]()
    for campaign_id in await ctx.memory.begun(besides):
        if not campaign_id:
            waiting.append(Campaign(id=""))
            continue
        try:
            campaign = (await ctx.atoms.get_campaign(campaign_id)).campaign
        except NotFound:
            campaign = None
        if campaign is not None and campaign.status in STARTABLE:
            waiting.append(campaign)
        else:
            await ctx.memory.saw(campaign_id)
    return waiting


async def settled(
    ctx: ToolContext, campaign_id: str, name: str, *, before: Collection[str]
) -> Campaign:
    """Look a few times until the campaign has left the states `before`; give what it really is.

    Start and pause answer before they take effect, so their reply proves nothing. What was accepted
    is no failure because it cannot be seen: then the state is `UNREAD`.
    """
    campaign = Campaign(id=campaign_id, name=name, status=UNREAD)
    for pause in (0, *LOOKS):
        await ctx.sleep(pause)
        try:
            campaign = (await ctx.atoms.get_campaign(campaign_id)).campaign
        except AtomsCampaignsError:
            continue
        if campaign.status not in before:
            break
    return campaign


def is_active(campaign: Campaign) -> bool:
    """Return whether it dials, or is about to."""
    return campaign.status in ACTIVE
