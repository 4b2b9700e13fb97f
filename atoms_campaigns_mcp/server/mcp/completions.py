"""Completions: ids and names for what the user begins to type."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp_types import CompleteRequestParams, CompleteResult, Completion

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from atoms_campaigns_mcp.runtime import Runtime

MOST = 100  # what the protocol allows


@dataclass(frozen=True, slots=True)
class Completions:
    """Completes campaign ids, and names of agents and audiences, of prompts and resources."""

    runtime: "Callable[[ServerRequestContext[Any]], Awaitable[Runtime]]"

    async def complete(
        self, context: ServerRequestContext[Any], params: CompleteRequestParams
    ) -> CompleteResult:
        """Return values that begin with what was typed; nothing for what is not known."""
        typed = params.argument.value.casefold()
        try:
            values, more = await self._values(context, params.argument.name, typed)
        except AtomsCampaignsError as error:
            log.info("no completion: %s", error.code)
            values, more = [], False
        found = [value for value in values if value.casefold().startswith(typed)]
        more = more or len(found) > MOST
        total = None if more else len(found)
        completion = Completion(values=found[:MOST], total=total, has_more=more)
        return CompleteResult(completion=completion)

    async def _values(
        self, context: ServerRequestContext[Any], name: str, typed: str
    ) -> tuple[list[str], bool]:
        if name not in {"campaign_id", "agent_id", "audience_id"}:
            return [], False
        from atoms_campaigns_mcp.tool_calls.session import reading  # noqa: PLC0415 - heavy

        atoms = reading(await self.runtime(context)).atoms
        if name == "campaign_id":
            rows, listed = await atoms.list_campaigns(limit=MOST)
            return [row.id for row in rows], listed.has_more
        if name == "agent_id":
            rows, listed = await atoms.list_agents(limit=MOST, search=typed or None)
            return [row.name for row in rows], listed.has_more
        return [row.name for row in await atoms.list_audiences()], False
