"""Who listens to changes of campaigns: each tenant hears of its own only, from every replica."""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, SubscriptionsListenRequestParams, SubscriptionsListenResult

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.server.mcp import uris
from atoms_campaigns_mcp.telemetry import log

if TYPE_CHECKING:
    from atoms_campaigns_mcp.state.store import SharedState

Context = ServerRequestContext[Any]
ADDRESSES = 200  # that one stream listens to
EACH = 16  # streams of one tenant, of the requests that it may have in flight
REMEMBERED = 10_000  # campaigns whose last mark is known
PAUSE = 5.0  # seconds before other replicas are listened to again


class Subscriptions:
    """The open `subscriptions/listen` streams of every tenant."""

    def __init__(
        self,
        tenant_of: Callable[[Context], str],
        shared_state: "Callable[[], SharedState | None]" = lambda: None,
    ) -> None:
        """Tell tenants apart by `tenant_of`, and other replicas through `commons`."""
        self._tenant_of = tenant_of
        self._shared_state = shared_state
        self._buses: dict[str, InMemorySubscriptionBus] = {}
        self._handlers: dict[str, ListenHandler] = {}
        self._marks: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def listen(
        self, context: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream until the client leaves or the server ends.

        Raises:
            MCPError: It names more addresses than anybody watches.
        """
        if len(params.notifications.resource_subscriptions or ()) > ADDRESSES:
            words = f"At most {ADDRESSES} resources are listened to on a stream."
            raise MCPError(code=INVALID_PARAMS, message=words)
        tenant = self._tenant_of(context)
        if tenant not in self._handlers:
            bus = self._buses[tenant] = InMemorySubscriptionBus()
            self._handlers[tenant] = ListenHandler(bus, max_subscriptions=EACH)
        return await self._handlers[tenant](context, params)

    async def changed(self, context: Context, campaign_id: str, mark: str) -> None:
        """Tell the tenant's clients, here and on other replicas, that a campaign changed.

        Many watchers see the same change: the same `mark` is told once.
        """
        # Each call reaches the clients of one era only.
        tenant = self._tenant_of(context)
        if await self._publish(tenant, campaign_id, mark):
            await self._tell(tenant, campaign_id, mark)
        await context.session.send_resource_updated(uris.campaign(campaign_id))

    async def heard(self, account: str, campaign_id: str, mark: str) -> None:
        """Tell streams here and elsewhere of a change that no client's call has seen."""
        if await self._publish(account, campaign_id, mark):
            await self._tell(account, campaign_id, mark)

    async def relay(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Pass on what other replicas tell, until cancelled; without any, return at once."""
        shared_state = self._shared_state()
        while shared_state is not None:
            try:
                await shared_state.subscribe(self._heard)
            except NotRecorded:
                log.warning("changes seen by other replicas do not arrive for a while")
            await sleep(PAUSE)

    def close(self) -> None:
        """End every stream in good order."""
        for handler in self._handlers.values():
            handler.close()

    async def _publish(self, tenant: str, campaign_id: str, mark: str) -> bool:
        """Tell those who listen here; false if they know."""
        subject = tenant, campaign_id
        if self._marks.get(subject) == mark:
            return False
        self._marks[subject] = mark
        self._marks.move_to_end(subject)
        if len(self._marks) > REMEMBERED:
            self._marks.popitem(last=False)
        if bus := self._buses.get(tenant):
            await bus.publish(ResourceUpdated(uri=uris.campaign(campaign_id)))
        return True

    async def _tell(self, tenant: str, campaign_id: str, mark: str) -> None:
        shared_state = self._shared_state()
        if shared_state is None:
            return
        try:
            await shared_state.publish(tenant, json.dumps([campaign_id, mark]))
        except NotRecorded:
            log.warning("other replicas cannot be told of a change now")

    async def _heard(self, tenant: str, news: str) -> None:
        try:
            campaign_id, mark = map(str, json.loads(news))
        except ValueError:  # from another version of this server
            return
        await self._publish(tenant, campaign_id, mark)
