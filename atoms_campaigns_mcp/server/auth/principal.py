"""Who sends a request: the only account of a local server, or the tenant of an API key."""

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.config.settings import Settings


class Unauthenticated(Exception):
    """A request brings nothing that lets it in."""


class Unverifiable(Exception):
    """Who asks cannot be told now; the text says why, and trying again may help."""


SCOPE = "atoms_campaigns.principal"
"""Where the HTTP side keeps the principal of a request."""


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
