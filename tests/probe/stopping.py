"""Stopping what the run started, and deleting what it made. It holds after any trouble."""

from typing import Final

from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, TERMINAL
from tests.probe.questions import Question
from tests.probe.sight import DELAY, MARGIN, RETRIES
from tests.probe.trial import EVERY, PAGE, Trial

TRIES: Final = 30  # looks at one campaign until it has stopped
CALM: Final = frozenset({"draft", "scheduled", *TERMINAL})  # at the last look


async def finish(trial: Trial) -> list[str]:
    """Stop and delete everything; give the names of what may be left."""
    trial.stopping = True
    campaigns = list(dict.fromkeys([*trial.campaigns, *await _by_name(trial)]))
    stopped = [one for one in campaigns if await stop(trial, one)]
    if trial.audience and any(one in trial.sight.started for one in stopped):
        tried = await trial.attempt(lambda: trial.atoms.delete_audience(trial.audience))
        trial.answer(Question.DELETE_AUDIENCE_IN_USE, tried.word, tried)
    for campaign in stopped:
        await trial.attempt(lambda one=campaign: trial.atoms.delete_campaign(one))
    await _cancel_what_still_comes(trial, campaigns)
    for audience in await _audiences(trial):
        await trial.attempt(lambda one=audience: trial.atoms.delete_audience(one))
    return await _left(trial)


async def stop(trial: Trial, campaign: str) -> bool:
    """Pause a campaign and cancel its calls, until it is seen to have stopped."""
    if campaign in trial.sight.started and trial.sight.statuses.get(campaign) not in CALM:
        await trial.attempt(lambda: trial.urgent.pause_campaign(campaign))
    for _ in range(TRIES):
        try:
            look = await trial.look(campaign)
        except NotFound:
            return True
        except AtomsCampaignsError:
            look = None
        if look and look.status not in ACTIVE and not look.live:
            return True
        if look is None or look.status in ACTIVE:
            await trial.attempt(lambda: trial.urgent.pause_campaign(campaign))
        await _cancel(trial, campaign)
        await trial.sleep(EVERY)
    return False


async def _cancel(trial: Trial, campaign: str) -> None:
    for call in trial.sight.live(campaign):
        await trial.attempt(lambda one=call: trial.urgent.cancel_call(one.call_id, campaign))


async def _cancel_what_still_comes(trial: Trial, campaigns: list[str]) -> None:
    """Cancel retries that come although their campaign is over or deleted."""
    begun = [one for one in campaigns if one in trial.sight.started]
    end = trial.now + RETRIES * (DELAY + MARGIN)
    while trial.now < end and any(
        trial.sight.waits(one, phone, trial.now) or trial.sight.live(one)
        for one in begun
        for phone in trial.phones.values()
    ):
        for campaign in begun:
            try:
                await trial.read_calls(campaign)
            except AtomsCampaignsError:
                continue
            await _cancel(trial, campaign)
        await trial.sleep(EVERY)


async def _by_name(trial: Trial) -> list[str]:
    """Find campaigns of the run, also those whose creation got no answer."""
    try:
        rows, _ = await trial.atoms.anew().list_campaigns(search=trial.mark, limit=PAGE)
    except AtomsCampaignsError:
        return []
    return [row.id for row in rows if row.name.startswith(trial.mark)]


async def _audiences(trial: Trial) -> list[str]:
    try:
        rows = await trial.atoms.anew().list_audiences()
    except AtomsCampaignsError:
        return [trial.audience] if trial.audience else []
    return [row.id for row in rows if row.name.startswith(trial.mark)]


async def _left(trial: Trial) -> list[str]:
    """Return the names of what is still there, or of what could not be looked for."""
    try:
        rows, _ = await trial.atoms.anew().list_campaigns(search=trial.mark, limit=PAGE)
        campaigns = [row.name for row in rows if row.name.startswith(trial.mark)]
        audiences = [row.name for row in await trial.atoms.list_audiences()]
    except AtomsCampaignsError:
        return [f"{trial.mark} *"]
    live = [one for one in trial.sight.started if trial.sight.live(one)]
    return [
        *(f"campaign {name}" for name in campaigns),
        *(f"audience {name}" for name in audiences if name.startswith(trial.mark)),
        *(["a call"] if live else []),
    ]
