"""What an operator must set, and may not."""

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.support.issuer import RESOURCE

GOOD = {
    "ATOMS_MCP_OAUTH_ISSUER": "https://issuer.example.com/",
    "ATOMS_MCP_OAUTH_RESOURCE": RESOURCE,
    "ATOMS_MCP_OAUTH_ACCOUNTS": "accounts.json",
}


def test_issuer_and_resource_are_kept_to_the_letter_and_no_key_of_the_server_is_used() -> None:
    settings = Settings.load({**GOOD, "SMALLEST_API_KEY": "sk_own"}, auth="oauth")
    assert settings.oauth_issuer == "https://issuer.example.com/"
    assert (settings.oauth_resource, settings.api_key) == (RESOURCE, "")
    assert settings.mode == "live"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"ATOMS_MCP_OAUTH_ISSUER": ""}, "needs ATOMS_MCP_OAUTH_ISSUER"),
        ({"ATOMS_MCP_OAUTH_RESOURCE": ""}, "and ATOMS_MCP_OAUTH_RESOURCE"),
        ({"ATOMS_MCP_OAUTH_ISSUER": "http://a.example.com"}, "ATOMS_MCP_OAUTH_ISSUER may use"),
        ({"ATOMS_MCP_OAUTH_JWKS": "http://a.example.com"}, "ATOMS_MCP_OAUTH_JWKS may use"),
        ({"ATOMS_MCP_OAUTH_ACCOUNTS": ""}, "ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND"),
        ({"ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND": "/bin/lookup"}, "and not both"),
    ],
)
def test_settings_that_do_not_fit_are_refused(extra: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Settings.load({**GOOD, **extra}, auth="oauth")
