"""Who listens to changes of campaigns: each tenant hears of its own only."""

from collections.abc import Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp_types import SubscriptionsListenRequestParams, SubscriptionsListenResult

from atoms_campaigns_mcp.server import uris

Context = ServerRequestContext[Any]
EACH = 64  # streams of one tenant


class Listeners:
    """The open `subscriptions/listen` streams of every tenant."""

    def __init__(self, tenant_of: Callable[[Context], str]) -> None:
        """Tell tenants apart by `tenant_of`."""
        self._tenant_of = tenant_of
        self._buses: dict[str, InMemorySubscriptionBus] = {}
        self._handlers: dict[str, ListenHandler] = {}

    async def listen(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream until the client leaves or the server ends."""
        tenant = self._tenant_of(context)
        if tenant not in self._handlers:
            bus = self._buses[tenant] = InMemorySubscriptionBus()
            self._handlers[tenant] = ListenHandler(bus, max_subscriptions=EACH)
        return await self._handlers[tenant](context, params)

    async def changed(self, context: Context, campaign_id: str) -> None:
        """Tell the tenant's clients that a campaign is not as it was."""
        # Each call reaches the clients of one era only.
        uri = uris.campaign(campaign_id)
        if bus := self._buses.get(self._tenant_of(context)):
            await bus.publish(ResourceUpdated(uri=uri))
        await context.session.send_resource_updated(uri)

    def close(self) -> None:
        """End every stream in good order."""
        for handler in self._handlers.values():
            handler.close()
