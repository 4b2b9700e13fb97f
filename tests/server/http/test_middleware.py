"""What a request passes: one list in order, and one decoding of its body."""

from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.server import jsonrpc
from atoms_campaigns_mcp.server.http.serve import Service
from tests.support.bench import Bench
from tests.support.issuer import RESOURCE
from tests.support.serving import ERAS
from tests.support.team import ACCEPT, ANNA, LEGACY, request, routing, serving_team

pytestmark = pytest.mark.anyio
STOP: dict[str, Any] = {"name": "pause_campaign", "arguments": {"campaign_id": "all"}}
OUTSIDE = ["Normalization", "AccessLog", "CORSMiddleware", "AllowedHosts"]
AUTHENTICATED = ["Authentication", "RateLimits", "SessionLimits", "Streams", "Bodies"]


def passed(app: Any) -> list[str]:
    """Name what a request to `app` passes, the first one first."""
    names: list[str] = []
    while type(app).__name__ != "Starlette":
        names.append(type(app).__name__)
        app = getattr(app, "_app", None) or app.app
    return names


async def test_a_request_passes_its_checks_in_the_order_of_the_list(bench: Bench) -> None:
    service = Service(bench.settings)
    assert passed(service.app) == [*OUTSIDE, *AUTHENTICATED, "PostChecks"]
    await service.close()


async def test_how_to_sign_on_is_told_before_a_token_is_checked_and_a_missing_scope_after_it(
    bench: Bench, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text('{"anna": "sk_acme"}')
    accounts.chmod(0o600)
    bench.configure(auth="oauth", oauth_resource=RESOURCE, oauth_accounts=accounts)
    bench.configure(oauth_issuer="https://issuer.example.com")
    service = Service(bench.settings)
    oauth = ["ResourceMetadata", *AUTHENTICATED, "ScopeChallenge", "PostChecks"]
    assert passed(service.app) == [*OUTSIDE, *oauth]
    await service.close()


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("rate", [1, 1e6], ids=["beyond the rate limit", "within it"])
async def test_a_body_is_decoded_once_also_to_find_the_emergency_stop(
    bench: Bench, era: str, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.configure(client_rate=rate)
    decoded: list[bytes] = []
    decode = jsonrpc.decode

    def counting(raw: bytes) -> Any:
        decoded.append(raw)
        return decode(raw)

    async with serving_team(bench) as team:
        headers = routing("tools/call", STOP)
        if era == "legacy":
            headers = {**ACCEPT, **LEGACY, "Mcp-Session-Id": await team.session(ANNA)}
        await team.post(ANNA, "tools/list")
        assert (await team.post(ANNA, "tools/list")).status_code == (429 if rate == 1 else 200)
        monkeypatch.setattr(jsonrpc, "decode", counting)
        async with team.http(ANNA) as http:
            stop = request("tools/call", STOP)
            answer = await http.post("/mcp", json=stop, headers=headers)
    assert answer.status_code == 200
    assert len(decoded) == 1
