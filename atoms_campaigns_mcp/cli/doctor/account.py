"""Checks of the account behind the key, from one read of it."""

import httpx2

from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.cli.invocation import command
from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import AtomsCampaignsError, Unauthorized
from atoms_campaigns_mcp.guard.rules import Rules
from atoms_campaigns_mcp.runtime import Clocks, Runtime
from atoms_campaigns_mcp.schemas.account import AccountReport
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from atoms_campaigns_mcp.tool_calls.run import call
from atoms_campaigns_mcp.tool_calls.session import Caller

FREE_RATE, PAID_RATE = 10, 100  # requests a second that the vendor's documentation names
AGAIN = "Run this again in a minute."


async def read(
    settings: Settings, clocks: Clocks, network: httpx2.AsyncBaseTransport | None
) -> tuple[AccountReport, float]:
    """Read the account as the tool `get_account` does; give it and the seconds that it took.

    Raises:
        AtomsCampaignsError: The key is refused, the API is away, or the state cannot be used.
    """
    runtime = Runtime.open(settings, clocks=clocks, network=network)

    async def opened(_: Principal) -> Runtime:
        return runtime

    principal = Principal(LOCAL, settings.api_key, settings.permitted)
    caller = Caller(principal, Catalog.read(settings.permitted), opened)
    try:
        began = clocks.monotonic()
        report = await call(caller, "get_account", {})
        seconds = clocks.monotonic() - began
    finally:
        await runtime.close()
    if not isinstance(report, AccountReport):
        raise TypeError("get_account gave something else than an account")
    return report, seconds


def unreadable(error: AtomsCampaignsError) -> Check:
    """Report why there is no account to judge."""
    if isinstance(error, Unauthorized):
        return failed(
            "key",
            "The API does not accept the key.",
            "Copy a current key from the Atoms dashboard into SMALLEST_API_KEY.",
        )
    return failed("key", error.message, error.next_step or AGAIN)


def checks(report: AccountReport, settings: Settings) -> list[Check]:
    """Judge the account: whose it is, its rate plan, call slots, balance and guard."""
    return [
        _key(report, settings),
        _rate(report, settings),
        _slots(report),
        _balance(report),
        _guard(report, settings),
    ]


def _key(report: AccountReport, settings: Settings) -> Check:
    owner = f'organization "{report.organization}" ({report.organization_id})'
    if settings.mode == "sandbox":
        return ok("key", f"None, so the mode is sandbox: {owner}; nobody is called.")
    return ok("key", f"The mode is live: {owner}.")


def _rate(report: AccountReport, settings: Settings) -> Check:
    if settings.mode == "sandbox":
        return ok("rate", f"Not paced in the sandbox (ATOMS_MCP_RATE is {settings.rate:g}).")
    documented = FREE_RATE if "free" in (report.plan or "").lower() else PAID_RATE
    quotas = [f"plan {report.plan}"] if report.plan else ["the API does not name the plan"]
    if report.campaigns_allowed is not None:
        quotas.append(f"at most {report.campaigns_allowed} campaigns")
    if report.daily_calls_allowed is not None:
        quotas.append(f"at most {report.daily_calls_allowed} calls a day")
    text = f"{settings.rate:g} requests a second (ATOMS_MCP_RATE); {', '.join(quotas)}."
    if settings.rate > documented:
        return warning(
            "rate",
            f"{text} Documented are {documented} a second.",
            f"Set ATOMS_MCP_RATE to {documented} or less, unless your contract says otherwise.",
        )
    return ok("rate", text)


def _slots(report: AccountReport) -> Check:
    limit, used = report.call_limit, report.calls_in_progress
    if limit is None or used is None:
        return warning("call slots", "The API does not tell limit and calls in progress.", AGAIN)
    text = f"{used} of {limit} in use, {report.reserved or 0} reserved."
    if used >= limit:
        return warning(
            "call slots", text, "Wait until calls end: what starts now fails for lack of slots."
        )
    return ok("call slots", text)


def _guard(report: AccountReport, settings: Settings) -> Check:
    told = report.guarded
    if told is None:
        return warning("guard", "Whether a guard watches cannot be read.", AGAIN)
    if told.startswith("yes"):
        return ok("guard", f"One watches over what dials ({told.partition(': ')[2]}).")
    text = "None watches: nothing is enforced once a campaign dials."
    if settings.mode == "sandbox" or not Rules.of(settings).told():
        return ok("guard", text)
    return warning("guard", text, f"Its rules are set: run {command()} guard beside the server.")


def _balance(report: AccountReport) -> Check:
    if report.balance_usd is None:
        return warning("balance", "The API does not tell it.", AGAIN)
    text = f"{report.balance_usd:.2f} USD."
    if report.balance_usd <= 0:
        return failed("balance", text, "Add credit in the Atoms dashboard before anything dials.")
    return ok("balance", text)
