"""Who sends a request: the only account of a local server, or the tenant of an API key."""

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.telemetry import call_id, trace_id


class Unauthenticated(Exception):
    """A request brings nothing that lets it in."""


class Unverifiable(Exception):
    """Who asks cannot be told now; the text says why, and trying again may help."""


SCOPE = "atoms_campaigns.principal"
"""Where the HTTP side keeps the principal of a request."""


CALL = "atoms_campaigns.call"
"""Where the HTTP side learns which tool call a request was: a mapping that it put there."""


def note_call(context: ServerRequestContext[Any]) -> None:
    """Tell the HTTP side, if there is one, the ids of the call that a request was."""
    notes = None if context.request is None else context.request.scope.get(CALL)
    if notes is not None:
        notes.update(call=call_id.get(), trace_id=trace_id())


def principal_of(context: ServerRequestContext[Any], settings: Settings) -> Principal:
    """Return the principal of a request.

    Raises:
        MCPError: It should have been authenticated, and was not.
    """
    if context.request is not None and (found := context.request.scope.get(SCOPE)):
        return found
    if settings.auth in {"key", "oauth"}:
        raise MCPError(code=INVALID_REQUEST, message="Not authenticated.")
    return Principal(LOCAL, settings.api_key, settings.permitted)
