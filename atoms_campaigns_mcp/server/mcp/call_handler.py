"""Tool calls by MCP clients: from the request to a call, and from its outcome to the reply."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult, TextContent

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.auth.principal import Principal, note_call, principal_of
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

if TYPE_CHECKING:
    from atoms_campaigns_mcp.runtime import Runtime

Changed = Callable[[ServerRequestContext[Any], str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _ClientNews:
    """The `News` of a call by an MCP client."""

    context: ServerRequestContext[Any]
    told: Changed

    async def progress(self, part: float, whole: float | None, text: str) -> None:
        """Report progress to the caller, if it wants to hear of it."""
        await self.context.session.report_progress(part, whole, text)

    async def changed(self, campaign_id: str, mark: str) -> None:
        """Tell every client of the tenant that subscribes to the campaign."""
        await self.told(self.context, campaign_id, mark)


@dataclass(frozen=True, slots=True)
class CallHandler:
    """Carries out tool calls. A runtime opens on its first call, not at start-up."""

    settings: Settings
    catalog: Callable[[Principal], Catalog]
    runtime: "Callable[[Principal], Awaitable[Runtime]]"
    changed: Changed

    async def call(
        self, context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Return the tool's result; a failure is a result too, with text that says what to do."""
        # Imported on the first call, so that tools/list is answered without them.
        from atoms_campaigns_mcp.server.mcp.elicitation import (  # noqa: PLC0415
            Elicitation,
            input_required,
        )
        from atoms_campaigns_mcp.tool_calls.asker import PendingQuestion  # noqa: PLC0415
        from atoms_campaigns_mcp.tool_calls.outcome import outcome_of  # noqa: PLC0415
        from atoms_campaigns_mcp.tool_calls.session import Caller  # noqa: PLC0415

        principal = principal_of(context, self.settings)
        caller = Caller(
            principal,
            self.catalog(principal),
            self.runtime,
            lambda clocks: Elicitation(context, params, clocks.monotonic),
            _ClientNews(context, self.changed),
        )
        arguments, mode = params.arguments or {}, self.settings.mode
        try:
            outcome = await outcome_of(caller, params.name, arguments, mode)
        finally:
            note_call(context)
        if isinstance(outcome, PendingQuestion):
            return input_required(outcome)
        return CallToolResult(
            content=[TextContent(type="text", text=outcome.text)],
            structured_content=outcome.data,
            is_error=outcome.is_error,
        )
