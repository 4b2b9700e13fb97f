"""A guard inside a server that serves its own account."""

from dataclasses import dataclass
from typing import Literal

import anyio

from atoms_campaigns_mcp.guard.notify import Webhook
from atoms_campaigns_mcp.guard.process import AGAIN, Guard, rules_of
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.mcp.subscriptions import Subscriptions
from atoms_campaigns_mcp.telemetry import log

Guarding = Literal["", "pause", "resume"]


@dataclass(frozen=True, slots=True)
class _StreamNews:
    """The `News` of the guard: whoever listens to a campaign hears of it."""

    subscriptions: Subscriptions
    account: str

    async def progress(self, part: float, whole: float | None, text: str) -> None:
        """Tell nobody how far it is: there is no call."""

    async def changed(self, campaign_id: str, mark: str) -> None:
        """Tell every stream that listens to the campaign."""
        await self.subscriptions.heard(self.account, campaign_id, mark)


async def watch(runtime: Runtime, subscriptions: Subscriptions, *, resumes: bool) -> None:
    """Watch over the account until cancelled.

    Raises:
        ConfigurationError: There is no rule, or nothing to sign messages with.
    """
    hook = Webhook.of(runtime.settings, runtime.clocks.now)
    news = _StreamNews(subscriptions, runtime.account)
    guard = Guard(runtime, rules_of(runtime), hook, log.warning, resumes, news=news)
    log.info("guarding: %s", "; ".join(guard.rules.told()))
    try:
        await guard.run()
    finally:
        with anyio.move_on_after(AGAIN, shield=True):
            await guard.lease.release()
