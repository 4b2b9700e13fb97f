"""Who sends a request: the only account of a local server, or the tenant of an API key."""

from dataclasses import dataclass, field
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from atoms_campaigns_mcp.settings import LOCAL, Settings

SCOPE = "atoms_campaigns.principal"
"""Where the HTTP side keeps the principal of a request."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A tenant with its API key, and what this request may not see.

    The modes are the operator's, or narrower: a request can give up rights and never gain any.
    """

    tenant: str
    key: str = field(default="", repr=False)
    read_only: bool = False
    no_dial: bool = False


def principal_of(context: ServerRequestContext[Any], settings: Settings) -> Principal:
    """Give the principal of a request.

    Raises:
        MCPError: It should have been authenticated, and was not.
    """
    if context.request is not None and (found := context.request.scope.get(SCOPE)):
        return found
    if settings.auth in {"key", "oauth"}:
        raise MCPError(code=INVALID_REQUEST, message="Not authenticated.")
    return Principal(LOCAL, settings.api_key, settings.read_only, settings.no_dial)
