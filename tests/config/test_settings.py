import os
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.config.settings import DEFAULT_API_URL, SETTINGS, Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.serving import Caller

KEY = "sk_test_0123456789"


def refusal(environ: dict[str, str], flags: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(environ, flags)
    return str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"SMALLEST_API_KEY": ""}, {"SMALLEST_API_KEY": "  "}])
def test_without_a_key_the_mode_is_sandbox(environ: dict[str, str]) -> None:
    assert Settings.load(environ).mode == "sandbox"


@pytest.mark.parametrize("name", ["SMALLEST_API_KEY", "ATOMS_API_KEY"])
def test_either_name_of_the_key_makes_the_mode_live(name: str) -> None:
    settings = Settings.load({name: KEY})
    assert (settings.mode, settings.api_key, settings.api_url) == ("live", KEY, DEFAULT_API_URL)


def test_two_different_keys_are_refused_without_showing_either() -> None:
    text = refusal({"SMALLEST_API_KEY": KEY, "ATOMS_API_KEY": "sk_other"})
    assert "SMALLEST_API_KEY and ATOMS_API_KEY" in text
    assert "sk_" not in text


def test_the_same_key_under_both_names_is_fine() -> None:
    assert Settings.load({"SMALLEST_API_KEY": KEY, "ATOMS_API_KEY": KEY}).mode == "live"


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.variable)
def test_a_placeholder_that_the_client_did_not_fill_in_is_refused(row: object) -> None:
    variable = getattr(row, "variable", "")
    assert "placeholder" in refusal({variable: "${input:value}"})


def test_live_without_a_key_is_refused() -> None:
    assert "ATOMS_MCP_LIVE" in refusal({"ATOMS_MCP_LIVE": "1"})


def test_an_address_without_a_key_is_refused() -> None:
    assert "no API key" in refusal({"ATOMS_API_URL": "https://example.com/atoms/v1"})


@pytest.mark.parametrize(
    "url", ["http://example.com/atoms/v1", "ftp://example.com", "example.com", "https://a:b@c.d/"]
)
def test_an_address_that_is_not_safe_is_refused_without_showing_it(url: str) -> None:
    text = refusal({"SMALLEST_API_KEY": KEY, "ATOMS_API_URL": url})
    assert "ATOMS_API_URL" in text
    assert url not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_is_allowed_on_this_machine(host: str) -> None:
    environ = {"SMALLEST_API_KEY": KEY, "ATOMS_API_URL": f"http://{host}:8790/atoms/v1/"}
    settings = Settings.load(environ)
    assert settings.api_url == f"http://{host}:8790/atoms/v1"
    assert settings.billing_url == f"http://{host}:8790/payment/v1"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ATOMS_MCP_CONFIRM", "perhaps"),
        ("ATOMS_MCP_READ_ONLY", "maybe"),
        ("ATOMS_MCP_RATE", "-7"),
        ("ATOMS_MCP_RATE", "fast"),
        ("ATOMS_MCP_RATE", "inf"),
        ("ATOMS_MCP_SECRET", "short-secret"),
        ("ATOMS_MCP_ALLOWED_AGENTS", " , "),
        ("ATOMS_MCP_ALLOWED_CALLER_IDS", ","),
        ("ATOMS_MCP_FILES", os.pathsep),
        ("ATOMS_MCP_SANDBOX_SPEED", "-1"),
        ("ATOMS_MCP_SANDBOX_SEED", "one"),
    ],
)
def test_a_malformed_value_is_refused_by_name_and_never_shown(variable: str, value: str) -> None:
    text = refusal({variable: value})
    assert text.startswith(variable)
    assert "It means: " in text
    assert value not in text.replace(variable, "").split("It means: ")[0]


def test_a_flag_wins_over_its_variable() -> None:
    settings = Settings.load({"ATOMS_MCP_CONFIRM": "never"}, {"confirm": "human"})
    assert settings.confirm == "human"


