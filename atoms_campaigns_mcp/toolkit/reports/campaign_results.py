"""The results of a campaign, read once for each state that it is in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio

from atoms_campaigns_mcp.concurrency import all_of, attempt
from atoms_campaigns_mcp.errors import AtomsCampaignsError, UnexpectedResponse
from atoms_campaigns_mcp.results.store import Results
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.schemas.campaigns import ACTIVE, TERMINAL, CampaignDetails
from atoms_campaigns_mcp.toolkit.context import ToolContext

NOT_BEGUN = frozenset({"draft", "scheduled"})
READABLE = 2_000  # contacts of a campaign that dials and whose results a look at its state reads
READ_WITHIN = 8.0  # seconds for the results of a look at a campaign's state
CALLS_PAGE = 500  # calls a request, the most that the API gives
CALLS_PAGES = 40  # requests for what the export does not tell: 20,000 calls


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is left of a campaign; the live API may say "completed" while calls still run."""

    calls_in_progress: int
    retries_due: int

    def __bool__(self) -> bool:
        return bool(self.calls_in_progress or self.retries_due)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the contacts of a campaign are; None stands for what could not be read."""

    calls_in_progress: int | None
    retries_due: int | None
    contacts_finished: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many calls a campaign has in progress, and how many in all; by both, results differ."""

    live: int
    calls: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A campaign, its results, and what is left to happen, as they are now."""

    details: CampaignDetails
    results: Results
    left: Unfinished

    @property
    def over(self) -> bool:
        """Whether nothing of it can change any more."""
        return is_terminal(self.details) and not self.left


async def results_of(details: CampaignDetails, ctx: ToolContext) -> Results:
    """Return the results as they are now; unchanged ones are not read again."""
    return await _read(details, await _counts(details.campaign.id, ctx), ctx)


async def unfinished(details: CampaignDetails, ctx: ToolContext) -> Unfinished:
    """Count the calls in progress and the retries due."""
    if not _may_retry(details):
        return Unfinished(await _live(details.campaign.id, ctx), 0)
    counts = await _counts(details.campaign.id, ctx)
    return await _left(details, counts.live, await _read(details, counts, ctx), ctx)


async def results_and_rest(
    details: CampaignDetails, ctx: ToolContext
) -> tuple[Results, Unfinished]:
    """Return the results as they are now, and what is left to happen."""
    counts = await _counts(details.campaign.id, ctx)
    results = await _read(details, counts, ctx)
    return results, await _left(details, counts.live, results, ctx)


async def found_of(campaign_id: str, ctx: ToolContext) -> Found:
    """Read a campaign and its results, as few after one another as can be."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "campaign": partial(ctx.atoms.get_campaign, campaign_id),
        "counts": partial(_counts, campaign_id, ctx),
    }
    details, counts = await all_of(reads)
    if is_terminal(details):
        return await _found_over(details, counts, ctx)
    results = await _read(details, counts, ctx)
    return Found(details, results, await _left(details, counts.live, results, ctx))


async def _found_over(details: CampaignDetails, counts: Counts, ctx: ToolContext) -> Found:
    """Look again at the calls of what is over: those counted may be from just before its end."""
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "live": partial(_live, details.campaign.id, ctx),
        "results": partial(_read, details, counts, ctx),
    }
    live, results = await all_of(reads)
    if live != counts.live:
        results = await results_of(details, ctx)
    return Found(details, results, await _left(details, live, results, ctx))


def _may_retry(details: CampaignDetails) -> bool:
    # A failed campaign dials no more.
    return details.campaign.status != "failed" and bool(details.campaign.max_retries)


async def progress(details: CampaignDetails, ctx: ToolContext) -> Progress:
    """Look where the contacts of a campaign are, as far as it can be read soon.

    Results are read of a campaign that stands still, whose results stay as they are, and of one
    that dials if it is small: the larger ones would be read anew at every look.
    """
    campaign = details.campaign
    if campaign.status in NOT_BEGUN:
        return Progress(0, 0, 0)
    if _is_large(details):
        return Progress(await in_progress(details, ctx), none_due(details), None)
    live, results = await _soon(details, ctx)
    if live is None or results is None:
        return Progress(live, none_due(details), None)
    left = await _left(details, live, results, ctx)
    return Progress(live, left.retries_due, await results.finished() - left.retries_due)


