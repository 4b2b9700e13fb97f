"""Who sends a request: the only account of a local server, or the tenant of an API key."""

from dataclasses import dataclass, field, replace
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from atoms_campaigns_mcp.config.identity import LOCAL, account_of
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.effects import EVERYTHING, Effect


class Unauthenticated(Exception):
    """A request brings nothing that lets it in."""


class Unverifiable(Exception):
    """Who asks cannot be told now; the text says why, and trying again may help."""


SCOPE = "atoms_campaigns.principal"
"""Where the HTTP side keeps the principal of a request."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A tenant with its API key, and what this request may do.

    `allowed` is what the operator's modes and the token's scopes leave, or less: a request can give
    up rights and never gain any. `obtainable` is what a token with more scopes would allow.
    """

    tenant: str
    key: str = field(default="", repr=False)
    allowed: frozenset[Effect] = EVERYTHING
    obtainable: frozenset[Effect] = frozenset()

    @property
    def account(self) -> str:
        """The account of the API key, which several tenants may share."""
        return account_of(self.key)

    def within(self, effects: frozenset[Effect]) -> "Principal":
        """Take away every right that is not among `effects`."""
        return replace(self, allowed=self.allowed & effects, obtainable=self.obtainable & effects)


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
