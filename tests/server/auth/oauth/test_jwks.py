"""The issuer's keys: found, kept, renewed, and asked for no more often than they must."""

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.server.auth.oauth.jwks import FRESH, PAUSE, STALE, WAITING, Keys
from atoms_campaigns_mcp.server.auth.principal import Unverifiable
from tests.support.clock import FakeClock
from tests.support.issuer import Hosts, Issuer

pytestmark = pytest.mark.anyio
API = httpx2.MockTransport(lambda _: httpx2.Response(500))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> Issuer:
    return Issuer(lambda: clock.now().timestamp())


def keys_of(issuer: Issuer, clock: FakeClock, jwks: str = "") -> Keys:
    http = httpx2.AsyncClient(transport=Hosts(issuer, API))
    return Keys(issuer.url, jwks, http, clock.monotonic)


async def known(keys: Keys, kid: str) -> bool:
    return await keys.find(kid, "RS256") is not None


async def test_keys_are_found_through_the_metadata_and_read_once(
    issuer: Issuer, clock: FakeClock
) -> None:
    keys = keys_of(issuer, clock)
    assert [await known(keys, "rs256-1") for _ in range(3)] == [True] * 3
    assert issuer.asked == [
        "/.well-known/oauth-authorization-server/realm",
        "/.well-known/openid-configuration/realm",
        "/realm/keys",
    ]


async def test_an_address_of_the_operators_needs_no_metadata(
    issuer: Issuer, clock: FakeClock
) -> None:
    assert await known(keys_of(issuer, clock, f"{issuer.url}/keys"), "rs256-1")
    assert issuer.asked == ["/realm/keys"]


async def test_a_rotated_key_is_accepted_after_one_renewal(
    issuer: Issuer, clock: FakeClock
) -> None:
    keys = keys_of(issuer, clock)
    assert await known(keys, "rs256-1")
    clock.advance(seconds=PAUSE)
    issuer.kids = ["rs256-2"]
    assert await known(keys, "rs256-2")
    assert not await known(keys, "rs256-1")
    assert issuer.asked_for_keys() == 2


async def test_a_flood_of_unknown_keys_costs_one_renewal_in_a_while(
    issuer: Issuer, clock: FakeClock
) -> None:
    keys = keys_of(issuer, clock)
    assert await known(keys, "rs256-1")
    for round_ in range(3):
        clock.advance(seconds=PAUSE)
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(known, keys, f"rs256-{round_}-{number}")
        assert await known(keys, "rs256-1")
        assert issuer.asked_for_keys() == 2 + round_


async def test_a_withdrawn_key_is_dropped_when_keys_are_renewed(
    issuer: Issuer, clock: FakeClock
) -> None:
    keys = keys_of(issuer, clock)
    assert await known(keys, "rs256-1")
    issuer.kids = ["rs256-2"]
    clock.advance(seconds=FRESH - 1)
    assert await known(keys, "rs256-1")
    clock.advance(seconds=2)
    assert not await known(keys, "rs256-1")


async def test_without_its_issuer_the_server_goes_on_with_the_keys_it_has_for_a_day(
    issuer: Issuer, clock: FakeClock
) -> None:
    keys = keys_of(issuer, clock)
    assert await known(keys, "rs256-1")
    issuer.away = True
    clock.advance(seconds=STALE - 1)
    assert await known(keys, "rs256-1")
    clock.advance(seconds=2)
    with pytest.raises(Unverifiable):
        await known(keys, "rs256-1")


async def test_a_server_that_began_without_its_issuer_recovers(
    issuer: Issuer, clock: FakeClock
) -> None:
    issuer.away = True
    keys = keys_of(issuer, clock)
    for _ in range(3):
        with pytest.raises(Unverifiable):
            await known(keys, "rs256-1")
    asked = len(issuer.asked)
    issuer.away = False
    with pytest.raises(Unverifiable):
        await known(keys, "rs256-1")
    assert len(issuer.asked) == asked
    clock.advance(seconds=WAITING)
    assert await known(keys, "rs256-1")


async def test_whoever_has_a_known_key_does_not_wait_for_a_slow_issuer(
    issuer: Issuer, clock: FakeClock
) -> None:
    slow, asked, waited = anyio.Event(), anyio.Event(), anyio.Event()

    class Slow(Hosts):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if issuer.asked_for_keys():
                asked.set()
                await slow.wait()
            return await super().handle_async_request(request)

    keys = Keys(
        issuer.url,
        f"{issuer.url}/keys",
        httpx2.AsyncClient(transport=Slow(issuer, API)),
        clock.monotonic,
    )
    assert await known(keys, "rs256-1")
    clock.advance(seconds=PAUSE)

    async def wait() -> None:
        await known(keys, "rs256-2")
        waited.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await asked.wait()
        clock.advance(seconds=FRESH)
        assert await known(keys, "rs256-1")
        assert not waited.is_set()
        slow.set()


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://issuer.example.com"},
        {"jwks_uri": "http://issuer.example.com/realm/keys"},
        {"jwks_uri": "https://issuer.example.com/realm/elsewhere"},
        {"jwks_uri": None},
    ],
    ids=["of another issuer", "in the clear", "redirecting", "without keys"],
)
async def test_metadata_that_cannot_be_trusted_leads_to_no_keys(
    issuer: Issuer, clock: FakeClock, changes: dict[str, str]
) -> None:
    issuer.changes = changes
    with pytest.raises(Unverifiable):
        await known(keys_of(issuer, clock), "rs256-1")
    assert issuer.asked_for_keys() == 0


async def test_an_endless_document_is_not_read_to_its_end(issuer: Issuer, clock: FakeClock) -> None:
    issuer.keys = [{"kid": "rs256-1", "kty": "RSA", "n": "A" * 600_000}]
    with pytest.raises(Unverifiable):
        await known(keys_of(issuer, clock), "rs256-1")
