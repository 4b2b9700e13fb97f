"""The results of waves together, by their common name."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.account import CURRENCY
from atoms_campaigns_mcp.schemas.arguments import GetCampaignResultsArgs
from atoms_campaigns_mcp.schemas.campaigns import percent
from atoms_campaigns_mcp.schemas.fields import named, word
from atoms_campaigns_mcp.schemas.results import ResultsPage
from atoms_campaigns_mcp.schemas.text import counted
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.reports.campaign_results import (
    NOT_BEGUN,
    completed,
    is_terminal,
    results_and_rest,
)
from atoms_campaigns_mcp.toolkit.waves.names import JOINT

_OF_ONE = ("outcome", "file", "limit", "page", "campaign_ids")
_STEP = (
    "One wave by its name or id tells its rates, dispositions and contacts. If the user wants "
    "those missed called again, create_audience with from_campaign_id and the common name makes "
    "their list."
)


async def together(
    campaign_ids: Sequence[str], args: GetCampaignResultsArgs, ctx: ToolContext
) -> ResultsPage:
    """Add up the results of waves; rates, dispositions and contacts are those of one wave.

    Raises:
        InvalidArguments: Contacts are asked for.
    """
    if given := [name for name in _OF_ONE if name in args.model_fields_set]:
        raise InvalidArguments(
            f"{', '.join(given)}: only for one campaign, not for all waves of a name.",
            next_step="Call it with the name or id of one wave; list_campaigns shows them.",
        )
    waves = await all_of({one: partial(_wave, one, ctx) for one in campaign_ids})
    return _added_up(campaign_ids, waves, ctx)


def _added_up(
    campaign_ids: Sequence[str], waves: Sequence[dict[str, Any]], ctx: ToolContext
) -> ResultsPage:
    total = sum((wave["counts"] for wave in waves), Counter[str]())
    called, connected = total["called"], total["connected"]
    return ResultsPage(
        mark=ctx.mark(),
        campaign_id=", ".join(campaign_ids),
        name=waves[0]["name"].partition(JOINT)[0],
        status=", ".join(sorted({wave["status"] for wave in waves})),
        waves=[wave["told"] for wave in waves],
        provisional=any(wave["provisional"] for wave in waves),
        calls_in_progress=total["live"],
        retries_due=total["due"],
        contacts=total["contacts"],
        called=called,
        connected=connected,
        connected_percent=percent(connected, called),
        outcomes=_summed(waves, "outcomes"),
        not_reached=_summed(waves, "not_reached"),
        failed_calls=_summed(waves, "causes"),
        voicemails_connected=total["machines"],
        analysed_calls=total["analysed"],
        all_calls_read=all(wave["whole"] for wave in waves),
        dispositions=[],
        combinations=[],
        summaries=[],
        by_attempt=[],
        by_caller_id=[],
        by_country=[],
        by_local_hour=[],
        talk_seconds=sum(wave["seconds"] for wave in waves),
        cost=round(sum(wave["cost"] for wave in waves), 4),
        currency=CURRENCY,
        results=[],
        page=1,
        total=total["contacts"],
        next_step=_STEP,
    )


async def _wave(campaign_id: str, ctx: ToolContext) -> dict[str, Any]:
    details = await ctx.atoms.get_campaign(campaign_id)
    campaign = details.campaign
    wave: dict[str, Any] = {"name": campaign.name, "status": campaign.status, "whole": True}
    about = f"{named(campaign.name, campaign.id)}, {word(campaign.status)}"
    if campaign.status in NOT_BEGUN:
        people = details.metrics.total_participants or campaign.participants or 0
        empty = Counter[str]()
        wave |= {"counts": Counter(contacts=people), "outcomes": Counter(pending=people)}
        wave |= {"not_reached": empty, "causes": empty, "seconds": 0.0, "cost": 0.0}
        told = f"{about}: {counted(people, 'contact')} to call"
        return {**wave, "provisional": True, "told": told}
    results, left = await results_and_rest(details, ctx)
    wave["whole"] = await completed(results, campaign_id, ctx)
    contacts, called, seconds, cost = await results.totals()
    outcomes = Counter(await results.outcomes())
    coverage = await results.endings.coverage()
    connected = outcomes["completed"]
    return {
        **wave,
        "counts": Counter(
            contacts=contacts,
            called=called,
            connected=connected,
            live=left.calls_in_progress,
            due=left.retries_due,
            machines=coverage.machines,
            analysed=coverage.analysed,
        ),
        "outcomes": outcomes,
        "not_reached": Counter(await results.not_reached()),
        "causes": Counter(await results.endings.causes()),
        "seconds": seconds,
        "cost": cost,
        "provisional": bool(left) or not is_terminal(details),
        "told": f"{about}: {connected} of {called} called connected, of {contacts}",
    }


def _summed(waves: Sequence[dict[str, Any]], what: str) -> list[str]:
    counts = sum((wave[what] for wave in waves), Counter[str]())
    return [f"{word(name)}: {count}" for name, count in counts.most_common()]