async def results_soon(campaign_id: str, ctx: ToolContext) -> Results | None:
    """Return the results where `progress` would read them; None if they cannot be read soon."""
    try:
        details = await ctx.atoms.get_campaign(campaign_id)
    except AtomsCampaignsError:
        return None
    return None if _is_large(details) else (await _soon(details, ctx))[1]


def _is_large(details: CampaignDetails) -> bool:
    """Return whether its results are too many to be read anew at every look."""
    large = (details.metrics.total_participants or 0) > READABLE
    return large and details.campaign.status in ACTIVE


async def _soon(details: CampaignDetails, ctx: ToolContext) -> tuple[int | None, Results | None]:
    """Return how many calls are in progress, and the results; None for what cannot be read."""
    found, _ = await attempt(_counting(details.campaign.id, ctx))
    live = found.get("live")
    if live is None or "all" not in found:
        return live, None
    with anyio.move_on_after(READ_WITHIN):
        try:
            return live, await _read(details, Counts(live, found["all"]), ctx)
        except AtomsCampaignsError:
            return live, None
    return live, None


async def in_progress(details: CampaignDetails, ctx: ToolContext) -> int | None:
    """Count the calls in progress; None if that cannot be read."""
    try:
        return await _live(details.campaign.id, ctx)
    except AtomsCampaignsError:
        return None


def none_due(details: CampaignDetails) -> int | None:
    """Return 0 for a campaign that retries nobody, and None for any other."""
    return 0 if details.campaign.max_retries == 0 or details.campaign.status == "failed" else None


async def _live(campaign_id: str, ctx: ToolContext) -> int:
    _, live = await ctx.atoms.list_calls(campaign_id, statuses=LIVE)
    if live.total is None:
        raise UnexpectedResponse(
            "The Atoms API does not say how many calls are in progress.",
            next_step="Try again in a minute; list_calls shows the calls.",
        )
    return live.total


async def _calls(campaign_id: str, ctx: ToolContext) -> int | None:
    _, calls = await ctx.atoms.list_calls(campaign_id)
    return calls.total


def _counting(campaign_id: str, ctx: ToolContext) -> dict[str, Callable[[], Awaitable[int | None]]]:
    return {"live": partial(_live, campaign_id, ctx), "all": partial(_calls, campaign_id, ctx)}


async def _counts(campaign_id: str, ctx: ToolContext) -> Counts:
    live, calls = await all_of(_counting(campaign_id, ctx))
    return Counts(live or 0, calls)


async def _read(details: CampaignDetails, counts: Counts, ctx: ToolContext) -> Results:
    campaign = details.campaign
    version = f"{campaign.updated_at} {campaign.status} {details.metrics} {counts}"
    return await ctx.shared.results.get(campaign.id, version, ctx.atoms.export)


async def _left(
    details: CampaignDetails, live: int, results: Results, ctx: ToolContext
) -> Unfinished:
    campaign = details.campaign
    if not _may_retry(details):
        return Unfinished(live, 0)
    # What a pause holds back is dialled after a resumption, however late.
    now = ctx.now() if is_terminal(details) else None
    most, delay = campaign.max_retries or 0, campaign.retry_delay or 0
    return Unfinished(live, await results.retries_due(most, delay, now))


async def completed(results: Results, campaign_id: str, ctx: ToolContext) -> bool:
    """Read from the list of calls what the export does not tell of how they ended.

    What an exported call holds is not documented, what a listed one does is. Gives false if there
    are more calls than are read.
    """
    async with results.completing:
        if results.whole is None:
            lacking = (await results.endings.coverage()).lacking
            results.whole = not lacking or await _add_listed(results, campaign_id, ctx)
    return results.whole


async def _add_listed(results: Results, campaign_id: str, ctx: ToolContext) -> bool:
    for page in range(1, CALLS_PAGES + 1):
        calls, listed = await ctx.atoms.list_calls(campaign_id, page=page, limit=CALLS_PAGE)
        await results.endings.add(calls)
        if not listed.has_more or not calls:
            return True
    return False


def is_terminal(details: CampaignDetails) -> bool:
    """Return whether the API calls the campaign over."""
    return details.campaign.status in TERMINAL
