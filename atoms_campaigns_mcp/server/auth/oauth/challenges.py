"""What a client is told when it must sign on, or sign on for more (RFC 6750, RFC 9728)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse

from atoms_campaigns_mcp.effects import Effect, scope_of
from atoms_campaigns_mcp.server.auth.api_keys import Denied

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Challenges:
    """The answers of a protected resource; `offered` are the effects that the modes leave."""

    issuer: str
    resource: str
    offered: frozenset[Effect]

    @property
    def metadata_url(self) -> str:
        """Where clients read who issues tokens: beside the resource, as RFC 9728 builds it."""
        parts = urlsplit(self.resource)
        return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"

    def metadata(self) -> dict[str, Any]:
        """Return the document; issuer and resource stand in it exactly as they are compared."""
        return {
            "resource": self.resource,
            "authorization_servers": [self.issuer],
            "scopes_supported": scope_of(self.offered).split(),
            "bearer_methods_supported": ["header"],
            "resource_name": "Atoms campaigns",
        }

    def sign_on(self, words: str, *, error: str = "invalid_token") -> Denied:
        """Ask for a token: 401. `error` stays empty where none was sent.

        All scopes are asked for, since tools without theirs are not even listed: a client that
        began with fewer would never learn that there are more. The issuer decides what it grants.
        """
        return self._denied(401, error, words, scope_of(self.offered))

    def step_up(self, scope: str, words: str) -> Denied:
        """Ask for a token with `scope`: 403."""
        return self._denied(403, "insufficient_scope", words, scope)

    def _denied(self, status: int, error: str, words: str, scope: str) -> Denied:
        fields = {
            "error": error,
            "error_description": words if error else "",
            "scope": scope,
            "resource_metadata": self.metadata_url,
        }
        told = ", ".join(f'{name}="{value}"' for name, value in fields.items() if value)
        body = {"error": error or "unauthorized", "error_description": words}
        return Denied(JSONResponse(body, status, {"WWW-Authenticate": f"Bearer {told}"}))
