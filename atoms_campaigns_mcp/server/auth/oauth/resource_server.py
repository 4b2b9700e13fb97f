"""`--auth oauth`: an OAuth 2.1 resource server, whose operator assigns accounts to subjects."""

import httpx2
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.atoms.transport import no_cookies
from atoms_campaigns_mcp.config.identity import tenant_of_subject
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.effects import scope_of
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.auth.api_keys import Denied, bearer
from atoms_campaigns_mcp.server.auth.oauth.access_tokens import AccessTokens, InvalidTokenError
from atoms_campaigns_mcp.server.auth.oauth.challenges import Challenges
from atoms_campaigns_mcp.server.auth.oauth.jwks import PATIENCE, Keys
from atoms_campaigns_mcp.server.auth.oauth.scopes import effects_of
from atoms_campaigns_mcp.server.auth.oauth.subject_keys import subject_keys_of
from atoms_campaigns_mcp.server.auth.principal import Principal, Unauthenticated, Unverifiable
from atoms_campaigns_mcp.telemetry import log


class OAuth:
    """Verifies access tokens, and says to clients how they get one."""

    def __init__(
        self, settings: Settings, clocks: Clocks, network: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        """Trust the issuer that `settings` names; `network` replaces the network in tests.

        Raises:
            ConfigurationError: The accounts file cannot be used.
        """
        self._settings = settings
        self._accounts = subject_keys_of(settings, clocks.monotonic)
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": f"atoms-campaigns-mcp/{__version__}"},
            timeout=PATIENCE,
            transport=network,
            cookies=no_cookies(),
            follow_redirects=False,
        )
        issuer, resource = settings.oauth_issuer, settings.oauth_resource
        keys = Keys(issuer, settings.oauth_jwks, self._http, clocks.monotonic)
        self._tokens = AccessTokens(issuer, resource, keys, clocks.seconds)
        self.challenges = Challenges(issuer, resource, settings.permitted)

    async def verify(self, headers: Headers) -> Principal:
        """See `auth.Verify`.

        Raises:
            Denied: There is no token, or it lets nobody in.
        """
        try:
            claims = await self._tokens.check(bearer(headers))
            subject: str = claims["sub"]
            tenant = tenant_of_subject(self._settings.oauth_issuer, subject)
            granted, offered = effects_of(claims), self._settings.permitted
            if not granted & offered:
                words = "The access token has none of this server's scopes."
                raise self.challenges.step_up(scope_of(offered), words)
            key = await self._accounts.key(subject)
        except Unauthenticated:
            words = "An access token is needed."
            raise self.challenges.sign_on(words, error="") from None
        except InvalidTokenError as error:
            raise self.challenges.sign_on(str(error)) from error
        except Unverifiable as error:
            words = f"{error} Try again, or tell the operator."
            raise _refused(503, "unavailable", words, {"Retry-After": "5"}) from error
        if not key:
            log.warning("no account is assigned to the subject of tenant %s", tenant[:8])
            # No challenge: signing on again would not help.
            words = "You are known, but no Atoms account is assigned to you. Ask the operator."
            raise _refused(403, "access_denied", words)
        return Principal(tenant, key, granted & offered, offered - granted)

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()


def _refused(status: int, error: str, words: str, headers: dict[str, str] | None = None) -> Denied:
    body = {"error": error, "error_description": words}
    return Denied(JSONResponse(body, status, headers))