def test_switches_and_numbers_are_read() -> None:
    settings = Settings.load(
        {"ATOMS_MCP_READ_ONLY": "1", "ATOMS_MCP_NO_DIAL": "true", "ATOMS_MCP_SANDBOX_SPEED": "max"}
    )
    assert (settings.read_only, settings.no_dial, settings.sandbox_speed) == (True, True, "max")


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1",
        "redis://cache:6380/3",
        "rediss://user:hidden@cache/0?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock?db=1",
        "redis://:hidden@[::1]:6379",
    ],
)
def test_the_state_may_be_a_redis_whose_credentials_are_never_shown(address: str) -> None:
    settings = Settings.load({"ATOMS_MCP_STATE": address})
    assert settings.state == RedisAddress(address)
    for text in (str(settings.state), repr(settings.state), repr(settings), f"{settings.state}"):
        assert "hidden" not in text
        assert "user" not in text


@pytest.mark.parametrize(
    "address",
    [
        "redis://",
        "redis://:hidden@",
        "redis://hidden:port/0",
        "redis://hidden:0",
        "redis://hidden/name",
        "https://hidden/0",
        "unix://",
        "rediss://hidden/0?ssl_cert_reqs=none",
        "redis://hidden/0?password=hidden",
    ],
)
def test_an_address_of_the_state_that_cannot_be_used_is_refused_and_not_shown(
    address: str,
) -> None:
    text = refusal({"ATOMS_MCP_STATE": address})
    assert text.startswith("ATOMS_MCP_STATE")
    assert "hidden" not in text


@pytest.mark.parametrize("flag", ["redis://:hidden@host/0", "rediss://user:hidden@host/0"])
def test_a_password_of_the_state_is_taken_from_the_environment_only(flag: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({}, {"state": flag})
    assert "ATOMS_MCP_STATE" in str(caught.value)
    assert "hidden" not in str(caught.value)
    plain = Settings.load({"ATOMS_MCP_STATE": flag}, {"state": "redis://host/0"})
    assert plain.state == RedisAddress("redis://host/0")


def test_several_secrets_are_read_in_their_order() -> None:
    first, second = "a" * 32, "b" * 40
    settings = Settings.load({"ATOMS_MCP_SECRET": f"{first}, {second}"})
    assert settings.secret == (first.encode(), second.encode())
    assert "short" not in refusal({"ATOMS_MCP_SECRET": f"{first},short"}).split("It means")[0]


@pytest.mark.anyio
async def test_billing_is_asked_where_the_operator_says(bench: Bench) -> None:
    environ = {"SMALLEST_API_KEY": KEY, "ATOMS_MCP_PAYMENT_URL": "https://billing.example/v2/"}
    bench.settings = replace(Settings.load(environ), state=bench.settings.state)
    sandbox, asked = bench.wire.below, list[str]()

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host != "billing.example":
            return await sandbox.handle_async_request(request)
        asked.append(str(request.url))
        return httpx2.Response(200, json={"success": True, "data": {"creditBalance": 7}})

    bench.wire.below = httpx2.MockTransport(answer)
    async with bench.client() as client:
        account = await client.call("get_account")
    assert asked == ["https://billing.example/v2/credits/balance"]
    assert account["balance_usd"] == 7


async def outcomes(state: Path, seed: str) -> list[str]:
    """What became of each contact of the campaign that a new sandbox comes with."""
    settings = replace(Settings.load({"ATOMS_MCP_SANDBOX_SEED": seed}), state=state)
    runtimes = RuntimePool(settings, clocks=FakeClock().clocks())
    try:
        async with Client(build(settings, runtimes)) as client:
            caller = Caller(client)
            (campaign,) = (await caller.call("list_campaigns"))["campaigns"]
            results = await caller.call(
                "get_campaign_results", campaign_id=campaign["id"], limit=20
            )
    finally:
        await runtimes.close()
    return [row["final_status"] for row in results["results"]]


@pytest.mark.slow
@pytest.mark.anyio
async def test_the_seed_decides_how_the_sandboxs_calls_end(tmp_path: Path) -> None:
    seeds = {"one": "1", "again": "1", "none": "", "two": "2"}
    ends = {name: await outcomes(tmp_path / name, seed) for name, seed in seeds.items()}
    assert ends["one"] == ends["again"] == ends["none"] != ends["two"]
