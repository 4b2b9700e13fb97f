"""The rounds of a run, each of which answers some of the questions."""

from collections.abc import Sequence
from typing import Any, Final

from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, TERMINAL
from tests.probe.preparing import LISTED
from tests.probe.questions import NOT_SEEN, Question
from tests.probe.sight import MARGIN, Look, Seen
from tests.probe.stopping import stop
from tests.probe.tape import told
from tests.probe.trial import QUICK, Attempt, Trial

ROUND: Final = 6 * 60.0  # seconds
BEGIN: Final = 60.0  # seconds until a campaign that was started shows a call
PAUSE: Final = 30.0  # seconds until a pause shows
NOT_YET: Final = frozenset({"draft", "processing"})
QUEUED: Final = ("pending", "in_queue")


async def paused_before_it_begins(trial: Trial) -> None:
    """Ask whether a scheduled campaign can be paused; it is deleted a day before it would begin."""
    campaign = await trial.create("1", scheduled=True)
    tried = await trial.attempt(lambda: trial.atoms.pause_campaign(campaign))
    look = await trial.look(campaign)
    trial.answer(Question.PAUSE_SCHEDULED, tried.word, tried, campaign_afterwards=told(look.status))
    await trial.delete(campaign)


async def to_its_end(trial: Trial) -> str:
    """Run a campaign to its end; give its id."""
    campaign = await trial.create("2")
    await trial.start(campaign)
    look = await trial.watch(campaign, lambda look: look.status not in NOT_YET, BEGIN)
    if look.status == "running":
        again = await trial.attempt(lambda: trial.atoms.start_campaign(campaign))
        trial.answer(Question.START_WHILE_RUNNING, again.word, again)
    look = await trial.watch(campaign, lambda look: look.status in TERMINAL, ROUND)
    if look.status == "completed":
        await _completed(trial, campaign, look)
    else:
        await trial.watch_to_the_end(campaign, ROUND)
    _redials(trial, campaign)
    _do_not_call(trial, campaign)
    return campaign


async def _completed(trial: Trial, campaign: str, then: Look) -> None:
    """Try to pause what is completed, then see what comes after."""
    known = set(trial.sight.calls)
    tried = await trial.attempt(lambda: trial.atoms.pause_campaign(campaign))
    look = await trial.watch_to_the_end(campaign, ROUND)
    later = len(trial.sight.since(campaign, known))
    trial.answer(
        Question.COMPLETED_EARLY,
        "yes" if then.live or later else "no",
        calls_in_progress=len(then.live),
        calls_that_began_later=later,
    )
    trial.answer(
        Question.PAUSE_COMPLETED,
        tried.word,
        tried,
        campaign_afterwards=told(look.status),
        calls_that_began_later=later,
    )


def _redials(trial: Trial, campaign: str) -> None:
    seen = [
        _pair(calls)
        for phone in trial.phones.values()
        if (calls := trial.sight.of(campaign, phone))
    ]
    word = "seen" if any(one["tried_again"] for one in seen) else "none"
    trial.answer(Question.REDIALS, word if seen else NOT_SEEN, calls=seen)


def _pair(calls: Sequence[Seen]) -> dict[str, Any]:
    """Return how a first attempt ended, and when the second began."""
    first = calls[0]
    about: dict[str, Any] = {"ended": told(first.status), "tried_again": len(calls) > 1}
    if first.reason:
        about["reason"] = told(first.reason)
    if len(calls) > 1 and first.ended is not None:
        about["seconds_after_its_end"] = round(calls[1].first - first.ended, 1)
        about["seconds_after_its_beginning"] = round(calls[1].first - first.first, 1)
    return about


def _do_not_call(trial: Trial, campaign: str) -> None:
    if LISTED not in trial.phones.values():
        return
    calls = trial.sight.of(campaign, LISTED)
    unrung = "not_dialled" if calls else "no_call"
    word = "dialled" if any(call.rang for call in calls) else unrung
    statuses = [told(call.status) for call in calls]
    trial.answer(Question.DO_NOT_CALL, word, call_statuses=statuses)


async def stopped_and_resumed(trial: Trial) -> None:
    """Cancel one call, pause the others, resume."""
    campaign = await trial.create("3")
    await trial.start(campaign)
    look = await trial.watch(campaign, lambda look: bool(look.live), BEGIN, QUICK)
    if not look.live:
        return
    ours = min(look.live, key=lambda call: call.status not in QUEUED)
    state = told(ours.status)
    cancelled = await trial.attempt(lambda: trial.atoms.cancel_call(ours.call_id, campaign))
    paused = await trial.attempt(lambda: trial.urgent.pause_campaign(campaign))
    look = await trial.watch(campaign, lambda look: look.status not in ACTIVE, PAUSE, QUICK)
    trial.answer(
        Question.CANCEL_CALL, cancelled.word, cancelled, call_was=state, call_is=told(ours.status)
    )
    taken = [
        call for call in trial.sight.of(campaign) if call.status == "cancelled" and call is not ours
    ]
    _paused(trial, paused, look, taken)
    await _hung_up(trial, campaign)
    if look.status == "paused":
        await _resumed(trial, campaign, ours, taken)


def _paused(trial: Trial, tried: Attempt, look: Look, taken: Sequence[Seen]) -> None:
    trial.answer(
        Question.PAUSE_QUEUED,
        tried.word,
        tried,
        campaign_afterwards=told(look.status),
        calls_cancelled_by_it=len(taken),
        calls_that_went_on=len(look.live),
        cancelled_calls_count=look.cancelled_calls,
    )


async def _hung_up(trial: Trial, campaign: str) -> None:
    """Let live calls end by themselves for a while, then end them."""
    look = await trial.watch(campaign, lambda look: not look.live, MARGIN)
    for call in look.live:
        await trial.attempt(lambda call=call: trial.urgent.cancel_call(call.call_id, campaign))


async def _resumed(trial: Trial, campaign: str, ours: Seen, taken: Sequence[Seen]) -> None:
    known = set(trial.sight.calls)
    resumed = await trial.start(campaign)
    if resumed.word != "accepted":
        return
    look = await trial.watch_to_the_end(campaign, ROUND)
    again = {call.phone for call in trial.sight.since(campaign, known)}
    about = {"campaign_afterwards": told(look.status), "executions": look.executions}
    word = "dialled" if ours.phone in again else "not_dialled"
    trial.answer(Question.RESUME_CANCELLED, word, resumed, **about)
    phones = {call.phone for call in taken}
    if phones:
        word = "dialled" if phones <= again else "not_dialled"
        trial.answer(Question.RESUME_PAUSED, word, resumed, **about)


async def started_again(trial: Trial, campaign: str) -> None:
    """Start what is completed; if that dials, it is stopped at once."""
    if not trial.may_start() or trial.sight.statuses.get(campaign) != "completed":
        return
    known = set(trial.sight.calls)

    def rings(_: Look) -> bool:
        return bool(trial.sight.since(campaign, known))

    tried = await trial.start(campaign)
    word = tried.word
    if word == "accepted":
        await trial.watch(campaign, rings, MARGIN, QUICK)
        await stop(trial, campaign)
        word = "dialled" if trial.sight.since(campaign, known) else "accepted_without_a_call"
    trial.answer(Question.START_COMPLETED, word, tried)
