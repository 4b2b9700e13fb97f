from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from atoms_campaigns_mcp.concurrency import attempt
from atoms_campaigns_mcp.schemas.account import (
    Account,
    AccountReport,
    Balance,
    Concurrency,
    StopRow,
    Subscription,
)
from atoms_campaigns_mcp.schemas.arguments import GetAccountArgs
from atoms_campaigns_mcp.schemas.calls import LIVE
from atoms_campaigns_mcp.state import guarding
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.tool import Effect, tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_NEEDED = "list_phone_numbers, list_agents and list_audiences show what a campaign needs."
_OFF = "Campaigns cannot be started from here: tell the user before preparing one."
STOPS = 5  # of the guard that are told


@tool(Effect.READS, title="Get the account")
async def run(args: GetAccountArgs, ctx: ToolContext) -> AccountReport:  # noqa: ARG001
    """Get the API key's account: its plan, balance and call limit, and the server's clock.

    Use it first when something is refused, and before a large campaign.
    """
    reads = _reads(ctx)
    found, unknown = await attempt(reads, at_once=len(reads))
    if "account" in unknown:
        raise unknown["account"]
    organization = cast("Account", found["account"]).organization
    balance: Balance = found.get("balance", Balance())
    slots: Concurrency = found.get("concurrency", Concurrency())
    plan: Subscription = found.get("plan limits", Subscription())
    live = found["calls in progress"][1].total if "calls in progress" in found else None
    return AccountReport(
        organization_id=organization.id,
        organization=organization.name,
        plan=balance.plan,
        balance_usd=balance.credit,
        campaigns_allowed=plan.campaigns,
        daily_calls_allowed=plan.daily_calls,
        call_limit=slots.limit,
        reserved=slots.reserved,
        shared_pool=slots.shared,
        calls_in_progress=live,
        free_slots_estimate=_free(slots, live),
        dialling="off" if ctx.consent == "off" else "on",
        in_force=list(ctx.operator.in_force()),
        guarded=guarding.told(found["guard"]) if "guard" in found else None,
        stops=_stops(found.get("guard")),
        clock=ctx.now(),
        unknown=sorted(unknown),
        next_step=_OFF if ctx.consent == "off" else _NEEDED,
    )


def _reads(ctx: ToolContext) -> "dict[str, Callable[[], Awaitable[Any]]]":
    return {
        "account": ctx.atoms.get_account,
        "balance": ctx.atoms.get_balance,
        "calls in progress": partial(ctx.atoms.list_calls, statuses=LIVE),
        "concurrency": ctx.atoms.get_concurrency,
        "plan limits": ctx.atoms.get_subscription,
        "guard": ctx.memory.guarded,
    }


def _free(slots: Concurrency, live: int | None) -> int | None:
    return None if slots.limit is None or live is None else max(slots.limit - live, 0)


def _stops(watch: guarding.Watch | None) -> list[StopRow]:
    """Return the latest stops of the guard that is there, the latest first."""
    return [
        StopRow(
            at=datetime.fromtimestamp(stop.at, UTC),
            campaign_id=stop.campaign_id,
            name=stop.name,
            rule=stop.rule,
            figures=stop.figures,
            outcome=stop.outcome,
        )
        for stop in reversed((watch.stops if watch else ())[-STOPS:])
    ]
