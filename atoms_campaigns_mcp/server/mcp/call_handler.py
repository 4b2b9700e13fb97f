"""One tool call, from name and arguments to a result: the only way in, and the only catch."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams, CallToolResult, InputRequiredResult, TextContent

from atoms_campaigns_mcp.config.settings import Mode, Settings
from atoms_campaigns_mcp.effects import EVERYTHING, Effect
from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    Busy,
    InvalidArguments,
    NotConfirmed,
    RateLimited,
    Refused,
)
from atoms_campaigns_mcp.redaction import whole
from atoms_campaigns_mcp.server.auth.oauth.scopes import needed, scope_of
from atoms_campaigns_mcp.server.auth.principal import Principal, principal_of
from atoms_campaigns_mcp.telemetry import call_id, called, log
from atoms_campaigns_mcp.tool_calls.catalog import Catalog, absent

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


class _Crashed(AtomsCampaignsError):
    """A fault of our own, as the client hears of it."""

    code = "crashed"

    def __init__(self, call: str) -> None:
        super().__init__(
            f"This server has a fault of its own (call {call}). It may or may not have acted.",
            next_step="Check with get_campaign_status or list_campaigns before trying again, and "
            "report the call id to the operator.",
        )


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
        call = secrets.token_hex(4)
        call_id.set(call)
        principal = principal_of(context, self.settings)
        catalog = self.catalog(principal)
        tool = params.name if params.name in catalog.entries else "unknown"
        try:
            result = await self._call(context, params, principal, catalog)
        except AtomsCampaignsError as error:
            log.info("%s: %s", tool, error.code)
            called(tool, error.code)
            return _failed(error, self.settings.mode)
        except Exception:  # noqa: BLE001 - the boundary: nothing may pass it but a result
            log.exception("%s crashed", tool)
            called(tool, _Crashed.code)
            return _failed(_Crashed(call), self.settings.mode)
        called(tool, "asked" if isinstance(result, InputRequiredResult) else "ok")
        return result

    async def _call(
        self,
        context: ServerRequestContext[Any],
        params: CallToolRequestParams,
        principal: Principal,
        catalog: Catalog,
    ) -> CallToolResult | InputRequiredResult:
        given = whole(params.arguments or {})
        _granted(principal, params.name, given)
        entry = catalog.entries.get(params.name)
        if entry is None:
            raise _unknown_tool(principal, catalog)
        # Imported on the first call, so that tools/list is answered without them.
        from atoms_campaigns_mcp.server.mcp.elicitation import (  # noqa: PLC0415
            Elicitation,
            input_required,
        )
        from atoms_campaigns_mcp.tool_calls.arguments import check  # noqa: PLC0415
        from atoms_campaigns_mcp.tool_calls.asker import PendingQuestion  # noqa: PLC0415
        from atoms_campaigns_mcp.tool_calls.run import run  # noqa: PLC0415
        from atoms_campaigns_mcp.tool_calls.session import Session  # noqa: PLC0415
        from atoms_campaigns_mcp.toolkit.registry import load  # noqa: PLC0415

        tool = load(params.name)
        dials = bool(tool.dials_when) and not absent(given.get(tool.dials_when))
        if dials and Effect.DIALS not in principal.allowed:
            raise _dialling_is_off(tool.dials_when)
        args, note = check(tool, given, entry["tool"]["inputSchema"]["properties"])
        runtime = await self.runtime(principal)
        asker = Elicitation(context, params, runtime.clocks.monotonic)
        session = Session(runtime, principal, asker, _ClientNews(context, self.changed))
        with runtime.shared.call():
            result = await run(session, tool, args)
        if isinstance(result, PendingQuestion):
            return input_required(result)
        result.mode = self.settings.mode
        result.next_step = f"{note} {result.next_step}".strip()
        parts = (f"[{result.mode}]", result.summary(), result.agreement(), result.next_step)
        text = " ".join(part for part in parts if part)
        return _said(text, data=result.model_dump(mode="json", exclude_none=True))


def _granted(principal: Principal, name: str, arguments: dict[str, Any]) -> None:
    taken = needed("tools/call", {"name": name, "arguments": arguments}, principal.allowed)
    missing = taken - principal.allowed
    if missing and missing <= principal.obtainable:
        raise Refused(
            f"Your access token lacks the scope {scope_of(missing)}. Nothing was sent.",
            next_step=f"Ask the user to sign on again with the scope {scope_of(missing)}.",
        )


def _unknown_tool(principal: Principal, catalog: Catalog) -> AtomsCampaignsError:
    why = ""
    if principal.allowed != EVERYTHING:
        why = (
            " The operator has switched some tools off, or this client has (read-only or no-dial)."
        )
    return InvalidArguments(
        f"There is no such tool.{why}",
        next_step=f"Tools of this server: {', '.join(catalog.entries)}.",
    )


def _dialling_is_off(argument: str) -> AtomsCampaignsError:
    return Refused(
        f"{argument} is switched off by the operator of this server (ATOMS_MCP_NO_DIAL) or for "
        "this client. Nothing was sent.",
        next_step="Leave it out to create a draft, or ask the operator.",
    )


def _failed(error: AtomsCampaignsError, mode: Mode) -> CallToolResult:
    data: dict[str, Any] = {
        "mode": mode,
        "code": error.code,
        "message": error.message,
        "next_step": error.next_step,
    }
    if isinstance(error, NotConfirmed) and error.confirm_token:
        data["confirm_token"] = error.confirm_token
    if isinstance(error, RateLimited | Busy) and error.wait is not None:
        data["retry_after"] = error.wait
    # Some hosts drop structured content from errors, so the text holds everything.
    return _said(f"[{mode}] {error}", data=data, is_error=True)


def _said(
    text: str, *, data: dict[str, Any] | None = None, is_error: bool = False
) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=data, is_error=is_error
    )
