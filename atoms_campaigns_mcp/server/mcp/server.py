"""Assembling the MCP server: the same one for both transports and both protocol eras."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import (
    AESGCMRequestStateCodec,
    RequestStateBoundary,
    RequestStateSecurity,
)
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST, PaginatedRequestParams

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.effects import scope_of
from atoms_campaigns_mcp.server.auth.oauth.scopes import READING, needed
from atoms_campaigns_mcp.server.auth.principal import Principal, principal_of
from atoms_campaigns_mcp.server.instructions import instructions
from atoms_campaigns_mcp.server.mcp import prompts
from atoms_campaigns_mcp.server.mcp.call_handler import CallHandler
from atoms_campaigns_mcp.server.mcp.completions import Completions
from atoms_campaigns_mcp.server.mcp.error_boundary import by_known_names, without_details
from atoms_campaigns_mcp.server.mcp.monitor.app import EXTENSION
from atoms_campaigns_mcp.server.mcp.protocol_versions import without_batches
from atoms_campaigns_mcp.server.mcp.resources import Resources
from atoms_campaigns_mcp.server.mcp.subscriptions import Subscriptions
from atoms_campaigns_mcp.state.folder import secrets_of
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from atoms_campaigns_mcp.runtime import Runtime

NAME = "atoms-campaigns"

# How long a client of the stateless era may keep the list: it changes with a restart only.
_FRESH = {"resultType": "complete", "ttlMs": 300_000, "cacheScope": "private"}


class _LazySeal:
    """Seals the state of a question with the server's secrets, which are read when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._codec: AESGCMRequestStateCodec | None = None

    def _loaded(self) -> AESGCMRequestStateCodec:
        if self._codec is None:
            self._codec = AESGCMRequestStateCodec(list(secrets_of(self._settings)))
        return self._codec

    def seal(self, payload: bytes) -> str:
        return self._loaded().seal(payload)

    def unseal(self, token: str) -> bytes:
        return self._loaded().unseal(token)


async def _readers_only(
    principal: "Callable[[ServerRequestContext[Any]], Principal]",
    ctx: ServerRequestContext[Any],
    call_next: CallNext,
) -> HandlerResult:
    """Show nothing of the account to a token that may not read; tools are judged one by one."""
    who = principal(ctx) if ctx.method in READING else None
    if who and (missing := who.lacking(needed(ctx.method, ctx.params, who.allowed))):
        words = f"The access token lacks the scope {scope_of(missing)}."
        raise MCPError(code=INVALID_REQUEST, message=words)
    return await call_next(ctx)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, and what they may see and use."""

    settings: Settings
    open_runtime: "Callable[[Principal], Awaitable[Runtime]]"
    over_http: bool

    def principal(self, context: ServerRequestContext[Any]) -> Principal:
        return principal_of(context, self.settings)

    def catalog(self, who: Principal) -> Catalog:
        return Catalog.read(who.allowed, over_http=self.over_http)

    async def runtime(self, context: ServerRequestContext[Any]) -> "Runtime":
        return await self.open_runtime(self.principal(context))

    async def list_tools(
        self, context: ServerRequestContext[Any], _: PaginatedRequestParams
    ) -> dict[str, Any]:
        return {"tools": self.catalog(self.principal(context)).tools(), **_FRESH}


def build(
    settings: Settings,
    runtime: "Callable[[Principal], Awaitable[Runtime]]",
    *,
    over_http: bool = False,
    subscriptions: Subscriptions | None = None,
) -> Server[Any]:
    """Make the server; `runtime` is asked for on a tenant's first tool call."""
    asked = _Asked(settings, runtime, over_http)
    subscriptions = subscriptions or Subscriptions(lambda context: asked.principal(context).account)
    resources = Resources(settings.mode, asked.runtime)
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title=f"Atoms campaigns ({settings.mode})",
        instructions=instructions(settings),
        get_tool_input_schema=Catalog.read(over_http=over_http).input_schema,
        on_call_tool=CallHandler(settings, asked.catalog, runtime, subscriptions.changed).call,
        on_list_resources=resources.list,
        on_list_resource_templates=resources.templates,
        on_read_resource=resources.read,
        on_subscriptions_listen=subscriptions.listen,
        on_list_prompts=prompts.list_prompts,
        on_get_prompt=prompts.get_prompt,
        on_completion=Completions(asked.runtime).complete,
    )
    server.extensions[EXTENSION] = {}
    # Registered apart from the constructor, which would want the models instead of the snapshot.
    server.add_request_handler("tools/list", PaginatedRequestParams, asked.list_tools)
    _add_middleware(server, settings, asked.principal)
    return server


def _add_middleware(
    server: Server[Any],
    settings: Settings,
    principal: "Callable[[ServerRequestContext[Any]], Principal]",
) -> None:
    security = RequestStateSecurity(
        codec=_LazySeal(settings), bind_principal=lambda context: principal(context).tenant
    )
    server.middleware.insert(0, by_known_names)
    server.middleware.append(partial(_readers_only, principal))
    server.middleware.append(without_batches)
    server.middleware.append(without_details)
    server.middleware.append(RequestStateBoundary(security, default_audience=NAME))
